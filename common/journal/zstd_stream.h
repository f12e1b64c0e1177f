// zstd's streams with their two promises: bounded memory, and output that can be read so far after a flush.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace ballast::journal {

class Compressor {
 public:
  enum class Until { kMore, kFlush, kEnd };

  Compressor();
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  // A new frame; what was not ended is forgotten.
  void Begin();
  // Appends to `out` what has become of `data` and all before it. kFlush: all of it can be read from there;
  // kEnd: and the frame ends.
  [[nodiscard]] absl::Status Add(std::string_view data, Until until, std::string& out);

 private:
  ZSTD_CCtx_s* context_;
};

class Decompressor {
 public:
  Decompressor();
  ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  void Begin();
  // Takes some of `data` (removing it) and appends at most 64 KiB to `out`. `data` empty and nothing
  // appended: there is no more. Errors: zstd's words.
  [[nodiscard]] absl::Status Take(std::string_view& data, std::string& out);

 private:
  ZSTD_DCtx_s* context_;
};

}  // namespace ballast::journal
