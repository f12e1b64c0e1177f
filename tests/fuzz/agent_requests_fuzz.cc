// The agent's wire input beside Watch: acts, requests for memory and for its blocks. The first byte says
// which message the others are. What is accepted is in the ranges that guest_agent.proto promises.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "ballast/guest/v1/guest_agent.pb.h"
#include "guest-agent/service/convert_act.h"
#include "guest-agent/service/convert_ask.h"
#include "guest-agent/service/convert_blocks.h"

namespace {

namespace wire = ballast::guest::v1;

void Require(bool holds) {
  if (!holds) std::abort();
}

template <typename Message>
bool Parse(const uint8_t* data, size_t size, Message& message) {
  return message.ParseFromArray(data, static_cast<int>(size));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  wire::ReclaimRequest reclaim;
  wire::ConfigureZramRequest zram;
  wire::SetSwappinessRequest swappiness;
  wire::RequestMemoryRequest memory;
  wire::RequestMemoryResponse grant;
  wire::OnlineMemoryRequest online;
  wire::OfflineMemoryRequest offline;
  switch (data[0] % 7) {
    case 0:
      if (Parse(data + 1, size - 1, reclaim)) (void)ballast::agent::ToWish(reclaim);
      break;
    case 1:
      if (Parse(data + 1, size - 1, zram)) (void)ballast::agent::ToWish(zram);
      break;
    case 2:
      if (Parse(data + 1, size - 1, swappiness)) {
        const auto value = ballast::agent::ToSwappiness(swappiness);
        Require(!value.ok() || (*value >= 0 && *value <= 200));
      }
      break;
    case 3:
      if (Parse(data + 1, size - 1, memory)) (void)ballast::agent::ToRequest(memory);
      break;
    case 4:
      if (Parse(data + 1, size - 1, grant)) ballast::agent::FillGrant(ballast::agent::ToGrant(grant), grant);
      break;
    case 5:
      if (Parse(data + 1, size - 1, online)) {
        const auto wish = ballast::agent::ToWish(online);
        Require(!wish.ok() || (wish->ranges.size() <= 256 && wish->bytes >= 0));
        if (wish.ok()) (void)ballast::agent::LiesWithin(32, int64_t{1} << 27, wish->ranges);
      }
      break;
    case 6:
      if (Parse(data + 1, size - 1, offline)) {
        const auto wish = ballast::agent::ToWish(offline);
        Require(!wish.ok() || (wish->ranges.size() <= 256 && wish->put_back_after.count >= 0));
      }
      break;
  }
  return 0;
}
