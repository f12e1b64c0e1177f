#include "host-bridge/record/recorder.h"

#include <chrono>
#include <ctime>
#include <utility>

#include "common/base/text.h"

namespace ballast::record {
namespace {

// How long entries wait at most: half of the second that a killed bridge may lose.
constexpr std::chrono::milliseconds kWait(500);

// What an entry takes in memory while it waits.
int64_t CostOf(const policy::Snapshot& snapshot, size_t verdicts) {
  constexpr size_t kVerdict = sizeof(policy::OomVerdict) + 1024;  // with its texts
  constexpr size_t kHistory = sizeof(policy::GuestHistory) + sizeof(policy::PlugHistory);
  constexpr size_t kGuest = sizeof(policy::GuestFacts) + sizeof(policy::PlugReading) + 2 * kHistory;
  return static_cast<int64_t>(sizeof(RecordedEntry) + snapshot.guests.size() * kGuest + verdicts * kVerdict);
}

int64_t UnixMilliseconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

Recorder::Recorder(RecorderOptions options, LogSink log)
    : options_(std::move(options)), log_(std::move(log)), queue_(options_.max_waiting_bytes) {
  thread_ = std::thread([this] { Run(); });
}

Recorder::~Recorder() {
  queue_.Close();
  thread_.join();
}

void Recorder::Record(const policy::Snapshot& snapshot, MonotonicTime now, const policy::Outcome& outcome,
                      const std::vector<policy::OomVerdict>& verdicts) {
  static_cast<void>(queue_.Push({now, snapshot, outcome, verdicts},
                                CostOf(snapshot, verdicts.size())));  // a loss is counted there
}

void Recorder::Run() {
  while (true) {
    auto batch = queue_.Take(kWait);
    for (RecordedEntry& entry : batch.items) Write(std::move(entry));
    if (batch.dropped > 0 && !std::exchange(said_slow_, true)) {
      log_(LogLevel::kWarning,
           StrCat("journal: ", options_.file.path,
                  ": writing is too slow for what is decided; losses are noted in the journal from now on"));
    }
    lost_ += batch.dropped;
    Flush();
    if (batch.closed) break;
  }
  Close();
}

void Recorder::Write(RecordedEntry entry) {
  const MonotonicTime now = entry.now;
  last_now_ = now;
  const bool waits = failed_at_ && now - *failed_at_ < options_.retry_after && now >= *failed_at_;
  if (waits) {
    ++lost_;
    return;
  }
  if (const absl::Status status = TryWrite(std::move(entry)); !status.ok()) {
    ++lost_;
    failed_at_ = now;
    Fail(status);
  }
}

absl::Status Recorder::TryOpen(MonotonicTime now) {
  auto file = journal::JournalFile::Open(options_.file);
  if (!file.ok()) return file.status();
  file_ = *std::move(file);
  header_due_ = true;
  return TryBeginFrame(now);
}

absl::Status Recorder::TryBeginFrame(MonotonicTime now) {
  // What the frame before holds is in the file, whatever becomes of the next one.
  if (absl::Status status = file_->EndFrame(); !status.ok()) return status;
  if (unflushed_ > 0) Written();
  bool new_file = false;
  if (absl::Status status = file_->BeginFrame(new_file); !status.ok()) return status;
  entries_in_frame_ = 0;
  frame_began_ = now;
  if (!header_due_ && !new_file) return absl::OkStatus();
  header_due_ = false;
  journal::v1::Record record;
  JournalHeader header = options_.header;
  header.written_unix_ms = UnixMilliseconds();
  header.written_at = now;
  *record.mutable_header() = EncodeHeader(header);
  return TryAppend(record);
}

absl::Status Recorder::TryAppend(const journal::v1::Record& record) {
  bytes_.clear();
  record.SerializeToString(&bytes_);
  return file_->Append(bytes_);
}

absl::Status Recorder::TryNoteLoss() {
  journal::v1::Record record;
  record.mutable_gap()->set_lost_entries(lost_);
  return TryAppend(record);
}

absl::Status Recorder::TryWrite(RecordedEntry entry) {
  const MonotonicTime now = entry.now;
  absl::Status status;
  const bool frame_full = entries_in_frame_ >= options_.frame_entries ||
                          now - frame_began_ >= options_.frame_time || now < frame_began_;
  if (file_ == nullptr) {
    status = TryOpen(now);
  } else if (frame_full || file_->IsFull()) {
    status = TryBeginFrame(now);
  }
  if (!status.ok()) return status;
  if (lost_ > 0) status = TryNoteLoss();
  journal::v1::Record record;
  *record.mutable_entry() = encoder_.Encode(std::move(entry), /*full=*/entries_in_frame_ == 0);
  if (status.ok()) status = TryAppend(record);
  if (!status.ok()) return status;
  ++entries_in_frame_;
  ++unflushed_;
  // The note of what was lost is in memory as well, and may itself be lost.
  noted_ += std::exchange(lost_, 0);
  return absl::OkStatus();
}

void Recorder::Flush() {
  if (file_ == nullptr) return;
  if (const absl::Status status = file_->Flush(); !status.ok()) {
    failed_at_ = last_now_;
    Fail(status);
    return;
  }
  Written();
}

void Recorder::Written() {
  unflushed_ = 0;
  const uint64_t noted = std::exchange(noted_, 0);
  failed_at_.reset();
  if (std::exchange(failing_, false)) {
    log_(LogLevel::kInfo,
         StrCat("journal: ", options_.file.path, ": recording goes on; ", noted, " entries were lost"));
  }
}

void Recorder::Close() {
  if (file_ == nullptr) return;
  if (lost_ > 0) static_cast<void>(TryNoteLoss());  // ignored: the file is closed with or without it
  if (const absl::Status status = file_->Close(); !status.ok()) Fail(status);
}

void Recorder::Fail(const absl::Status& status) {
  lost_ += std::exchange(unflushed_, 0) + std::exchange(noted_, 0);
  file_.reset();
  if (std::exchange(failing_, true)) return;
  log_(LogLevel::kError,
       StrCat("journal: ", MessageOf(status), "; decisions go on unrecorded, and recording is tried again"));
}

}  // namespace ballast::record
