// The file around a journal's records. Numbers are little-endian.
//
//   file   = "BALLASTJ" version:u32 block*
//   block  = 'B' 'J' flags:u8 0:u8 length:u32 crc:u32 payload        length: of the payload, 1..65536
//   frame  = the payloads of a block with kBeginsFrame and of the blocks after it without that flag: one zstd
//            frame, cut where it was flushed
//   record = length:varint bytes                                      a frame's contents are records
//
// `crc` is the CRC-32C of the eight bytes before it and the payload. A frame stands for itself: when a block
// is damaged, reading goes on at the next one that begins a frame. A program that dies leaves at worst one
// block cut short at the end; the next one appends a new frame after it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ballast::journal {

inline constexpr std::string_view kMagic = "BALLASTJ";
inline constexpr uint32_t kVersion = 1;
inline constexpr size_t kFileHeaderBytes = 12;
inline constexpr size_t kBlockHeaderBytes = 12;
// Small enough to look for the next good block at every byte, large enough that its header costs nothing.
inline constexpr size_t kMaxPayloadBytes = size_t{64} << 10;
// A full entry of 10,000 guests has 3 MB. A reader never holds more than one record and a bit.
inline constexpr size_t kMaxRecordBytes = size_t{8} << 20;
// zstd's window: what a reader must keep of a frame. Entries resemble the few before them.
inline constexpr int kWindowLog = 18;

inline constexpr uint8_t kBeginsFrame = 1;

struct BlockHeader {
  uint8_t flags = 0;
  uint32_t length = 0;
  uint32_t crc = 0;
};

[[nodiscard]] std::string MakeFileHeader();
// The whole block, header and payload.
[[nodiscard]] std::string MakeBlock(uint8_t flags, std::string_view payload);
// Unset when these are not the first bytes of a block. `bytes` has at least kBlockHeaderBytes.
[[nodiscard]] std::optional<BlockHeader> ParseBlockHeader(std::string_view bytes);
[[nodiscard]] bool ChecksumHolds(std::string_view header_bytes, std::string_view payload);

[[nodiscard]] uint32_t ReadU32(std::string_view bytes);
void AppendVarint(uint64_t value, std::string& out);

}  // namespace ballast::journal
