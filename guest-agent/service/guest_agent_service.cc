#include "guest-agent/service/guest_agent_service.h"

#include <memory>

#include "common/base/text.h"
#include "guest-agent/service/convert.h"

namespace ballast::agent {
namespace {

grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), MessageOf(status));
}

// A call that ends before its first message.
class Refusal final : public grpc::ServerWriteReactor<guest::v1::WatchResponse> {
 public:
  explicit Refusal(const absl::Status& status) { Finish(ToGrpc(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerUnaryReactor* GuestAgentService::GetInfo(grpc::CallbackServerContext* context,
                                                     const guest::v1::GetInfoRequest* /*request*/,
                                                     guest::v1::GetInfoResponse* response) {
  FillInfo(identity_, clock_.Now(), *response);
  auto* const reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<guest::v1::WatchResponse>* GuestAgentService::Watch(
    grpc::CallbackServerContext* /*context*/, const guest::v1::WatchRequest* request) {
  const auto settings = ToSettings(*request);
  if (!settings.ok()) return new Refusal(settings.status());
  const auto stream = std::make_shared<WatchStream>(*settings, identity_);
  if (auto status = loop_.Add(stream); !status.ok()) return new Refusal(status);
  return stream->Open([this] { loop_.Leave(); });
}

}  // namespace ballast::agent
