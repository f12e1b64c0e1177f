// Where a new DIMM goes in the guest's address space.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "host-bridge/vmm/qmp/qmp_device_parser.h"

namespace ballast::vmm::qmp {

// Linux refuses a DIMM that does not begin where one of its memory blocks does. QEMU takes the first gap it
// finds, whose beginning is that of the space for devices (a whole GiB, and whole blocks: Linux makes them no
// larger than the end of the boot memory allows) or the end of another device. Absent: QEMU may choose, since
// each of `taken` is made of whole units. Otherwise the lowest address that is a multiple of `unit`, not
// below the first of `taken`, and free for `bytes`. `unit` > 0; `taken`: by address.
[[nodiscard]] std::optional<int64_t> DimmAddress(const std::vector<Extent>& taken, int64_t bytes,
                                                 int64_t unit);

}  // namespace ballast::vmm::qmp
