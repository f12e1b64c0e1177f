// The operators' API over its real socket: who may open it, what is listed and watched, and how a resize is
// told.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "common/base/text.h"
#include "common/base/units.h"
#include "host-bridge/api/api_server.h"
#include "host-bridge/api/convert_status.h"

namespace ballast::api {
namespace {

namespace wire = ballast::bridge::v1;
using ::testing::HasSubstr;

control::GuestStatus Guest(const std::string& name, int64_t size) {
  control::GuestStatus status;
  status.name = name;
  status.state = policy::GuestState::kComfortable;
  status.vmm =
      control::SizeStatus{.size_bytes = size, .boot_bytes = size, .balloon_bytes = 0, .running = true};
  return status;
}

class ApiTest : public ::testing::Test {
 protected:
  ApiTest()
      : path_(StrCat(std::filesystem::temp_directory_path().string(), "/ballast-api-", ::getpid())),
        service_(board_, resizes_, wakeup_, clock_) {}
  ~ApiTest() override {
    board_.Close();
    server_.reset();
    loop_ = {};
    std::filesystem::remove(path_);
  }
  void Serve() {
    auto server = ApiServer::Start(service_, path_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = wire::Bridge::NewStub(grpc::CreateChannel("unix:" + path_, grpc::InsecureChannelCredentials()));
  }
  // A control thread that treats each wish like this.
  void Treat(std::function<void(control::ResizeTicket&)> treat) {
    loop_ = std::jthread([this, treat = std::move(treat)](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        for (const auto& ticket : resizes_.Take()) treat(*ticket);
        wakeup_.Wait(Milliseconds(10));
      }
    });
  }

  const std::string path_;
  SystemClock clock_;
  control::StatusBoard board_;
  control::ResizeBox resizes_;
  control::Wakeup wakeup_;
  BridgeService service_;
  std::unique_ptr<ApiServer> server_;
  std::unique_ptr<wire::Bridge::Stub> stub_;
  std::jthread loop_;
};

TEST_F(ApiTest, OnlyTheOwnerMayOpenTheSocket) {
  Serve();
  struct stat found {};
  ASSERT_EQ(::stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
}

TEST_F(ApiTest, ASocketLeftBehindIsReplacedAndOneInUseIsNot) {
  Serve();
  const auto second = ApiServer::Start(service_, path_);
  EXPECT_THAT(MessageOf(second.status()), HasSubstr("another bridge serves there"));
  server_.reset();
  Serve();
}

TEST_F(ApiTest, AFileThatIsNoSocketIsLeftAlone) {
  std::ofstream(path_) << "precious";
  const auto server = ApiServer::Start(service_, path_);
  EXPECT_THAT(MessageOf(server.status()), HasSubstr("no socket"));
  EXPECT_EQ(std::filesystem::file_size(path_), 8u);
}

TEST_F(ApiTest, AMissingFolderIsSaid) {
  const auto server = ApiServer::Start(service_, "/nonexistent/bridge.sock");
  EXPECT_THAT(MessageOf(server.status()), HasSubstr("/nonexistent/bridge.sock"));
}

TEST_F(ApiTest, GuestsAreListedInTheirOrder) {
  board_.Show(0, Guest("web", kGiB));
  board_.Show(1, Guest("db", 2 * kGiB));
  Serve();
  grpc::ClientContext context;
  wire::ListGuestsResponse response;
  ASSERT_TRUE(stub_->ListGuests(&context, {}, &response).ok());
  ASSERT_EQ(response.guests_size(), 2);
  EXPECT_EQ(response.guests(0).name(), "web");
  EXPECT_EQ(response.guests(1).size_bytes(), 2 * kGiB);
  EXPECT_EQ(response.guests(1).state(), wire::GUEST_STATE_COMFORTABLE);
  EXPECT_FALSE(response.guests(1).has_total_bytes());
}

TEST_F(ApiTest, AWatcherGetsAllGuestsAndThenWhatChanges) {
  board_.Show(0, Guest("web", kGiB));
  board_.Show(1, Guest("db", kGiB));
  Serve();
  grpc::ClientContext context;
  wire::WatchGuestsRequest request;
  request.set_interval_ms(50);
  const auto stream = stub_->WatchGuests(&context, request);
  wire::WatchGuestsResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.guests_size(), 2);
  board_.Show(1, Guest("db", 2 * kGiB));
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.guests_size(), 1);
  EXPECT_EQ(response.guests(0).size_bytes(), 2 * kGiB);
  context.TryCancel();
}

TEST_F(ApiTest, AnIntervalOutOfRangeIsNamed) {
  Serve();
  grpc::ClientContext context;
  wire::WatchGuestsRequest request;
  request.set_interval_ms(1);
  wire::WatchGuestsResponse response;
  const auto stream = stub_->WatchGuests(&context, request);
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_THAT(stream->Finish().error_message(), HasSubstr("allowed 50..60000"));
}

TEST_F(ApiTest, AResizeIsToldFromPlanToResult) {
  Serve();
  Treat([](control::ResizeTicket& ticket) {
    ticket.Tell(policy::ResizePlan{kGiB, ticket.size_bytes(), {{policy::ResizeKind::kPlug, 0, kGiB}}, ""});
    ticket.Tell(control::ResizeProgress{0, kGiB + 128 * kMiB});
    ticket.Tell(control::ResizeResult{ticket.size_bytes(), absl::OkStatus(), {{1, 16, "busy"}}});
  });
  grpc::ClientContext context;
  wire::ResizeGuestRequest request;
  request.set_name("web");
  request.set_size_bytes(2 * kGiB);
  const auto stream = stub_->ResizeGuest(&context, request);
  wire::ResizeGuestResponse response;
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.plan().steps_size(), 1);
  EXPECT_EQ(response.plan().steps(0).kind(), wire::ResizeStep::KIND_PLUG);
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.progress().size_bytes(), kGiB + 128 * kMiB);
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_TRUE(response.result().complete());
  EXPECT_EQ(response.result().refused_count(), 1);
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST(FillResultTest, WhatIsNotCompleteHasAReason) {
  const policy::ResizePlan plan{kGiB, 2 * kGiB, {}, ""};
  const auto reason_of = [&](int64_t size, const absl::Status& status) {
    wire::ResizeResult message;
    FillResult({size, status, {}}, plan, message);
    EXPECT_EQ(message.complete(), message.reason().empty()) << message.reason();
    return message.reason();
  };
  EXPECT_EQ(reason_of(2 * kGiB, absl::OkStatus()), "");
  EXPECT_EQ(reason_of(2 * kGiB + 256 * kMiB, absl::OkStatus()), "the guest was given 256MiB more meanwhile");
  EXPECT_EQ(reason_of(2 * kGiB - 256 * kMiB, absl::OkStatus()), "256MiB left it again meanwhile");
  EXPECT_EQ(reason_of(2 * kGiB + 4096, absl::OkStatus()),
            "its balloon stands 4096 bytes below what was planned");
  EXPECT_EQ(reason_of(2 * kGiB - kMiB, absl::OkStatus()),
            "its balloon stands 1048576 bytes above what was planned");
  EXPECT_EQ(reason_of(kGiB, absl::AbortedError("called off")), "called off");
  EXPECT_THAT(reason_of(2 * kGiB, absl::UnknownError("")), HasSubstr("UNKNOWN"));
}

TEST_F(ApiTest, ARefusalIsTheCallsStatus) {
  Serve();
  Treat([](control::ResizeTicket& ticket) {
    ticket.Tell(control::ResizeRefusal{absl::NotFoundError("no guest 'web'; there are: db")});
  });
  grpc::ClientContext context;
  wire::ResizeGuestRequest request;
  request.set_name("web");
  request.set_size_bytes(2 * kGiB);
  wire::ResizeGuestResponse response;
  const auto stream = stub_->ResizeGuest(&context, request);
  EXPECT_FALSE(stream->Read(&response));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "no guest 'web'; there are: db");
}

TEST_F(ApiTest, ASizeThatNoMachineHasIsRefused) {
  Serve();
  for (const int64_t size : {int64_t{0}, int64_t{-1}, int64_t{1} << 60}) {
    grpc::ClientContext context;
    wire::ResizeGuestRequest request;
    request.set_size_bytes(size);
    wire::ResizeGuestResponse response;
    const auto stream = stub_->ResizeGuest(&context, request);
    EXPECT_FALSE(stream->Read(&response));
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  }
}

TEST_F(ApiTest, ABridgeThatStopsEndsItsCalls) {
  board_.Show(0, Guest("web", kGiB));
  Serve();
  grpc::ClientContext context;
  const auto stream = stub_->WatchGuests(&context, {});
  wire::WatchGuestsResponse response;
  ASSERT_TRUE(stream->Read(&response));
  board_.Close();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace ballast::api
