#include "tests/lab/operator.h"

#include <grpcpp/grpcpp.h>

#include "absl/time/clock.h"
#include "common/base/text.h"

namespace ballast::lab {
namespace {

absl::Status FromGrpc(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

}  // namespace

Operator::Operator(const std::string& socket)
    : stub_(bridge::v1::Bridge::NewStub(
          grpc::CreateChannel("unix:" + socket, grpc::InsecureChannelCredentials()))) {}

absl::StatusOr<bridge::v1::Guest> Operator::Look(const std::string& name) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(5)));
  context.set_wait_for_ready(true);
  bridge::v1::ListGuestsResponse response;
  if (const grpc::Status status = stub_->ListGuests(&context, {}, &response); !status.ok())
    return FromGrpc(status);
  for (const bridge::v1::Guest& guest : response.guests()) {
    if (guest.name() == name) return guest;
  }
  return absl::NotFoundError(StrCat("the bridge does not list ", name));
}

absl::Status Operator::WaitUntilKnown(const std::string& name, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (true) {
    const auto guest = Look(name);
    if (guest.ok() && guest->has_plugged() && guest->plugged().has_offline_bytes()) return absl::OkStatus();
    if (absl::Now() > deadline) {
      return absl::DeadlineExceededError(
          StrCat("the bridge does not know it: ",
                 guest.ok() ? guest->ShortDebugString() : MessageOf(guest.status())));
    }
    absl::SleepFor(absl::Milliseconds(50));
  }
}

absl::Status Operator::WaitForSize(const std::string& name, int64_t bytes, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (true) {
    const auto guest = Look(name);
    if (guest.ok() && guest->size_bytes() == bytes) return absl::OkStatus();
    if (absl::Now() > deadline) {
      return absl::DeadlineExceededError(
          StrCat("it should have ", bytes, ": ",
                 guest.ok() ? guest->ShortDebugString() : MessageOf(guest.status())));
    }
    absl::SleepFor(absl::Milliseconds(50));
  }
}

absl::StatusOr<Resized> Operator::Resize(const std::string& name, int64_t bytes, bool dry_run,
                                         absl::Duration timeout) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  bridge::v1::ResizeGuestRequest request;
  request.set_name(name);
  request.set_size_bytes(bytes);
  request.set_dry_run(dry_run);
  const auto stream = stub_->ResizeGuest(&context, request);
  Resized resized;
  bridge::v1::ResizeGuestResponse response;
  while (stream->Read(&response)) {
    if (response.has_plan()) resized.plan = response.plan();
    if (response.has_progress()) ++resized.progress;
    if (response.has_result()) resized.result = response.result();
  }
  if (const grpc::Status status = stream->Finish(); !status.ok()) return FromGrpc(status);
  return resized;
}

}  // namespace ballast::lab
