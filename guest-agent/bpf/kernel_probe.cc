#include "guest-agent/bpf/kernel_probe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <ballast/bpf/witness.skel.h>

#include "common/base/text.h"
#include "common/os/unique_fd.h"
#include "guest-agent/bpf/kernel_watch.h"

namespace ballast::agent {
namespace {

// Programs that are of use together only.
enum Group { kOomKill, kOomBegin, kReclaim, kCgroupReclaim, kMemoryWatch, kGroups };
using Wanted = std::array<bool, kGroups>;

constexpr const char* kTypes = "/sys/kernel/btf/vmlinux";

// libbpf's first complaint of an attempt says what was wrong; the rest is consequences.
char first_complaint[256];

int KeepFirstComplaint(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_WARN && first_complaint[0] == '\0') {
    std::vsnprintf(first_complaint, sizeof first_complaint, format, arguments);
    first_complaint[std::strcspn(first_complaint, "\n")] = '\0';
  }
  return 0;
}

std::string ReasonOf(int error) {
  if (::access(kTypes, R_OK) != 0) {
    return StrCat("the kernel does not describe its types: ", kTypes, ": ", std::strerror(errno));
  }
  if (error == EPERM || error == EACCES) {
    return "the kernel lets this process load no BPF programs; it needs CAP_BPF and CAP_PERFMON";
  }
  if (error == ENOSYS) return "this kernel is built without BPF";
  return StrCat("the kernel refuses the BPF programs: ", std::strerror(error),
                first_complaint[0] == '\0' ? "" : StrCat(" (", first_complaint, ")"));
}

std::array<bpf_program*, 4> ProgramsOf(const witness_bpf& skeleton, Group group) {
  const auto& programs = skeleton.progs;
  switch (group) {
    case kOomKill:
      return {programs.oom_kill_begins, programs.oom_kill_one, programs.oom_mark, programs.oom_kill_ends};
    case kOomBegin:
      return {programs.oom_begins};
    case kReclaim:
      return {programs.reclaim_begins, programs.reclaim_ends};
    case kCgroupReclaim:
      return {programs.cgroup_reclaim_begins, programs.cgroup_reclaim_ends};
    case kMemoryWatch:
      return {programs.watch_begins};
    case kGroups:
      break;
  }
  return {};
}

struct SkeletonDeleter {
  void operator()(witness_bpf* skeleton) const { witness_bpf::destroy(skeleton); }
};
using Skeleton = std::unique_ptr<witness_bpf, SkeletonDeleter>;

// Loaded and attached with the wanted groups; else nothing, and `error` is the kernel's.
Skeleton TryLoad(const Wanted& wanted, int& error) {
  first_complaint[0] = '\0';
  Skeleton skeleton(witness_bpf::open());
  if (skeleton == nullptr) {
    error = errno;
    return nullptr;
  }
  for (int group = 0; group < kGroups; ++group) {
    for (bpf_program* program : ProgramsOf(*skeleton, static_cast<Group>(group))) {
      if (program != nullptr) bpf_program__set_autoload(program, wanted[group]);
    }
  }
  error = -witness_bpf::load(skeleton.get());
  if (error == 0) error = -witness_bpf::attach(skeleton.get());
  return error == 0 ? std::move(skeleton) : nullptr;
}

// All at once where the kernel takes all; otherwise each group is tried by itself first.
Skeleton LoadWhatGoes(Wanted& loaded, std::array<std::string, kGroups>& reasons) {
  int error = 0;
  loaded.fill(true);
  if (Skeleton all = TryLoad(loaded, error)) return all;
  reasons.fill(ReasonOf(error));
  loaded.fill(false);
  if (::access(kTypes, R_OK) != 0 || error == EPERM || error == ENOSYS) return nullptr;
  for (int group = 0; group < kGroups; ++group) {
    Wanted alone{};
    alone[group] = true;
    loaded[group] = TryLoad(alone, error) != nullptr;
    reasons[group] = loaded[group] ? "" : ReasonOf(error);
  }
  if (std::none_of(loaded.begin(), loaded.end(), [](bool one) { return one; })) return nullptr;
  Skeleton some = TryLoad(loaded, error);
  if (some == nullptr) reasons.fill(ReasonOf(error));
  return some;
}

struct RingDeleter {
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};

// Records come from our own programs; one of another size is from none of them.
template <typename Event>
const Event* As(const void* data, size_t size) {
  return size >= sizeof(Event) ? static_cast<const Event*>(data) : nullptr;
}

int Dispatch(void* context, void* data, size_t size) {
  auto& listener = **static_cast<KernelListener**>(context);
  __u32 kind = 0;
  if (size < sizeof kind) return 0;
  std::memcpy(&kind, data, sizeof kind);
  if (kind == kBallastOomBegins) {
    if (const auto* event = As<ballast_oom_begins>(data, size)) listener.OnOomBegins(*event);
  } else if (kind == kBallastOomKill) {
    if (const auto* event = As<ballast_oom_kill>(data, size)) listener.OnOomKill(*event);
  } else if (kind == kBallastStall) {
    if (const auto* event = As<ballast_stall>(data, size)) listener.OnStall(*event);
  }
  return 0;
}

}  // namespace

// Empty, or why the timer does not run.
std::string StartWatch(const witness_bpf& skeleton) {
  bpf_test_run_opts options{};
  options.sz = sizeof options;
  const int error = -bpf_prog_test_run_opts(bpf_program__fd(skeleton.progs.watch_begins), &options);
  if (error != 0) return StrCat("the kernel does not run the BPF program: ", std::strerror(error));
  if (options.retval == 1) return "the kernel does not tell where its counters are; it needs CAP_SYSLOG";
  return options.retval == 0 ? "" : "the kernel starts no timer";
}

// What stays of the loaded programs: descriptors, and the page they share with the agent. libbpf's own
// account of them has no further use.
struct KernelProbe::Loaded {
  std::vector<UniqueFd> links;  // attached while these are open
  UniqueFd events;
  void* page = MAP_FAILED;
  ptrdiff_t sums_offset = 0;
  bool reclaim = false;
  KernelListener* listener = nullptr;  // during Drain
  std::unique_ptr<ring_buffer, RingDeleter> ring;
  std::optional<KernelWatch> watch;

  Loaded() = default;
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;
  ~Loaded() {
    watch.reset();
    if (page != MAP_FAILED) ::munmap(page, PageBytes());
  }

  static size_t PageBytes() { return static_cast<size_t>(::sysconf(_SC_PAGESIZE)); }
  [[nodiscard]] const ballast_stall_sums& sums() const {
    return *reinterpret_cast<const ballast_stall_sums*>(static_cast<const char*>(page) + sums_offset);
  }

  // False, and errno, when the kernel refuses.
  [[nodiscard]] bool Keep(const witness_bpf& skeleton) {
    const bpf_object_skeleton& object = *skeleton.skeleton;
    for (int i = 0; i < object.prog_cnt; ++i) {
      const bpf_link* link = *object.progs[i].link;
      if (link == nullptr) continue;  // not wanted, see LoadWhatGoes
      links.emplace_back(::fcntl(bpf_link__fd(link), F_DUPFD_CLOEXEC, 0));
      if (!links.back().IsOpen()) return false;
    }
    events = Duplicate(skeleton.maps.events);
    if (!events.IsOpen()) return false;
    static_assert(sizeof(*skeleton.bss) <= 4096, "what is shared is one page");
    sums_offset = OffsetIn(skeleton, &skeleton.bss->stalls);
    page =
        ::mmap(nullptr, PageBytes(), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(skeleton.maps.bss), 0);
    if (page == MAP_FAILED) return false;
    ring.reset(ring_buffer__new(events.Get(), Dispatch, &listener, nullptr));
    return ring != nullptr;
  }

  // Empty, or why it is not there.
  [[nodiscard]] std::string KeepWatch(const witness_bpf& skeleton) {
    if (std::string reason = StartWatch(skeleton); !reason.empty()) return reason;
    void* const shared = static_cast<char*>(page) + OffsetIn(skeleton, &skeleton.bss->watch);
    auto opened =
        KernelWatch::Open(Duplicate(skeleton.maps.watch_clocks), Duplicate(skeleton.maps.watch_events),
                          {static_cast<ballast_watch*>(shared), &sums()});
    if (!opened.ok()) return StrCat("its events cannot be read: ", opened.status().message());
    watch.emplace(*std::move(opened));
    return "";
  }

  static UniqueFd Duplicate(const bpf_map* map) {
    return UniqueFd(::fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 0));
  }
  static ptrdiff_t OffsetIn(const witness_bpf& skeleton, const void* place) {
    return static_cast<const char*>(place) - reinterpret_cast<const char*>(skeleton.bss);
  }
};

KernelProbe::KernelProbe(std::unique_ptr<Loaded> loaded, ProbeReasons reasons)
    : loaded_(std::move(loaded)), reasons_(std::move(reasons)) {}
KernelProbe::KernelProbe(KernelProbe&&) noexcept = default;
KernelProbe& KernelProbe::operator=(KernelProbe&&) noexcept = default;
KernelProbe::~KernelProbe() = default;

KernelProbe KernelProbe::None(const std::string& reason) {
  return {nullptr,
          {.oom_kill = reason, .oom_begin = reason, .direct_reclaim = reason, .memory_watch = reason}};
}

KernelProbe KernelProbe::Load() {
  const auto printer = libbpf_set_print(KeepFirstComplaint);
  Wanted groups{};
  std::array<std::string, kGroups> reasons;
  const Skeleton skeleton = LoadWhatGoes(groups, reasons);
  libbpf_set_print(printer);
  ProbeReasons told{reasons[kOomKill], reasons[kOomBegin], reasons[kReclaim], reasons[kMemoryWatch]};
  if (skeleton == nullptr) return {nullptr, std::move(told)};
  auto loaded = std::make_unique<Loaded>();
  loaded->reclaim = groups[kReclaim];
  if (!loaded->Keep(*skeleton))
    return None(StrCat("what the BPF programs write cannot be read: ", std::strerror(errno)));
  if (groups[kMemoryWatch]) told.memory_watch = loaded->KeepWatch(*skeleton);
  return {std::move(loaded), std::move(told)};
}

int KernelProbe::Fd() const { return loaded_ ? ring_buffer__epoll_fd(loaded_->ring.get()) : -1; }

void KernelProbe::Drain(KernelListener& listener) {
  if (!loaded_) return;
  loaded_->listener = &listener;
  ring_buffer__consume(loaded_->ring.get());
  loaded_->listener = nullptr;
}

MemoryWatch* KernelProbe::Watch() const { return loaded_ && loaded_->watch ? &*loaded_->watch : nullptr; }

std::optional<StallCounts> KernelProbe::Stalls() const {
  if (!loaded_ || !loaded_->reclaim) return std::nullopt;
  const ballast_stall_sums& sums = loaded_->sums();
  const auto read = [](const __u64& from) { return __atomic_load_n(&from, __ATOMIC_RELAXED); };
  StallCounts counts{.count = read(sums.count),
                     .total_us = read(sums.total_us),
                     .longest_us = read(sums.longest_us),
                     .histogram = {},
                     .cgroup_count = read(sums.cgroup_count),
                     .cgroup_total_us = read(sums.cgroup_total_us)};
  static_assert(counts.histogram.size() == kBallastStallBuckets);
  for (size_t i = 0; i < counts.histogram.size(); ++i) counts.histogram[i] = read(sums.histogram[i]);
  return counts;
}

}  // namespace ballast::agent
