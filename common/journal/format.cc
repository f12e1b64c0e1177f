#include "common/journal/format.h"

#include "common/journal/crc32c.h"

namespace ballast::journal {
namespace {

void AppendU32(uint32_t value, std::string& out) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift & 0xFF));
}

}  // namespace

uint32_t ReadU32(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value |= uint32_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  return value;
}

void AppendVarint(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

std::string MakeFileHeader() {
  std::string header(kMagic);
  AppendU32(kVersion, header);
  return header;
}

std::string MakeBlock(uint8_t flags, std::string_view payload) {
  std::string block = {'B', 'J', static_cast<char>(flags), 0};
  AppendU32(static_cast<uint32_t>(payload.size()), block);
  AppendU32(Crc32c(payload, Crc32c(block)), block);
  block.append(payload);
  return block;
}

std::optional<BlockHeader> ParseBlockHeader(std::string_view bytes) {
  if (bytes[0] != 'B' || bytes[1] != 'J' || bytes[3] != 0) return std::nullopt;
  BlockHeader header;
  header.flags = static_cast<uint8_t>(bytes[2]);
  header.length = ReadU32(bytes.substr(4));
  header.crc = ReadU32(bytes.substr(8));
  if ((header.flags & ~kBeginsFrame) != 0 || header.length == 0 || header.length > kMaxPayloadBytes) {
    return std::nullopt;
  }
  return header;
}

bool ChecksumHolds(std::string_view header_bytes, std::string_view payload) {
  return Crc32c(payload, Crc32c(header_bytes.substr(0, 8))) == ReadU32(header_bytes.substr(8));
}

}  // namespace ballast::journal
