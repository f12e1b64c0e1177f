// What a run of the bridge says of itself at the beginning of its journal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ballast/journal/v1/journal.pb.h"
#include "common/base/time.h"
#include "host-bridge/policy/policy_config.h"

namespace ballast::record {

inline constexpr uint32_t kRecordVersion = 1;

struct JournalHeader {
  std::string ballast_version;
  std::string host_boot_id;
  // The same moment on two clocks: since 1970, and as in the entries.
  int64_t written_unix_ms = 0;
  MonotonicTime written_at;
  bool dry_run = false;
  policy::PolicyConfig policy;
  std::vector<std::string> guests;
  // What this program's policy and the recorded one do not have in common, a sentence each: numbers unknown
  // here, and numbers that were not recorded and have their default.
  std::vector<std::string> notes;
};

[[nodiscard]] journal::v1::Header EncodeHeader(const JournalHeader& header);
// Errors: a version that this program does not read, a number that does not fit.
[[nodiscard]] absl::StatusOr<JournalHeader> DecodeHeader(const journal::v1::Header& header);

}  // namespace ballast::record
