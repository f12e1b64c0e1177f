#include "host-bridge/vmm/qmp/dimm_address.h"

#include <algorithm>

namespace ballast::vmm::qmp {
namespace {

int64_t Up(int64_t address, int64_t unit) { return (address + unit - 1) / unit * unit; }

}  // namespace

std::optional<int64_t> DimmAddress(const std::vector<Extent>& taken, int64_t bytes, int64_t unit) {
  const bool whole = std::all_of(taken.begin(), taken.end(), [unit](const Extent& extent) {
    return extent.address % unit == 0 && extent.bytes % unit == 0;
  });
  if (whole) return std::nullopt;
  int64_t address = Up(taken.front().address, unit);
  for (const Extent& extent : taken) {
    if (extent.address - address >= bytes) break;
    address = std::max(address, Up(extent.address + extent.bytes, unit));
  }
  return address;
}

}  // namespace ballast::vmm::qmp
