#include "guest-agent/blocks/block_keeper.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/os/log.h"

namespace ballast::agent {
namespace {

using kernel::BlockAction;
using kernel::BlockState;

// Onlining takes milliseconds. Longer it only takes while an offlining elsewhere holds the kernel's lock.
constexpr Nanos kOnlineLimit = Seconds(5);
// A block that has just come online is as good as empty.
constexpr Nanos kMoveLimit = Seconds(2);
// What is owed when the agent is told to end.
constexpr Nanos kEndLimit = Seconds(2);
constexpr Nanos kEndPause = Milliseconds(50);
constexpr Nanos kHelperRetry = Seconds(1);
constexpr Nanos kSearchGap = Seconds(1);
// Between two looks at the news and at the zones.
constexpr size_t kBatch = 16;

}  // namespace

BlockKeeper::BlockKeeper(Options options, std::unique_ptr<UeventSource> events, BlockReader reader,
                         HelperStarter& helpers, const Clock& clock)
    : options_(std::move(options)),
      files_(options_.root),
      events_(std::move(events)),
      reader_(std::move(reader)),
      helpers_(helpers),
      clock_(clock),
      table_(reader_.BlockSizeBytes()) {}

absl::StatusOr<std::unique_ptr<BlockKeeper>> BlockKeeper::Open(Options options,
                                                               std::unique_ptr<UeventSource> events,
                                                               HelperStarter& helpers, const Clock& clock) {
  auto reader = BlockReader::Open(FileReader(options.root));
  if (!reader.ok()) return reader.status();
  std::unique_ptr<BlockKeeper> keeper(
      new BlockKeeper(std::move(options), std::move(events), *std::move(reader), helpers, clock));
  // The events were listened for before: what happens during the search comes as one.
  auto blocks = keeper->reader_.Scan();
  if (!blocks.ok()) return blocks.status();
  keeper->table_.Reset(*std::move(blocks));
  (void)keeper->table_.TakeChanges();
  return keeper;
}

BlockKeeper::~BlockKeeper() { Stop(); }

absl::Status BlockKeeper::Start(OnChange on_change) {
  if (auto status = wait_.Open(); !status.ok()) return status;
  on_change_ = std::move(on_change);
  if (options_.online) {
    for (const Block& block : table_.All()) {
      if (block.state == BlockState::kOffline) turns_.Want(block.number);
    }
  }
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void BlockKeeper::Stop() {
  stopping_ = true;
  wait_.Wake();
  if (thread_.joinable()) thread_.join();
}

void BlockKeeper::Note(int64_t number, const std::optional<Block>& block) {
  if (block) {
    table_.Put(*block);
  } else {
    table_.Remove(number);
  }
  MarkChanged(number);
  wait_.Wake();
}

void BlockKeeper::PutBackAt(int64_t number, bool movable, MonotonicTime at) {
  put_backs_.Set(number, movable, at);
  wait_.Wake();
}

void BlockKeeper::Run() {
  if (options_.on_thread_start) options_.on_thread_start();
  if (options_.online) (void)HaveHelper();
  if (!events_) search_at_ = clock_.Now() + kSearchGap;
  while (!stopping_) {
    TakeNews();
    PutBackDue();
    OnlineSome();
    GiveKernelItsPart();
    (void)SteerKernel();  // said at the start
    Announce();
    Wait();
  }
  BringBackAtTheEnd();
  helper_.reset();
}

// With this process its promises end, and the next one may never come.
void BlockKeeper::BringBackAtTheEnd() {
  owed_.merge(put_backs_.TakeAll());
  end_by_ = clock_.Now() + kEndLimit;
  const auto is_settled = [this](const auto& one) {
    const auto block = reader_.Read(one.first);
    return !block || block->state == BlockState::kOnline;
  };
  while (std::erase_if(owed_, is_settled), !owed_.empty() && clock_.Now() < *end_by_) {
    for (const auto& [number, movable] : PutBacks::Zones(owed_)) {
      if (clock_.Now() < *end_by_ && HaveHelper()) (void)BringOnline(number, movable);
    }
    std::erase_if(owed_, is_settled);
    if (!owed_.empty()) wait_.Wait(kEndPause, -1, /*gather=*/false);
  }
  for (const auto& [number, movable] : owed_) {
    LogWarning(StrCat("memory block ", number, " is offline and stays so until an agent runs again"));
  }
}

void BlockKeeper::TakeNews() {
  if (search_at_ && clock_.Now() >= *search_at_) {
    Search();
    search_at_ = clock_.Now() + kSearchGap;
  }
  while (events_ && !stopping_) {
    const UeventSource::News news = events_->Take();
    if (news.kind == UeventSource::Kind::kNothing) return;
    if (news.kind == UeventSource::Kind::kLost) {
      LogWarning("events of memory blocks were lost; all blocks are looked at again");
      Search();
    } else {
      Hear(news.event);
    }
  }
}

void BlockKeeper::Hear(const kernel::BlockUevent& event) {
  const auto block = reader_.Read(event.number);
  if (!block || event.action == BlockAction::kRemove) {
    Vanished(event.number);  // what is there all the same has been plugged since, and has its own event
  } else if (event.action == BlockAction::kAdd && !table_.Find(event.number)) {
    Appeared(*block);
  } else {
    // Somebody may have taken it offline on purpose: that alone is no reason to bring it online.
    Changed(*block);
  }
}

void BlockKeeper::Search() {
  const auto found = reader_.Scan();
  if (!found.ok()) return;
  std::vector<Block> known = table_.All();
  auto old = known.begin();
  for (const Block& block : *found) {
    for (; old != known.end() && old->number < block.number; ++old) Vanished(old->number);
    if (old == known.end() || old->number != block.number) {
      Appeared(block);
      continue;
    }
    if (old->state != block.state || old->zone != block.zone) Changed(block);
    ++old;
  }
  for (; old != known.end(); ++old) Vanished(old->number);
}

void BlockKeeper::Appeared(const Block& block) {
  Vanished(block.number);  // what was there before, if the news of its end was missed
  table_.Put(block);
  table_.MarkPlugged(block.number);
  if (!options_.online) return;
  const bool online = block.state == BlockState::kOnline;
  if (options_.kernel != nullptr && options_.kernel->IsOn()) {
    turns_.LeaveToKernel(block.number, online, clock_.Now());
  } else if (block.state == BlockState::kOffline) {
    turns_.Want(block.number);
  }
}

void BlockKeeper::Changed(const Block& block) {
  table_.Put(block);
  MarkChanged(block.number);
  if (block.state != BlockState::kOnline) return;
  turns_.IsOnline(block.number, clock_.Now());
  owed_.erase(block.number);
}

void BlockKeeper::Vanished(int64_t number) {
  table_.Remove(number);
  turns_.Forget(number);
  MarkChanged(number);
  put_backs_.Forget(number);
  owed_.erase(number);
}

void BlockKeeper::MarkChanged(int64_t number) {
  steer_ = true;
  changes_.Mark(number, clock_.Now());
}

void BlockKeeper::PutBackDue() {
  for (const auto& [number, movable] : put_backs_.TakeDue(clock_.Now())) {
    const auto block = reader_.Read(number);
    if (!block || block->state != BlockState::kOffline) continue;
    LogWarning(
        StrCat("memory block ", number, " was to be unplugged and is still there: it comes back online"));
    turns_.Want(number);  // tried again should this fail
    owed_[number] = movable;
    if (HaveHelper()) (void)BringOnline(number, movable);
  }
}

std::vector<Block> BlockKeeper::Due() {
  std::vector<Block> due;
  const MonotonicTime now = clock_.Now();
  if (no_helper_until_ && now < *no_helper_until_) return due;
  for (const int64_t number : turns_.Due(now)) {
    if (const auto block = table_.Find(number)) {
      due.push_back(*block);
    } else {
      turns_.Forget(number);
    }
  }
  return due;
}

// By the zones; where they cannot be read by the blocks, which count the boot's memory up to whole ones.
ZoneShape BlockKeeper::Shape() const {
  const auto text = files_.Read("/proc/zoneinfo", 16 << 20);
  if (text.ok()) {
    const auto zones = kernel::ParseZoneinfo(*text, options_.page_size_bytes);
    if (zones.ok()) return ShapeOf(*zones);
  }
  const BlockSums sums = table_.Sums();
  return {sums.online_bytes - sums.movable_bytes, sums.movable_bytes, false};
}

void BlockKeeper::OnlineSome() {
  const std::vector<Block> due = Due();
  if (due.empty() || !HaveHelper()) return;
  const auto steps =
      PlanOnline(due, options_.online.value_or(ZoneChoice::kAuto), Shape(), reader_.BlockSizeBytes());
  for (size_t i = 0; i < steps.size() && i < kBatch && !stopping_; ++i) {
    const auto owed = owed_.find(steps[i].number);
    if (!BringOnline(steps[i].number, owed != owed_.end() ? owed->second : steps[i].movable)) return;
  }
}

StopWatch BlockKeeper::WatchFor(Nanos limit) const {
  return [this, deadline = end_by_.value_or(clock_.Now() + limit)]() -> std::optional<agent::Stop> {
    if (stopping_ && !end_by_) return agent::Stop::kCancelled;
    return clock_.Now() >= deadline ? std::make_optional(agent::Stop::kDeadline) : std::nullopt;
  };
}

bool BlockKeeper::BringOnline(int64_t number, bool movable) {
  const auto outcome =
      WriteBlock(files_, reader_, *helper_, number,
                 movable ? BlockWish::kOnlineMovable : BlockWish::kOnlineKernel, WatchFor(kOnlineLimit));
  if (!outcome.ok() || outcome->stop) helper_.reset();  // the next one starts another
  if (!outcome.ok()) return false;
  if (!outcome->block) {
    Vanished(number);
    return true;
  }
  table_.Put(*outcome->block);
  MarkChanged(number);
  if (outcome->done) {
    turns_.Forget(number);
    owed_.erase(number);
  } else if (!stopping_) {
    Failed(number, outcome->reason);
  }
  return helper_ != nullptr;
}

void BlockKeeper::GiveKernelItsPart() {
  const MonotonicTime now = clock_.Now();
  if (!turns_.HasArrived(now) || (no_helper_until_ && now < *no_helper_until_) || !HaveHelper()) return;
  std::vector<int64_t> arrived = turns_.TakeArrived();
  if (options_.online != ZoneChoice::kAuto) return;
  std::erase_if(arrived, [this](int64_t number) {
    const auto block = table_.Find(number);
    return !block || block->state != BlockState::kOnline || block->zone != kernel::ZoneKind::kMovable;
  });
  int64_t part = KernelPartOf(std::ssize(arrived), Shape(), reader_.BlockSizeBytes());
  for (size_t i = 0; i < arrived.size() && part > 0 && !stopping_ && HaveHelper(); ++i) {
    if (MoveToKernel(arrived[i])) --part;
  }
}

bool BlockKeeper::MoveToKernel(int64_t number) {
  const auto claim = claims_.Take(number);
  if (!claim) return false;  // an order is taking it offline
  const auto block = reader_.Read(number);
  if (!block || block->state != BlockState::kOnline) return false;  // somebody else has taken it meanwhile
  const auto outcome =
      WriteBlock(files_, reader_, *helper_, number, BlockWish::kOffline, WatchFor(kMoveLimit));
  if (!outcome.ok() || outcome->stop) helper_.reset();
  if (!outcome.ok() || !outcome->done) {
    LogWarning(StrCat("memory block ", number, " stays Movable, though the kernel's zones need more: ",
                      outcome.ok() ? outcome->reason : MessageOf(outcome.status())));
    return false;
  }
  turns_.Want(number);  // tried again should this fail
  owed_[number] = false;
  if (HaveHelper()) (void)BringOnline(number, /*movable=*/false);
  return true;
}

absl::Status BlockKeeper::SteerKernel() {
  if (!options_.online || options_.kernel == nullptr) return absl::NotFoundError("not left to the kernel");
  // It looks again before each block: told "offline" half way it puts the rest where it likes.
  if (turns_.AwaitsKernel(clock_.Now()) || !steer_.exchange(false)) return absl::OkStatus();
  return options_.kernel->Set(LeaveToKernel(*options_.online, Shape(), reader_.BlockSizeBytes()));
}

bool BlockKeeper::HaveHelper() {
  if (helper_) return true;
  auto helper = helpers_.Start();
  if (helper.ok()) {
    helper_ = *std::move(helper);
    no_helper_until_.reset();
    return true;
  }
  LogWarning(StrCat("memory blocks wait to be brought online: ", MessageOf(helper.status())));
  no_helper_until_ = clock_.Now() + kHelperRetry;
  return false;
}

void BlockKeeper::Failed(int64_t number, std::string_view reason) {
  const bool first = turns_.Failed(number, clock_.Now());
  table_.MarkFailed(number);
  if (first) LogWarning(StrCat("memory block ", number, " stays offline for now: ", reason));
}

void BlockKeeper::Announce() {
  const std::vector<int64_t> changed = changes_.TakeSettled(clock_.Now());
  if (changed.empty()) return;
  for (const int64_t number : changed) {
    const auto block = reader_.Read(number);
    if (!block) {
      table_.Remove(number);
    } else if (table_.Find(number)) {
      table_.Put(*block);
    } else {
      Appeared(*block);  // before its event was heard
    }
  }
  const auto changes = table_.TakeChanges();
  if (changes.empty()) return;
  const BlockSums sums = table_.Sums();
  LogInfo(StrCat("memory blocks changed: ", sums.online_bytes >> 20, " MiB online, ",
                 sums.movable_bytes >> 20, " MiB of it Movable, ", sums.offline_bytes >> 20, " MiB offline"));
  if (on_change_) on_change_(changes);
}

// Nothing: only news can bring work.
std::optional<MonotonicTime> BlockKeeper::NextTime() const {
  std::optional<MonotonicTime> next = search_at_;
  const auto consider = [&next](MonotonicTime at) { next = next ? std::min(*next, at) : at; };
  if (const auto turn = turns_.Next())
    consider(no_helper_until_ ? std::max(*turn, *no_helper_until_) : *turn);
  if (const auto put_back = put_backs_.Next()) consider(*put_back);
  if (const auto settled = changes_.Next()) consider(*settled);
  return next;
}

void BlockKeeper::Wait() {
  const auto next = NextTime();
  wait_.Wait(next ? std::make_optional(*next - clock_.Now()) : std::nullopt, events_ ? events_->Fd() : -1,
             options_.kernel != nullptr && options_.kernel->IsOn());
}

}  // namespace ballast::agent
