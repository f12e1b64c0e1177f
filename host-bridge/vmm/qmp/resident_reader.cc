#include "host-bridge/vmm/qmp/resident_reader.h"

#include <algorithm>
#include <optional>

#include "common/base/text.h"
#include "common/kernel/process_memory_parser.h"
#include "host-bridge/vmm/qmp/qmp_parser.h"

namespace ballast::vmm::qmp {

void ResidentReader::Begin(Client& client, Nanos timeout) {
  emulated_ = std::make_shared<bool>(true);
  const auto take = [emulated = emulated_](const absl::StatusOr<boost::json::value>& result, MonotonicTime) {
    if (result.ok()) *emulated = !ParseKvmEnabled(*result).value_or(false);
  };
  // Refused or not sent: it counts as emulated, and nothing is concluded from private memory.
  client.Call("query-kvm", {}, timeout, take).IgnoreError();
}

Maybe<int64_t> ResidentReader::Read(Client& client, int64_t other_bytes) const {
  const std::optional<pid_t> pid = client.Peer();
  if (!pid) return {};
  const absl::StatusOr<std::string> text = files_.Read(StrCat("/proc/", *pid, "/status"));
  if (!text.ok()) return {};
  const absl::StatusOr<kernel::ProcessMemory> memory = kernel::ParseProcessMemory(*text);
  if (!memory.ok()) return {};
  int64_t bytes = std::max(memory->shared_bytes, memory->huge_tlb_bytes);
  if (!*emulated_) bytes = std::max(bytes, memory->anon_bytes);
  return std::max<int64_t>(0, bytes - std::max<int64_t>(0, other_bytes));
}

}  // namespace ballast::vmm::qmp
