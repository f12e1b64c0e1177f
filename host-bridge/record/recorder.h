// The bridge's journal: takes what the control loop decided and writes it down on a thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/base/time.h"
#include "common/journal/drop_queue.h"
#include "common/journal/journal_file.h"
#include "common/os/log.h"
#include "host-bridge/record/entry_codec.h"
#include "host-bridge/record/header_codec.h"

namespace ballast::record {

struct RecorderOptions {
  journal::JournalFileOptions file;
  // Written at the beginning of every file and of every run; the recorder sets both of its clocks.
  JournalHeader header;
  // A frame is what one damaged byte can cost, and where a reader may begin.
  int64_t frame_entries = 1000;
  Nanos frame_time = Seconds(60);
  // Between two attempts to write after a fault.
  Nanos retry_after = Seconds(5);
  // What may wait for the disk, in bytes.
  int64_t max_waiting_bytes = int64_t{64} << 20;
};

// Data reaches the kernel within half a second. A disk that is full, slow or gone costs entries, never time
// of the control loop: they are counted, the loss is logged once and noted in the journal, and recording goes
// on as soon as it can.
class Recorder {
 public:
  using LogSink = std::function<void(LogLevel, const std::string&)>;

  // Starts at once; a file that cannot be opened is a fault like any later one. `log` is called from the
  // recorder's thread.
  Recorder(RecorderOptions options, LogSink log);
  // Writes what waits and has the disk keep it.
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // What Decide was given and what it returned, and what was heard of OOM kills since the entry before. Never
  // waits: what cannot be kept is counted as lost.
  void Record(const policy::Snapshot& snapshot, MonotonicTime now, const policy::Outcome& outcome,
              const std::vector<policy::OomVerdict>& verdicts = {});

 private:
  void Run();
  void Write(RecordedEntry entry);
  [[nodiscard]] absl::Status TryWrite(RecordedEntry entry);
  [[nodiscard]] absl::Status TryOpen(MonotonicTime now);
  [[nodiscard]] absl::Status TryBeginFrame(MonotonicTime now);
  [[nodiscard]] absl::Status TryAppend(const journal::v1::Record& record);
  [[nodiscard]] absl::Status TryNoteLoss();
  void Flush();
  // All that was appended is in the file.
  void Written();
  void Close();
  // Gives the file up until the next attempt.
  void Fail(const absl::Status& status);

  const RecorderOptions options_;
  const LogSink log_;
  journal::DropQueue<RecordedEntry> queue_;

  // The thread's own.
  std::unique_ptr<journal::JournalFile> file_;
  EntryEncoder encoder_;
  std::string bytes_;
  bool header_due_ = true;
  int64_t entries_in_frame_ = 0;
  MonotonicTime frame_began_;
  uint64_t lost_ = 0;       // not yet noted in the journal
  uint64_t unflushed_ = 0;  // entries that a fault would take along, or most of them: all count as lost
  uint64_t noted_ = 0;      // noted, but the note is not flushed either
  bool failing_ = false;
  bool said_slow_ = false;
  MonotonicTime last_now_;
  std::optional<MonotonicTime> failed_at_;  // by the entries' clock

  std::thread thread_;
};

}  // namespace ballast::record
