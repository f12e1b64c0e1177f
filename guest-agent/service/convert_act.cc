#include "guest-agent/service/convert_act.h"

#include <algorithm>

#include "common/base/text.h"
#include "guest-agent/sensors/zram_plan.h"

namespace ballast::agent {
namespace {

constexpr int64_t kMaxReclaimBytes = int64_t{1} << 50;
constexpr int32_t kDefaultBrake = 100;
constexpr size_t kMaxName = 64;  // of a device or an algorithm; the kernel's are shorter

absl::Status CheckName(std::string_view field, std::string_view name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (plain && name.size() <= kMaxName) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat(field, " is '", name.substr(0, kMaxName), "'; allowed: at most ",
                                           kMaxName, " letters, digits, - and _"));
}

void FillDevice(const ZramState& state, guest::v1::ZramDevice& wire) {
  wire.set_name(state.name);
  wire.set_disksize_bytes(state.disksize_bytes);
  wire.set_algorithm(state.algorithm);
  wire.set_original_bytes(state.memory.original_bytes);
  wire.set_compressed_bytes(state.memory.compressed_bytes);
  wire.set_memory_used_bytes(state.memory.memory_used_bytes);
  wire.set_memory_limit_bytes(state.memory.memory_limit_bytes);
  wire.set_same_pages(state.memory.same_pages);
  wire.set_incompressible_pages(state.memory.incompressible_pages);
  const ZramOutlook outlook = OutlookAt(state.disksize_bytes, state.memory, state.page_size_bytes);
  wire.set_fill_permyriad(outlook.fill_permyriad);
  if (outlook.ratio_permille) wire.set_ratio_permille(*outlook.ratio_permille);
  wire.set_incompressible_permyriad(outlook.incompressible_permyriad);
}

}  // namespace

guest::v1::Stop ToWire(Stop stop) {
  switch (stop) {
    case Stop::kDone:
      return guest::v1::STOP_DONE;
    case Stop::kExhausted:
      return guest::v1::STOP_EXHAUSTED;
    case Stop::kPressure:
      return guest::v1::STOP_PRESSURE;
    case Stop::kDeadline:
      return guest::v1::STOP_DEADLINE;
    case Stop::kCancelled:
      return guest::v1::STOP_CANCELLED;
  }
  return guest::v1::STOP_UNSPECIFIED;
}

absl::StatusOr<ReclaimWish> ToWish(const guest::v1::ReclaimRequest& request) {
  if (request.bytes() < 1 || request.bytes() > kMaxReclaimBytes) {
    return absl::InvalidArgumentError(StrCat("bytes is ", request.bytes(), "; allowed: 1..2^50"));
  }
  return ReclaimWish{request.bytes(), request.cgroup(), request.cache_only()};
}

absl::StatusOr<ZramWish> ToWish(const guest::v1::ConfigureZramRequest& request) {
  ZramWish wish;
  auto status = CheckName("device", request.device());
  status.Update(CheckName("algorithm", request.algorithm()));
  if (!status.ok()) return status;
  wish.device = request.device();
  if (request.has_size_permyriad()) wish.size_permyriad = request.size_permyriad();
  if (request.has_algorithm()) wish.algorithm = request.algorithm();
  if (request.has_memory_limit_bytes()) wish.memory_limit_bytes = request.memory_limit_bytes();
  wish.write_back_incompressible = request.write_back_incompressible();
  wish.recompress = request.recompress();
  return wish;
}

absl::StatusOr<int32_t> ToSwappiness(const guest::v1::SetSwappinessRequest& request) {
  if (request.swappiness() >= 0 && request.swappiness() <= 200) return request.swappiness();
  return absl::InvalidArgumentError(StrCat("swappiness is ", request.swappiness(), "; allowed: 0..200"));
}

absl::StatusOr<int32_t> ToBrake(int32_t brake_permyriad) {
  if (brake_permyriad == 0) return kDefaultBrake;
  if (brake_permyriad >= 1 && brake_permyriad <= 10'000) return brake_permyriad;
  return absl::InvalidArgumentError(
      StrCat("brake_permyriad is ", brake_permyriad, "; allowed: 0 (default) or 1..10000"));
}

void FillResult(const ReclaimResult& result, guest::v1::ReclaimResponse& response) {
  response.set_reclaimed_bytes(result.reclaimed_bytes);
  response.set_available_change_bytes(result.available_change_bytes);
  response.set_stop(ToWire(result.stop));
  response.set_method(result.method);
  response.set_duration_ms(result.took.count / kNanosPerMilli);
}

void FillResult(const CompactResult& result, guest::v1::CompactResponse& response) {
  response.set_free_blocks_before(result.free_blocks_before);
  response.set_free_blocks_after(result.free_blocks_after);
  response.set_block_bytes(result.block_bytes);
  response.set_stop(ToWire(result.stop));
  response.set_duration_ms(result.took.count / kNanosPerMilli);
}

void FillResult(const ZramResult& result, guest::v1::ConfigureZramResponse& response) {
  FillDevice(result.device, *response.mutable_device());
  response.set_freed_bytes(result.freed_bytes);
  for (const std::string& step : result.done) response.add_done(step);
  for (const std::string& step : result.skipped) response.add_skipped(step);
  response.set_stop(ToWire(result.stop));
}

void FillResult(const SwappinessResult& result, guest::v1::SetSwappinessResponse& response) {
  response.set_before(result.before);
  response.set_after(result.after);
}

}  // namespace ballast::agent
