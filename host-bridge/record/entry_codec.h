// Decisions as journal entries and back. Each entry says what changed since the one before.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "ballast/journal/v1/journal.pb.h"
#include "common/base/time.h"
#include "host-bridge/policy/oom_verdict.h"
#include "host-bridge/policy/outcome.h"
#include "host-bridge/policy/snapshot.h"

namespace ballast::record {

// More guests than any host runs; a journal that claims more is not believed.
inline constexpr uint32_t kMaxGuests = 65'536;

// What Decide was given and what it returned.
struct RecordedEntry {
  MonotonicTime now;
  policy::Snapshot snapshot;
  policy::Outcome outcome;                        // one history a guest
  std::vector<policy::OomVerdict> verdicts = {};  // heard since the entry before

  friend bool operator==(const RecordedEntry&, const RecordedEntry&) = default;
};

class EntryEncoder {
 public:
  // `full`: the result can be read without those before it. The first one always is.
  [[nodiscard]] journal::v1::Entry Encode(RecordedEntry entry, bool full);

 private:
  bool started_ = false;
  policy::Snapshot last_;  // as decided on, with the histories the decision left
};

class EntryDecoder {
 public:
  // Errors name the field and what would be right; then only a full entry can follow.
  [[nodiscard]] absl::Status Decode(const journal::v1::Entry& entry, RecordedEntry& out);
  // What follows is not the next one: only a full entry will do.
  void Forget() { started_ = false; }

 private:
  bool started_ = false;
  policy::Snapshot last_;
};

}  // namespace ballast::record
