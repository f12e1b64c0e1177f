#include "guest-agent/service/sample_loop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <utility>

#include "common/base/text.h"

namespace ballast::agent {
namespace {

// A client that does not take a message for this long does not read at all.
constexpr Nanos kWriteLimit = Seconds(5);
// How long a newcomer waits for a place; a watcher without a client notices when prodded.
constexpr auto kDeparture = std::chrono::milliseconds(100);
// How often the watch looks while the loop does not rest: soon enough to be of use when it may again, and
// next to nothing where it will not soon.
constexpr Nanos kWatchAtHand = Milliseconds(100);
constexpr Nanos kWatchAside = Seconds(1);

}  // namespace

SampleLoop::SampleLoop(Sensors sensors, std::optional<PsiTrigger> trigger, const Clock& clock,
                       Options options, UniqueFd wake)
    : clock_(clock),
      options_(std::move(options)),
      wake_(std::move(wake)),
      sensors_(std::move(sensors)),
      trigger_(std::move(trigger)) {
  watchers_.reserve(2 * kMaxWatchers);
  arrivals_.reserve(2 * kMaxWatchers);
  present_.reserve(2 * kMaxWatchers);
}

absl::StatusOr<std::unique_ptr<SampleLoop>> SampleLoop::Start(Sensors sensors,
                                                              std::optional<PsiTrigger> trigger,
                                                              const Clock& clock, Options options) {
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.IsOpen()) return ErrnoStatus(errno, "eventfd");
  std::unique_ptr<SampleLoop> loop(
      new SampleLoop(std::move(sensors), std::move(trigger), clock, std::move(options), std::move(wake)));
  loop->thread_ = std::thread([self = loop.get()] { self->Run(); });
  return loop;
}

SampleLoop::~SampleLoop() { Stop(); }

absl::Status SampleLoop::Add(std::shared_ptr<WatchStream> stream) {
  {
    std::unique_lock lock(mutex_);
    if (live_ >= kMaxWatchers && !stopping_) {
      departure_suspected_ = true;
      Wake();
      left_.wait_for(lock, kDeparture, [this] { return live_ < kMaxWatchers || stopping_; });
    }
    if (stopping_) return absl::UnavailableError("the agent is stopping");
    if (live_ >= kMaxWatchers) {
      return absl::ResourceExhaustedError(StrCat(kMaxWatchers, " clients watch already"));
    }
    ++live_;
    std::erase_if(present_, [](const auto& present) { return present->IsOver(); });
    OfferKept(*stream);
    present_.push_back(stream);
    arrivals_.push_back(std::move(stream));
  }
  Wake();
  return absl::OkStatus();
}

void SampleLoop::Leave() {
  {
    const std::lock_guard lock(mutex_);
    --live_;
  }
  left_.notify_one();
  Wake();
}

// A verdict is in the log before it is broadcast, so between here and its place among the present none is
// missed.
void SampleLoop::OfferKept(WatchStream& stream) const {
  if (options_.verdicts == nullptr) return;
  const WatchSettings& settings = stream.Settings();
  const bool knows = settings.known_verdict_generation == options_.generation;
  options_.verdicts->VisitAfter(knows ? settings.known_verdict_id : 0, [&stream](const OomVerdict& verdict) {
    stream.OfferEvent({verdict.kill.at, verdict});
  });
}

size_t SampleLoop::Broadcast(const EventFacts& event) {
  const std::lock_guard lock(mutex_);
  size_t watchers = 0;
  for (const auto& stream : present_) {
    if (stream->IsOver()) continue;
    stream->OfferEvent(event);
    ++watchers;
  }
  return watchers;
}

void SampleLoop::PrepareThisThread() const {
  // A thread of gRPC's serves many calls; once is enough.
  thread_local bool prepared = false;
  if (!std::exchange(prepared, true) && options_.on_thread_start) options_.on_thread_start();
}

void SampleLoop::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  left_.notify_all();
  Wake();
  std::call_once(joined_, [this] { thread_.join(); });
}

void SampleLoop::Wake() {
  const uint64_t one = 1;
  // Ignoring a full counter: then the thread is about to wake anyway.
  [[maybe_unused]] const ssize_t n = ::write(wake_.Get(), &one, sizeof one);
}

void SampleLoop::Run() {
  PrepareThisThread();
  while (Adopt()) {
    const Fired fired = Wait();
    const MonotonicTime now = clock_.Now();
    const bool due = !watchers_.empty() && NextAt() <= now;
    if (fired.trigger || fired.watch || due) Look(now, fired);
  }
  for (Watcher& watcher : watchers_) {
    watcher.stream->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the agent is stopping"));
  }
  watchers_.clear();
}

// Takes in who came, lets go who left; false when it is time to stop.
bool SampleLoop::Adopt() {
  std::erase_if(watchers_, [](const Watcher& watcher) { return watcher.stream->IsOver(); });
  const std::lock_guard lock(mutex_);
  for (auto& stream : arrivals_)
    watchers_.push_back({.stream = std::move(stream), .plan = {}, .next_at = {}, .rest = {}});
  arrivals_.clear();
  std::erase_if(present_, [](const auto& stream) { return stream->IsOver(); });
  if (std::exchange(departure_suspected_, false)) {
    for (const Watcher& watcher : watchers_) watcher.stream->Prod();
  }
  return !stopping_;
}

// When a sample is due; somebody must watch. Who came just now waits for no rest.
MonotonicTime SampleLoop::NextAt() const {
  const bool newcomer =
      std::any_of(watchers_.begin(), watchers_.end(), [](const Watcher& watcher) { return !watcher.plan; });
  if (resting_ && !newcomer) return resting_->until;
  return std::min_element(watchers_.begin(), watchers_.end(),
                          [](const auto& a, const auto& b) { return a.next_at < b.next_at; })
      ->next_at;
}

// Until a sample is due, somebody comes or leaves, or something fires.
SampleLoop::Fired SampleLoop::Wait() {
  std::array<pollfd, 3> polled{{{wake_.Get(), POLLIN, 0}, {-1, POLLPRI, 0}, {-1, POLLIN, 0}}};
  timespec timeout{};
  const bool watched = !watchers_.empty();
  if (watched) {
    const int64_t wait_ns = std::max<int64_t>((NextAt() - clock_.Now()).count, 0);
    timeout = {wait_ns / kNanosPerSecond, wait_ns % kNanosPerSecond};
    if (trigger_) polled[1].fd = trigger_->Fd();
    if (resting_) polled[2].fd = options_.watch->Fd();
  } else if (std::exchange(resting_, std::nullopt)) {
    options_.watch->Relax(kWatchAside);
  }
  if (::ppoll(polled.data(), polled.size(), watched ? &timeout : nullptr, nullptr) <= 0) return {};
  if ((polled[0].revents & POLLIN) != 0) {
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t n = ::read(wake_.Get(), &count, sizeof count);
  }
  if ((polled[1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
    trigger_.reset();  // the kernel took it back; sampling goes on by time alone
    polled[1].revents = 0;
  }
  return {(polled[1].revents & POLLPRI) != 0, polled[2].revents != 0};
}

void SampleLoop::Look(MonotonicTime now, Fired fired) {
  const bool newcomer =
      std::any_of(watchers_.begin(), watchers_.end(), [](const Watcher& watcher) { return !watcher.plan; });
  const Readings& readings = sensors_.Read(now, newcomer || fired.trigger);
  Sample sample = ToSample(readings);
  sample.trigger_fired = fired.trigger;
  sample.watch_fired = fired.watch;
  sample.glimpse = LastGlimpse();
  for (Watcher& watcher : watchers_) {
    watcher.stream->CancelIfWritingSince(now - kWriteLimit);
    if (watcher.plan) {
      Tell(watcher, readings, sample);
    } else {
      Greet(watcher, readings, sample);
    }
  }
  if (options_.watch != nullptr) GoToRest(readings);
}

std::optional<Sample::Glimpse> SampleLoop::LastGlimpse() const {
  if (!resting_) return std::nullopt;
  const auto look = options_.watch->LastCalmLook();
  if (!look || look->at <= resting_->since) return std::nullopt;
  return Sample::Glimpse{look->at, look->left_bytes - resting_->left_bytes};
}

// Leaves the looking to the watch, as long as every watcher's plan allows.
void SampleLoop::GoToRest(const Readings& readings) {
  resting_.reset();
  std::optional<Rest> rest = watchers_.front().rest;
  for (const Watcher& watcher : watchers_) rest = Closer(rest, watcher.rest);
  const auto left = LeftBytes(readings);
  if (!rest || !left) {
    options_.watch->Relax(kWatchAtHand);
    return;
  }
  const WatchOrder order{.look_every = rest->look_every,
                         .left_bytes = *left,
                         .fall_bytes = rest->fall_bytes,
                         .rise_bytes = rest->rise_bytes,
                         .stall_us = rest->stall_us};
  if (!options_.watch->Watch(order, clock_.Now())) return;
  resting_ = Resting{readings.at, readings.at + rest->until, *left};
}

void SampleLoop::Greet(Watcher& watcher, const Readings& readings, const Sample& sample) {
  const WatchSettings& settings = watcher.stream->Settings();
  watcher.plan.emplace(
      SamplerConfig{.thresholds = settings.thresholds,
                    .cadence = settings.cadence,
                    .assumed_burst_bytes_per_second = options_.assumed_burst_bytes_per_second,
                    .page_size_bytes = options_.page_size_bytes});
  const Step step = watcher.plan->Next(sample);
  watcher.next_at = sample.at + step.next_sample_in;
  watcher.rest = step.rest;
  watcher.stream->OfferHello(FactsOf(readings, step));
}

ReportFacts SampleLoop::FactsOf(const Readings& readings, const Step& step) const {
  return {readings, step.derived,
          options_.reclaim_stalls ? options_.reclaim_stalls() : std::optional<StallCounts>(),
          options_.blocks ? options_.blocks() : std::optional<BlockFacts>()};
}

void SampleLoop::Tell(Watcher& watcher, const Readings& readings, const Sample& sample) {
  const Step step = watcher.plan->Next(sample);
  watcher.next_at = sample.at + step.next_sample_in;
  watcher.rest = step.rest;
  if (step.oom_kills > 0) {
    watcher.stream->OfferEvent({sample.at, OomKills{step.oom_kills, sample.oom_kills.value_or(0)}});
  }
  if (step.trigger_fired && trigger_) {
    watcher.stream->OfferEvent({sample.at, PressureTriggered{trigger_->ThresholdUs(), trigger_->WindowUs()}});
  }
  if (step.balloon_shrank_bytes > 0) {
    watcher.stream->OfferEvent({sample.at, BalloonShrank{step.balloon_shrank_bytes}});
  }
  if (!step.report_now) return;
  sensors_.Complete();  // `readings` are its own
  watcher.stream->OfferReport(FactsOf(readings, step));
}

}  // namespace ballast::agent
