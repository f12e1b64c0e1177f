// The acts' calls, as far as the service goes: refusals reach the caller with their code and their words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/guest-agent/service/agent_fixture.h"

namespace ballast::agent {
namespace {

using ::testing::HasSubstr;

class ActsServiceTest : public AgentFixture {
 protected:
  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (guest::v1::GuestAgent::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                        Response*),
                    const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    Response response;
    const auto stub = guest::v1::GuestAgent::NewStub(Connect());
    return ((*stub).*method)(&context, request, &response);
  }
};

using Stub = guest::v1::GuestAgent::Stub;

TEST_F(ActsServiceTest, BadFieldsAreNamedBeforeAnythingIsDone) {
  guest::v1::ReclaimRequest reclaim;
  reclaim.set_bytes(kMiB);
  reclaim.set_brake_permyriad(-1);
  const auto brake = Call(&Stub::Reclaim, reclaim);
  EXPECT_EQ(brake.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(brake.error_message(), HasSubstr("brake_permyriad is -1"));
  guest::v1::CompactRequest compact;
  compact.set_brake_permyriad(20'000);
  EXPECT_EQ(Call(&Stub::Compact, compact).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  guest::v1::ConfigureZramRequest zram;
  zram.set_device("/dev/sda");
  EXPECT_EQ(Call(&Stub::ConfigureZram, zram).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  guest::v1::SetSwappinessRequest swappiness;
  swappiness.set_swappiness(201);
  EXPECT_EQ(Call(&Stub::SetSwappiness, swappiness).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ActsServiceTest, WhatIsPackedIsNotUnpacked) {
  guest::v1::ReclaimRequest reclaim;
  reclaim.set_bytes(0);
  reclaim.set_cgroup(std::string(60'000, 'a'));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  guest::v1::ReclaimResponse response;
  const auto status = guest::v1::GuestAgent::NewStub(Connect())->Reclaim(&context, reclaim, &response);
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << "it was read";
}

TEST_F(ActsServiceTest, APressedGuestIsLeftAloneAndSaysWhy) {
  Guest().SetAvailable(50 * kMiB);
  guest::v1::ReclaimRequest reclaim;
  reclaim.set_bytes(kMiB);
  const auto status = Call(&Stub::Reclaim, reclaim);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("50MiB available"));
  EXPECT_EQ(Call(&Stub::Compact, guest::v1::CompactRequest()).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
}

}  // namespace
}  // namespace ballast::agent
