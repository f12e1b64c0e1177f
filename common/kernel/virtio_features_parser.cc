#include "common/kernel/virtio_features_parser.h"

#include "absl/status/status.h"
#include "common/base/text.h"

namespace ballast::kernel {
namespace {

constexpr size_t kStatsBit = 1;
constexpr size_t kDeflateOnOomBit = 2;
constexpr size_t kFreePageHintBit = 3;
constexpr size_t kReportingBit = 5;
constexpr size_t kMinBits = kReportingBit + 1;
constexpr size_t kMaxBits = 1024;

}  // namespace

absl::StatusOr<BalloonFeatures> ParseBalloonFeatures(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.size() < kMinBits || text.size() > kMaxBits) {
    return absl::InvalidArgumentError(
        StrCat("virtio features: ", text.size(), " characters, not ", kMinBits, " to ", kMaxBits));
  }
  if (text.find_first_not_of("01") != std::string_view::npos) {
    return absl::InvalidArgumentError("virtio features: a character is neither 0 nor 1");
  }
  return BalloonFeatures{.stats = text[kStatsBit] == '1',
                         .deflate_on_oom = text[kDeflateOnOomBit] == '1',
                         .free_page_hint = text[kFreePageHintBit] == '1',
                         .free_page_reporting = text[kReportingBit] == '1'};
}

}  // namespace ballast::kernel
