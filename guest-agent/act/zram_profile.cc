#include "guest-agent/act/zram_profile.h"

#include <cerrno>
#include <cstring>

#include "common/base/text.h"
#include "common/kernel/number_field.h"
#include "guest-agent/act/zram_reader.h"

namespace ballast::agent {
namespace {

// Steps after swapoff take milliseconds, but for the kernel's table of a large device; a guest without swap
// is what must not be left behind, so they have a deadline of their own.
constexpr Nanos kFinishWithin = Seconds(5);
constexpr char kHotAdd[] = "/sys/class/zram-control/hot_add";

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += StrCat(text.empty() ? "" : ", ", name);
  return text;
}

// Reading the file makes a device and names its number.
absl::StatusOr<std::string> MakeDevice(const Scene& scene) {
  const auto outcome = scene.Do(OrderKind::kRead, kHotAdd, "");
  if (!outcome.ok()) return outcome.status();
  if (outcome->stop) return absl::DeadlineExceededError("stopped while a zram device was being made");
  if (outcome->error == ENOENT) {
    return absl::UnimplementedError("this kernel has no zram, or its module is not loaded");
  }
  if (outcome->error != 0) return ErrnoStatus(outcome->error, kHotAdd);
  std::string_view digits = outcome->text;
  const auto number = kernel::TakeNumber(digits);
  if (!number) return absl::InternalError(StrCat(kHotAdd, ": '", outcome->text, "' is no number"));
  return StrCat("zram", *number);
}

absl::StatusOr<std::string> ChooseDevice(const Scene& scene, const ZramWish& wish) {
  const std::vector<std::string> devices = ListZramDevices(scene.files);
  if (!wish.device.empty()) {
    for (const std::string& device : devices) {
      if (device == wish.device) return device;
    }
    return absl::InvalidArgumentError(StrCat("device is '", wish.device, "'; there ",
                                             devices.empty() ? "is none" : StrCat("is ", Joined(devices))));
  }
  if (devices.size() > 1) {
    return absl::InvalidArgumentError(StrCat("device is empty, and there are several: ", Joined(devices)));
  }
  return devices.empty() ? MakeDevice(scene) : devices.front();
}

class Configuring {
 public:
  Configuring(const Scene& scene, std::string device) : scene_(scene), device_(std::move(device)) {}

  absl::StatusOr<ZramResult> Run(const ZramSteps& plan) {
    ZramResult result;
    result.skipped = plan.skipped;
    bool emptied = false;
    for (size_t i = 0; i < plan.steps.size(); ++i) {
      const ZramStep& step = plan.steps[i];
      const auto ended = Take(step, result);
      const bool done = ended.ok() && !*ended;
      // A swapoff that was stopped may have ended all the same.
      emptied = emptied || (step.kind == ZramStepKind::kSwapOff && (done || !IsSwap())) ||
                (step.kind == ZramStepKind::kReset && done);
      if (done) continue;
      if (ended.ok()) SkipRest(plan.steps, i + 1, result);
      if (emptied) Restore(plan.restore, result);
      if (!ended.ok()) return ended.status();
      result.stop = **ended;
      break;
    }
    return result;
  }

 private:
  // Nothing: done. Else why the act ends with this step.
  absl::StatusOr<std::optional<Stop>> Take(const ZramStep& step, ZramResult& result) {
    const bool slow = IsSlow(step.kind);
    if (slow) {
      if (const auto stop = scene_.Look()) return Skip(step, "stopped before it began", *stop, result);
    }
    const int64_t used_before = slow ? MemoryUsed() : 0;
    const auto outcome = CarryOut(step);
    if (!outcome.ok()) return outcome.status();
    if (step.kind == ZramStepKind::kWriteBack || step.kind == ZramStepKind::kRecompress) {
      result.freed_bytes += used_before - MemoryUsed();
    }
    if (outcome->stop) return Skip(step, "stopped half way", *outcome->stop, result);
    if (outcome->error != 0) return Skip(step, std::strerror(outcome->error), Stop::kExhausted, result);
    result.done.emplace_back(NameOf(step.kind));
    return std::optional<Stop>();
  }

  static std::optional<Stop> Skip(const ZramStep& step, std::string_view why, Stop stop, ZramResult& result) {
    result.skipped.push_back(StrCat(NameOf(step.kind), ": ", why));
    return stop;
  }

  static void SkipRest(const std::vector<ZramStep>& steps, size_t from, ZramResult& result) {
    for (size_t i = from; i < steps.size(); ++i) {
      result.skipped.push_back(StrCat(NameOf(steps[i].kind), ": a step before it did not succeed"));
    }
  }

  // When it cannot be told: as it was.
  [[nodiscard]] bool IsSwap() const {
    const auto text = scene_.files.Read("/proc/swaps");
    return !text.ok() || text->find(StrCat("/dev/", device_, " ")) != std::string::npos;
  }

  void Restore(const std::vector<ZramStep>& steps, ZramResult& result) {
    for (const ZramStep& step : steps) {
      const auto outcome = CarryOut(step);
      const bool done = outcome.ok() && !outcome->stop && outcome->error == 0;
      if (done) continue;
      result.skipped.push_back(StrCat("restore: ", NameOf(step.kind), ": ",
                                      !outcome.ok()   ? MessageOf(outcome.status())
                                      : outcome->stop ? "it did not end in time"
                                                      : std::strerror(outcome->error)));
      return;
    }
    if (!steps.empty()) result.done.emplace_back("restore");
  }

  absl::StatusOr<Outcome> CarryOut(const ZramStep& step) {
    const std::string node = scene_.files.PathOf(StrCat("/dev/", device_));
    switch (step.kind) {
      case ZramStepKind::kSwapOff:
        return scene_.Do(OrderKind::kSwapOff, StrCat("/dev/", device_), "");
      case ZramStepKind::kMakeSwap:
        return Quickly({OrderKind::kMakeSwap, node, StrCat(scene_.page_size_bytes)});
      case ZramStepKind::kSwapOn:
        return Quickly({OrderKind::kSwapOn, node, step.value});
      case ZramStepKind::kWriteBack:
        return scene_.Do(OrderKind::kWrite, FileOf("writeback"), step.value);
      case ZramStepKind::kRecompress:
        return scene_.Do(OrderKind::kWrite, FileOf("recompress"), step.value);
      default:
        return Quickly({OrderKind::kWrite, scene_.files.PathOf(FileOf(FileNameOf(step.kind))), step.value});
    }
  }

  // A helper that dies now was killed for its memory; the step is tried once more with another.
  absl::StatusOr<Outcome> Quickly(const Order& order) {
    const MonotonicTime until = scene_.clock.Now() + kFinishWithin;
    const StopWatch watch = [this, until] {
      return scene_.clock.Now() >= until ? std::optional(Stop::kDeadline) : std::nullopt;
    };
    auto outcome = (another_ ? *another_ : scene_.helper).Do(order, watch);
    if (outcome.ok()) return outcome;
    auto another = scene_.starter.Start();
    if (!another.ok()) return another.status();
    another_ = *std::move(another);
    return another_->Do(order, watch);
  }

  static std::string_view FileNameOf(ZramStepKind kind) {
    return kind == ZramStepKind::kAlgorithm ? "comp_algorithm" : NameOf(kind);
  }

  std::string FileOf(std::string_view name) const { return StrCat("/sys/block/", device_, "/", name); }

  int64_t MemoryUsed() const {
    const auto state = ReadZramState(scene_.files, device_);
    return state.ok() ? state->memory.memory_used_bytes : 0;
  }

  const Scene& scene_;
  const std::string device_;
  std::unique_ptr<Helper> another_;
};

}  // namespace

absl::StatusOr<ZramResult> ConfigureZram(const Scene& scene, const ZramWish& wish) {
  const auto device = ChooseDevice(scene, wish);
  if (!device.ok()) return device.status();
  const auto state = ReadZramState(scene.files, *device);
  if (!state.ok()) return state.status();
  const GuestRoom room{scene.brake.UsableBytes(), scene.brake.AvailableBytes(),
                       scene.brake.PressedBelowBytes(), scene.page_size_bytes};
  const auto plan = PlanZramProfile(*state, wish, room);
  if (!plan.ok()) return plan.status();
  auto result = Configuring(scene, *device).Run(*plan);
  if (!result.ok()) return result;
  auto now = ReadZramState(scene.files, *device);
  if (!now.ok()) return now.status();
  result->device = *std::move(now);
  result->device.page_size_bytes = scene.page_size_bytes;
  return result;
}

}  // namespace ballast::agent
