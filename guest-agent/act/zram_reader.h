// What zram devices there are, and how they are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/os/file_reader.h"
#include "guest-agent/act/zram_profile_plan.h"

namespace ballast::agent {

// "zram0", "zram1", ...; at most 64.
[[nodiscard]] std::vector<std::string> ListZramDevices(const FileReader& files);

// Errors: the kernel's, or which text cannot be understood.
[[nodiscard]] absl::StatusOr<ZramState> ReadZramState(const FileReader& files, std::string_view device);

}  // namespace ballast::agent
