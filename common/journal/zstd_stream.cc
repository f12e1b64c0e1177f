#include "common/journal/zstd_stream.h"

#include <zstd.h>

#include <new>

#include "common/base/text.h"
#include "common/journal/format.h"

namespace ballast::journal {
namespace {

constexpr size_t kStep = size_t{64} << 10;
// Levels above it save 3 % of a journal and take twice the time.
constexpr int kLevel = 3;

}  // namespace

Compressor::Compressor() : context_(ZSTD_createCCtx()) {
  if (context_ == nullptr) throw std::bad_alloc();
  ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context_, ZSTD_c_windowLog, kWindowLog);
}

Compressor::~Compressor() { ZSTD_freeCCtx(context_); }

void Compressor::Begin() { ZSTD_CCtx_reset(context_, ZSTD_reset_session_only); }

absl::Status Compressor::Add(std::string_view data, Until until, std::string& out) {
  const ZSTD_EndDirective directive = until == Until::kMore    ? ZSTD_e_continue
                                      : until == Until::kFlush ? ZSTD_e_flush
                                                               : ZSTD_e_end;
  ZSTD_inBuffer in{data.data(), data.size(), 0};
  while (true) {
    const size_t before = out.size();
    out.resize(before + kStep);
    ZSTD_outBuffer to{out.data() + before, kStep, 0};
    const size_t left = ZSTD_compressStream2(context_, &to, &in, directive);
    out.resize(before + to.pos);
    if (ZSTD_isError(left) != 0) return absl::InternalError(StrCat("zstd: ", ZSTD_getErrorName(left)));
    const bool done = until == Until::kMore ? in.pos == in.size : left == 0;
    if (done) return absl::OkStatus();
  }
}

Decompressor::Decompressor() : context_(ZSTD_createDCtx()) {
  if (context_ == nullptr) throw std::bad_alloc();
  // A frame that asks for a larger window than any writer uses is refused before memory is taken for it.
  ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kWindowLog);
}

Decompressor::~Decompressor() { ZSTD_freeDCtx(context_); }

void Decompressor::Begin() { ZSTD_DCtx_reset(context_, ZSTD_reset_session_only); }

absl::Status Decompressor::Take(std::string_view& data, std::string& out) {
  const size_t before = out.size();
  out.resize(before + kStep);
  ZSTD_inBuffer in{data.data(), data.size(), 0};
  ZSTD_outBuffer to{out.data() + before, kStep, 0};
  const size_t left = ZSTD_decompressStream(context_, &to, &in);
  out.resize(before + to.pos);
  data.remove_prefix(in.pos);
  if (ZSTD_isError(left) != 0) return absl::DataLossError(StrCat("zstd: ", ZSTD_getErrorName(left)));
  if (in.pos == 0 && to.pos == 0 && !data.empty()) return absl::DataLossError("zstd: makes no progress");
  return absl::OkStatus();
}

}  // namespace ballast::journal
