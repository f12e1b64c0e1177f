// What the agent does in a real guest when it is asked to, measured by the guest's own kernel.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel_posix.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <thread>

#include "absl/time/clock.h"
#include "ballast/guest/v1/guest_agent.grpc.pb.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "common/kernel/buddyinfo_parser.h"
#include "common/transport/socket.h"
#include "tests/lab/lab_fixture.h"

namespace ballast::lab {
namespace {

using guest::v1::GuestAgent;
using ::testing::Contains;
using ::testing::HasSubstr;

// Through the VMM's hybrid socket, or the kernel's vsock; nothing while nobody listens.
UniqueFd Dial(const Address& address) {
  if (const auto* vsock = std::get_if<VsockAddress>(&address)) {
    auto fd = StartConnectVsock(vsock->cid, vsock->port);
    return fd.ok() ? *std::move(fd) : UniqueFd();
  }
  const auto& hybrid = std::get<HybridAddress>(address);
  auto fd = StartConnectUnix(hybrid.path);
  if (!fd.ok()) return UniqueFd();
  const int flags = ::fcntl(fd->Get(), F_GETFL);
  ::fcntl(fd->Get(), F_SETFL, flags & ~O_NONBLOCK);
  const std::string wish = StrCat("CONNECT ", hybrid.port, "\n");
  std::string line;
  char c = 0;
  if (::write(fd->Get(), wish.data(), wish.size()) < 0) return UniqueFd();
  while (c != '\n' && line.size() < 32 && ::read(fd->Get(), &c, 1) == 1) line += c;
  ::fcntl(fd->Get(), F_SETFL, flags);
  return line.starts_with("OK ") ? *std::move(fd) : UniqueFd();
}

class ActsTest : public LabTest {
 protected:
  void Boot(int64_t zram_mib) {
    // Free page reporting takes whole free blocks aside for a moment, and they are counted here.
    guest_ = LabTest::Boot({.name = "acts",
                            .memory_mib = 768,
                            .free_page_reporting = false,
                            .zram_mib = zram_mib,
                            .disk_mib = 512});
    ASSERT_NE(guest_, nullptr);
    for (int i = 0; i < 100 && stub_ == nullptr; ++i) {
      UniqueFd fd = Dial(guest_->PortAddress(kAgentPort));
      if (fd.IsOpen()) {
        stub_ = GuestAgent::NewStub(grpc::CreateInsecureChannelFromFd("guest", fd.Release()));
      } else {
        absl::SleepFor(absl::Milliseconds(50));
      }
    }
    ASSERT_NE(stub_, nullptr) << "the agent does not listen";
  }

  // One call of the agent; the status is checked.
  template <typename Request, typename Response>
  Response Call(grpc::Status (GuestAgent::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(25));
    Response response;
    const auto status = ((*stub_).*method)(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  std::string Run(const std::string& command) {
    const auto result = guest_->Exec(command, absl::Seconds(60));
    EXPECT_TRUE(result.ok()) << result.status();
    if (!result.ok()) return "";
    EXPECT_EQ(result->status, 0) << command << ": " << result->output;
    return result->output;
  }

  int64_t Number(const std::string& command) {
    const std::string text = Run(command);
    int64_t number = -1;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }

  int64_t StolenBytes() {
    return Number("awk '/^pgsteal_(anon|file) /{n+=$2} END{print n}' /proc/vmstat") * 4096;
  }
  int64_t Cached() { return Number("awk '/^(Buffers|Cached):/{n+=$2} END{print n}' /proc/meminfo") * kKiB; }
  int64_t Anon() { return Number("awk '/^AnonPages/{print $2}' /proc/meminfo") * kKiB; }
  int64_t Scanned() { return Number("awk '/^compact_migrate_scanned /{print $2}' /proc/vmstat"); }
  int64_t SwapUsedKib() { return Number("awk '/zram0/{print $4}' /proc/swaps"); }

  // `ballast-agent ask` in the guest, with a watcher out here that grants three quarters.
  void AskAndAnswer() {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    const auto watch = stub_->Watch(&context, {});
    guest::v1::WatchResponse message;
    ASSERT_TRUE(watch->Read(&message));
    auto asking = guest_->ExecAsync("ballast-agent ask 64MiB --urgency kill --deadline 20s --asker lab");
    ASSERT_TRUE(asking.ok()) << asking.status();
    while (watch->Read(&message) && !message.event().has_memory_request()) {
    }
    const auto& asked = message.event().memory_request();
    EXPECT_EQ(asked.bytes(), 64 * kMiB);
    EXPECT_EQ(asked.urgency(), guest::v1::URGENCY_KILL);
    EXPECT_EQ(asked.asker(), "lab");
    guest::v1::AnswerMemoryRequestRequest answer;
    answer.set_id(asked.id());
    answer.mutable_answer()->set_granted_bytes(48 * kMiB);
    answer.mutable_answer()->set_actuator("balloon");
    answer.mutable_answer()->set_reason("the host has no more");
    Call(&GuestAgent::Stub::AnswerMemoryRequest, answer);
    const auto ended = asking->Wait(absl::Seconds(20));
    ASSERT_TRUE(ended.ok()) << ended.status();
    EXPECT_EQ(ended->status, 3) << ended->output;
    EXPECT_THAT(ended->output, HasSubstr("granted 48MiB of 64MiB by balloon"));
    context.TryCancel();
  }

  Guest* guest_ = nullptr;
  std::unique_ptr<GuestAgent::Stub> stub_;
};

TEST_F(ActsTest, ColdCacheIsReclaimedBlocksAreCountedAndAToolIsAnswered) {
  ASSERT_NO_FATAL_FAILURE(Boot(0));
  // Read and written at once: pages of the cache lie among the program's. The cache of a block device lives
  // as long as somebody has it open.
  auto reader = guest_->ExecAsync("lab-guest cache --mib 300 --rate-mib-s 150 --hold-ms 60000");
  auto writer = guest_->ExecAsync("lab-guest hog --mib 200 --rate-mib-s 100 --chunk-kib 256 --hold-ms 60000");
  ASSERT_TRUE(reader.ok() && writer.ok());
  for (int i = 0; i < 100 && (Cached() < 300 * kMiB || Anon() < 200 * kMiB); ++i) {
    absl::SleepFor(absl::Milliseconds(200));
  }
  const int64_t stolen_before = StolenBytes();
  const int64_t free_before = Number("awk '/^MemFree/{print $2}' /proc/meminfo") * kKiB;
  guest::v1::ReclaimRequest reclaim;
  reclaim.set_bytes(200 * kMiB);
  reclaim.set_brake_permyriad(10'000);  // an emulated guest may stall for a moment, and rightly be left alone
  const auto reclaimed = Call(&GuestAgent::Stub::Reclaim, reclaim);
  const int64_t stolen = StolenBytes() - stolen_before;
  const int64_t freed = Number("awk '/^MemFree/{print $2}' /proc/meminfo") * kKiB - free_before;
  EXPECT_EQ(reclaimed.stop(), guest::v1::STOP_DONE);
  EXPECT_EQ(reclaimed.method(), "memory.reclaim");
  EXPECT_GE(reclaimed.reclaimed_bytes(), 200 * kMiB);
  EXPECT_LE(reclaimed.reclaimed_bytes(), stolen) << "the kernel's own count, a little later";
  EXPECT_GE(reclaimed.reclaimed_bytes(), stolen - 16 * kMiB);
  EXPECT_GE(freed, 150 * kMiB) << "what was taken is free";

  const int64_t scanned_before = Scanned();
  const auto blocks_before = kernel::ParseFreeBlocks(Run("cat /proc/buddyinfo"), 9);
  ASSERT_TRUE(blocks_before.ok()) << blocks_before.status();
  const auto compacted = Call(&GuestAgent::Stub::Compact, guest::v1::CompactRequest());
  const auto blocks = kernel::ParseFreeBlocks(Run("cat /proc/buddyinfo"), 9);
  ASSERT_TRUE(blocks.ok()) << blocks.status();
  EXPECT_EQ(compacted.stop(), guest::v1::STOP_DONE);
  EXPECT_EQ(compacted.block_bytes(), 2 * kMiB);
  EXPECT_GT(Scanned(), scanned_before) << "the kernel did look for pages to move";
  // How many whole blocks that gives is the kernel's business: this one often ends after a few megabytes.
  // Meanwhile the processors' own lists are emptied into them, some 20 at once: so between the kernel's
  // figures right before and right after.
  EXPECT_GE(compacted.free_blocks_after(), std::min(*blocks_before, *blocks) - 4);
  EXPECT_LE(compacted.free_blocks_after(), std::max(*blocks_before, *blocks) + 4);
  EXPECT_GE(compacted.free_blocks_after(), compacted.free_blocks_before() - 4);

  ASSERT_NO_FATAL_FAILURE(AskAndAnswer());
}

TEST_F(ActsTest, ZramIsResizedWithDataInItAndNothingIsLost) {
  ASSERT_NO_FATAL_FAILURE(Boot(128));
  auto hog = guest_->ExecAsync("lab-guest hog --mib 150 --random-percent 30 --hold-ms 12000");
  ASSERT_TRUE(hog.ok()) << hog.status();
  for (int i = 0; i < 50 && Anon() < 150 * kMiB; ++i) absl::SleepFor(absl::Milliseconds(200));
  guest::v1::ReclaimRequest reclaim;
  reclaim.set_bytes(80 * kMiB);
  EXPECT_GT(Call(&GuestAgent::Stub::Reclaim, reclaim).reclaimed_bytes(), 32 * kMiB);
  EXPECT_GT(SwapUsedKib(), 16 * 1024) << "there is something to lose";
  guest::v1::ConfigureZramRequest configure;
  configure.set_size_permyriad(5'000);
  configure.set_memory_limit_bytes(200 * kMiB);
  const auto configured = Call(&GuestAgent::Stub::ConfigureZram, configure);
  EXPECT_EQ(configured.stop(), guest::v1::STOP_DONE);
  EXPECT_THAT(configured.done(), Contains("swapoff"));
  EXPECT_THAT(configured.done(), Contains("swapon"));
  EXPECT_GT(configured.device().disksize_bytes(), 300 * kMiB);
  EXPECT_EQ(configured.device().memory_limit_bytes(), 200 * kMiB);
  EXPECT_EQ(Number("cat /sys/block/zram0/disksize"), configured.device().disksize_bytes());
  EXPECT_GT(Number("awk '/zram0/{print $3}' /proc/swaps"), 300 * 1024);
  const auto ended = hog->Wait(absl::Seconds(40));
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_EQ(ended->status, 0) << "every word is still there: " << ended->output;

  guest::v1::SetSwappinessRequest swappiness;
  swappiness.set_swappiness(180);
  const auto set = Call(&GuestAgent::Stub::SetSwappiness, swappiness);
  EXPECT_EQ(set.before(), 60);
  EXPECT_EQ(set.after(), 180);
  EXPECT_EQ(Number("cat /proc/sys/vm/swappiness"), 180);

  grpc::ClientContext outside;
  guest::v1::RequestMemoryRequest request;
  request.set_bytes(kMiB);
  guest::v1::RequestMemoryResponse response;
  EXPECT_EQ(stub_->RequestMemory(&outside, request, &response).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

}  // namespace
}  // namespace ballast::lab
