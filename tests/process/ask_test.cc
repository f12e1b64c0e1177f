// `ballast-agent ask`, the command, against the real agent and a watcher that answers.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>

#include "ballast/guest/v1/guest_agent.grpc.pb.h"
#include "common/base/text.h"
#include "tests/process/rig.h"

namespace ballast::process {
namespace {

using ::testing::HasSubstr;

// Watches, and answers the first request for memory with a share of what was asked for.
class Granter {
 public:
  Granter(const std::string& socket, int64_t divisor)
      : stub_(guest::v1::GuestAgent::NewStub(
            grpc::CreateChannel("unix:" + socket, grpc::InsecureChannelCredentials()))) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    context_.set_wait_for_ready(true);
    reader_ = stub_->Watch(&context_, {});
    guest::v1::WatchResponse hello;
    ready_ = reader_->Read(&hello);
    thread_ = std::thread([this, divisor] { AnswerOne(divisor); });
  }
  ~Granter() {
    context_.TryCancel();
    thread_.join();
    (void)reader_->Finish();
  }

  [[nodiscard]] bool Ready() const { return ready_; }

 private:
  void AnswerOne(int64_t divisor) {
    guest::v1::WatchResponse message;
    while (reader_->Read(&message)) {
      if (!message.event().has_memory_request()) continue;
      grpc::ClientContext context;
      guest::v1::AnswerMemoryRequestRequest request;
      request.set_id(message.event().memory_request().id());
      request.mutable_answer()->set_granted_bytes(message.event().memory_request().bytes() / divisor);
      request.mutable_answer()->set_actuator("balloon");
      request.mutable_answer()->set_eta_ms(40);
      if (divisor > 1) request.mutable_answer()->set_reason("the host is short");
      guest::v1::AnswerMemoryRequestResponse response;
      EXPECT_TRUE(stub_->AnswerMemoryRequest(&context, request, &response).ok());
    }
  }

  std::unique_ptr<guest::v1::GuestAgent::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<guest::v1::WatchResponse>> reader_;
  bool ready_ = false;
  std::thread thread_;
};

struct Ran {
  int status = -1;
  std::string output;
};

Ran Ask(const Rig& rig, std::vector<std::string> arguments) {
  lab::ChildOptions child;
  child.argv = {BALLAST_AGENT, "ask", "--socket", rig.AgentSocket()};
  child.argv.insert(child.argv.end(), arguments.begin(), arguments.end());
  child.log_path = rig.Files().Path("ask.log");
  auto started = lab::ChildProcess::Start(child);
  if (!started.ok()) return {};
  const auto status = started->Wait(absl::Seconds(20));
  return {status.ok() ? *status : -1, lab::ReadWholeFile(child.log_path)};
}

TEST(Ask, AllThatWasAskedForIsGranted) {
  Rig rig;
  rig.StartAgent();
  const Granter granter(rig.AgentSocket(), 1);
  ASSERT_TRUE(granter.Ready());
  const Ran ran = Ask(rig, {"256MiB", "--urgency", "kill", "--deadline", "10s"});
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("granted 256MiB by balloon, here within 40 ms"));
  EXPECT_TRUE(rig.StopAgent());
}

TEST(Ask, APartHasAnExitCodeOfItsOwn) {
  Rig rig;
  rig.StartAgent();
  const Granter granter(rig.AgentSocket(), 4);
  ASSERT_TRUE(granter.Ready());
  const Ran ran = Ask(rig, {"256MiB", "--deadline", "10s", "--json"});
  EXPECT_EQ(ran.status, 3) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("\"granted_bytes\":67108864,\"actuator\":\"balloon\",\"eta_ms\":40,"
                                    "\"reason\":\"the host is short\"}"));
  EXPECT_TRUE(rig.StopAgent());
}

// A hook of an OOM daemon, as it is installed, with what it reads on standard input.
Ran RunHook(const Rig& rig, const std::string& hook, const std::string& input) {
  const std::string directory = rig.Files().Path("bin");
  std::filesystem::create_directories(directory);
  std::error_code exists;
  std::filesystem::create_symlink(BALLAST_AGENT, directory + "/ballast-agent", exists);
  lab::ChildOptions child;
  child.argv = {"bash", "-c",
                StrCat("set -o pipefail; PATH=", directory, ":$PATH; printf '", input, "' | ",
                       BALLAST_SOURCE_DIR, "/packaging/oom-daemons/", hook, " | tr '\\0' '|'")};
  child.environment = {{"BALLAST_SOCKET", rig.AgentSocket()}, {"BALLAST_ASK_DEADLINE", "10s"}};
  child.log_path = rig.Files().Path("hook.log");
  auto started = lab::ChildProcess::Start(child);
  if (!started.ok()) return {};
  const auto status = started->Wait(absl::Seconds(20));
  return {status.ok() ? *status : -1, lab::ReadWholeFile(child.log_path)};
}

TEST(AskHooks, SystemdOomdsHookAsksAndThenLetsItGoOn) {
  Rig rig;
  rig.StartAgent();
  const Granter granter(rig.AgentSocket(), 1);
  ASSERT_TRUE(granter.Ready());
  const Ran ran =
      RunHook(rig, "ballast-oomd-prekill",
              R"({"method":"io.systemd.oom.Prekill.Notify","parameters":{"cgroup":"/a.slice"}}\0)");
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("granted 256MiB by balloon"));
  EXPECT_THAT(ran.output, HasSubstr("{\"parameters\":{}}|"));
  const Ran other = RunHook(rig, "ballast-oomd-prekill", R"({"method":"io.systemd.oom.Other"}\0)");
  EXPECT_THAT(other.output, HasSubstr("org.varlink.service.MethodNotFound"));
  EXPECT_TRUE(rig.StopAgent());
}

TEST(AskHooks, ThePlainHookHasTheCommandsExitCode) {
  Rig rig;
  rig.StartAgent();
  const Granter granter(rig.AgentSocket(), 4);
  ASSERT_TRUE(granter.Ready());
  const Ran ran = RunHook(rig, "ballast-ask", "");
  EXPECT_EQ(ran.status, 3) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("granted 64MiB of 256MiB"));
  EXPECT_TRUE(rig.StopAgent());
}

TEST(Ask, WithoutAWatcherItFailsAtOnceAndSaysWhy) {
  Rig rig;
  rig.StartAgent();
  {
    const Granter present(rig.AgentSocket(), 1);  // so that the agent surely serves
    ASSERT_TRUE(present.Ready());
  }
  Ran ran;
  // The agent notices that a watcher left within half a second.
  for (int i = 0; i < 20 && ran.output.find("nobody watches") == std::string::npos; ++i) {
    ran = Ask(rig, {"256MiB", "--deadline", "100ms"});
    EXPECT_EQ(ran.status, 1) << ran.output;
  }
  EXPECT_THAT(ran.output, HasSubstr("nobody watches this guest"));
  EXPECT_TRUE(rig.StopAgent());
}

}  // namespace
}  // namespace ballast::process
