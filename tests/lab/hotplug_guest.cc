#include "tests/lab/hotplug_guest.h"

#include <grpcpp/create_channel_posix.h>

#include <sstream>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/lab/stream.h"

namespace ballast::lab {

absl::Status HotplugGuest::Connect() {
  const absl::Time deadline = absl::Now() + absl::Seconds(15);
  while (true) {
    auto stream = Stream::Connect(guest_.PortAddress(kAgentPort), absl::Now() + absl::Seconds(5));
    if (stream.ok()) {
      stub_ = guest::v1::GuestAgent::NewStub(
          grpc::CreateInsecureChannelFromFd("guest", stream->Release().Release()));
      if (Call(&guest::v1::GuestAgent::Stub::GetInfo, guest::v1::GetInfoRequest(), absl::Seconds(5)).ok()) {
        return absl::OkStatus();
      }
    }
    if (absl::Now() > deadline) return absl::DeadlineExceededError("the agent does not answer");
    absl::SleepFor(absl::Milliseconds(50));
  }
}

absl::Status HotplugGuest::PlugDimm(const std::string& name, int64_t mib) {
  const auto made = guest_.Qmp("object-add", {{"qom-type", "memory-backend-memfd"},
                                              {"id", name + "-memory"},
                                              {"size", mib * kMiB},
                                              {"share", true},
                                              {"reserve", false}});
  if (!made.ok()) return made.status();
  return guest_.Qmp("device_add", {{"driver", "pc-dimm"}, {"id", name}, {"memdev", name + "-memory"}})
      .status();
}

absl::Status HotplugGuest::RequestVirtioMem(int64_t bytes) {
  return guest_
      .Qmp("qom-set", {{"path", "/machine/peripheral/vm0"}, {"property", "requested-size"}, {"value", bytes}})
      .status();
}

absl::Status HotplugGuest::AskForDimm(const std::string& name) {
  return guest_.Qmp("device_del", {{"id", name}}).status();
}

bool HotplugGuest::HasDimm(const std::string& name) {
  const auto devices = guest_.Qmp("query-memory-devices");
  return devices.ok() && boost::json::serialize(*devices).find("\"" + name + "\"") != std::string::npos;
}

std::map<int64_t, std::string> HotplugGuest::Blocks() {
  // Only of online blocks: a kernel that is adding one dies of being asked for its zones.
  std::istringstream lines(
      Run("cd /sys/devices/system/memory; for b in memory*; do s=$(cat $b/state); "
          "[ $s = online ] && s=\"$s $(cat $b/valid_zones)\"; echo ${b#memory} $s; done"));
  std::map<int64_t, std::string> blocks;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    int64_t number = 0;
    std::string state;
    std::string zone;
    words >> number >> state >> zone;
    blocks[number] = state == "online" ? StrCat(state, " ", zone) : state;
  }
  return blocks;
}

bool HotplugGuest::Eventually(const std::function<bool(const std::map<int64_t, std::string>&)>& holds,
                              absl::Duration within) {
  const absl::Time deadline = absl::Now() + within;
  while (true) {
    if (holds(Blocks())) return true;
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(50));
  }
}

std::string HotplugGuest::Run(const std::string& command) {
  const auto result = guest_.Exec(command, absl::Seconds(30));
  return result.ok() && result->status == 0 ? result->output : "";
}

int64_t HotplugGuest::Meminfo(const std::string& name) {
  const std::string text = Run(StrCat("awk '/^", name, ":/{print $2}' /proc/meminfo"));
  return text.empty() ? -1 : std::stoll(text) * kKiB;
}

int64_t CountOf(const std::map<int64_t, std::string>& blocks, const std::string& state) {
  int64_t count = 0;
  for (const auto& [number, is] : blocks) count += is == state ? 1 : 0;
  return count;
}

}  // namespace ballast::lab
