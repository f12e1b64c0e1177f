// CRC-32C (Castagnoli), which finds every error burst of up to 32 bits. Not a protection against forgery.
#pragma once

#include <cstdint>
#include <string_view>

namespace ballast::journal {

// The checksum of `data`, or, with the checksum of what came before it, of both together.
[[nodiscard]] uint32_t Crc32c(std::string_view data, uint32_t before = 0);

}  // namespace ballast::journal
