#include "host-bridge/record/header_codec.h"

#include <map>
#include <string_view>

#include "common/base/text.h"
#include "host-bridge/record/policy_fields.h"

namespace ballast::record {
namespace {

absl::Status DecodePolicy(const journal::v1::Header& header, JournalHeader& out) {
  std::map<std::string_view, int64_t> recorded;
  for (const journal::v1::PolicyValue& value : header.policy()) recorded[value.name()] = value.value();
  for (const PolicyField& field : PolicyFields()) {
    const auto found = recorded.find(field.name);
    if (found == recorded.end()) {
      out.notes.push_back(StrCat("'", field.name,
                                 "' was not recorded; replayed with this version's default, ",
                                 field.Get(out.policy)));
      continue;
    }
    if (!field.Set(found->second, out.policy)) {
      return absl::DataLossError(StrCat("ballast.journal.v1.Header.policy: ", field.name, " = ",
                                        found->second, " does not fit 32 bits"));
    }
    recorded.erase(found);
  }
  for (const auto& [name, value] : recorded) {
    out.notes.push_back(StrCat("'", name, "' = ", value, " was recorded; this version does not know it"));
  }
  return absl::OkStatus();
}

}  // namespace

journal::v1::Header EncodeHeader(const JournalHeader& header) {
  journal::v1::Header out;
  out.set_format_version(kRecordVersion);
  out.set_ballast_version(header.ballast_version);
  out.set_host_boot_id(header.host_boot_id);
  out.set_written_unix_ms(header.written_unix_ms);
  out.set_written_monotonic_ns(header.written_at.ns);
  out.set_dry_run(header.dry_run);
  for (const PolicyField& field : PolicyFields()) {
    journal::v1::PolicyValue& value = *out.add_policy();
    value.set_name(std::string(field.name));
    value.set_value(field.Get(header.policy));
  }
  for (const std::string& guest : header.guests) out.add_guests(guest);
  return out;
}

absl::StatusOr<JournalHeader> DecodeHeader(const journal::v1::Header& header) {
  if (header.format_version() != kRecordVersion) {
    return absl::UnimplementedError(
        StrCat("ballast.journal.v1.Header.format_version: ", header.format_version(),
               "; this program reads version ", kRecordVersion));
  }
  JournalHeader out;
  out.ballast_version = header.ballast_version();
  out.host_boot_id = header.host_boot_id();
  out.written_unix_ms = header.written_unix_ms();
  out.written_at = {header.written_monotonic_ns()};
  out.dry_run = header.dry_run();
  out.guests.assign(header.guests().begin(), header.guests().end());
  if (absl::Status status = DecodePolicy(header, out); !status.ok()) return status;
  return out;
}

}  // namespace ballast::record
