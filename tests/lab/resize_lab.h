// A real guest, a real bridge and an operator who resizes the one through the other; and what QEMU and the
// guest say of it, each for itself.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/lab/bridge_process.h"
#include "tests/lab/lab_fixture.h"
#include "tests/lab/operator.h"

namespace ballast::lab {

class ResizeLab : public LabTest {
 protected:
  static constexpr int64_t kBlock = 128 * kMiB;  // of every lab guest

  void Begin(const GuestOptions& options, const std::string& guest_lines = "",
             const std::string& bridge_lines = "") {
    guest_ = Boot(options);
    ASSERT_NE(guest_, nullptr);
    guest_lines_ = guest_lines;
    bridge_lines_ = bridge_lines;
    boot_bytes_ = options.memory_mib * kMiB;
    ASSERT_NO_FATAL_FAILURE(StartBridge());
  }
  void StartBridge() {
    BridgeOptions options;
    options.directory = guest_->directory();
    options.name = StrCat("bridge-", ++bridges_);
    options.bridge_lines = StrCat("api = ", Socket(), "\n", bridge_lines_);
    options.guest_lines = guest_lines_;
    auto bridge = BridgeProcess::Start({guest_}, options);
    ASSERT_TRUE(bridge.ok()) << bridge.status();
    bridge_.emplace(*std::move(bridge));
    operator_.emplace(Socket());
    const absl::Status known = operator_->WaitUntilKnown(Name(), absl::Seconds(30));
    ASSERT_TRUE(known.ok()) << known << bridge_->Log();
  }
  void TearDown() override {
    if (HasFailure() && bridge_)
      std::fprintf(stderr, "--- the bridge's log\n%s---\n", bridge_->Log().c_str());
    bridge_.reset();
    LabTest::TearDown();
  }

  [[nodiscard]] std::string Socket() const { return guest_->directory() + "/api.sock"; }
  [[nodiscard]] const std::string& Name() const { return guest_->options().name; }
  int64_t NumberOf(const std::string& command) {
    const auto result = guest_->Exec(command);
    if (!result.ok()) return -1;
    EXPECT_EQ(result->status, 0) << command << ": " << result->output;
    return std::atoll(result->output.c_str());
  }
  // The guest's own count of what it uses, by its blocks. One that is on its way out may vanish meanwhile.
  int64_t OnlineBytes() {
    return NumberOf("cat /sys/devices/system/memory/memory*/state 2>/dev/null | grep -c ^online") * kBlock;
  }
  // QEMU's count: boot memory, what is plugged, less the balloon.
  int64_t SizeByQmp() {
    const auto summary = guest_->Qmp("query-memory-size-summary");
    const auto actual = guest_->BalloonActual();
    const auto devices = guest_->Qmp("query-memory-devices");
    if (!summary.ok() || !actual.ok() || !devices.ok()) return -1;
    const boost::json::object& numbers = summary->as_object();
    const int64_t plugged = numbers.at("plugged-memory").as_int64();
    int64_t dimms = 0;
    for (const auto& device : devices->as_array()) {
      if (device.at("type").as_string() == "dimm") dimms += device.at("data").at("size").as_int64();
    }
    const int64_t balloon = boot_bytes_ + dimms - *actual;
    return numbers.at("base-memory").as_int64() + plugged - balloon;
  }
  // What only a leak leaves: devices, and backends without one.
  std::vector<std::string> Backends() {
    std::vector<std::string> names;
    const auto objects = guest_->Qmp("qom-list", {{"path", "/objects"}});
    if (!objects.ok()) return {MessageOf(objects.status())};
    for (const auto& object : objects->as_array()) {
      const std::string name(object.at("name").as_string());
      if (name.starts_with("ballast-")) names.push_back(name);
    }
    return names;
  }
  int64_t NumberOfDimms() {
    const auto devices = guest_->Qmp("query-memory-devices");
    return devices.ok() ? static_cast<int64_t>(devices->as_array().size()) : -1;
  }
  // Resizes, and checks that all three agree about it.
  void ResizeAndCheck(int64_t bytes) {
    const auto resized = operator_->Resize(Name(), bytes);
    ASSERT_TRUE(resized.ok()) << resized.status();
    EXPECT_TRUE(resized->result.complete()) << resized->result.ShortDebugString();
    EXPECT_EQ(SizeByQmp(), bytes);
    EXPECT_EQ(OnlineBytes(), bytes);
    EXPECT_TRUE(operator_->WaitForSize(Name(), bytes, absl::Seconds(10)).ok());
  }

  Guest* guest_ = nullptr;
  std::string guest_lines_;
  std::string bridge_lines_;
  int64_t boot_bytes_ = 0;
  int bridges_ = 0;
  std::optional<BridgeProcess> bridge_;
  std::optional<Operator> operator_;
};

}  // namespace ballast::lab
