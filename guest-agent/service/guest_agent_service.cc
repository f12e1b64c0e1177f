#include "guest-agent/service/guest_agent_service.h"

#include <google/protobuf/arena.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>

#include "common/base/text.h"
#include "guest-agent/service/convert.h"

namespace ballast::agent {
namespace {

// gRPC wakes nobody when a client leaves. A departed watcher keeps its place until the next report cannot be
// written, and at most this long; when others wait for its place it is prodded instead. Looking oftener would
// be most of what a quiet agent does.
constexpr std::chrono::milliseconds kLookAround{10'000};
// More than twice the largest message: a hello with all the zones, zram devices and cgroups a report may name.
constexpr size_t kMessageBytes = 16 * 1024;

grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), MessageOf(status));
}

// Until the stream ends or its client is gone. Messages are built in the same piece of memory again and
// again: in a guest that is out of memory, asking for more may stall.
grpc::Status WriteAll(WatchStream& stream, const grpc::ServerContext& context, const Clock& clock,
                      grpc::ServerWriter<guest::v1::WatchResponse>& writer) {
  alignas(std::max_align_t) std::array<char, kMessageBytes> memory;
  google::protobuf::Arena arena(memory.data(), memory.size());
  for (;;) {
    switch (stream.Wait(kLookAround)) {
      case WatchStream::Turn::kEnd:
        return stream.EndStatus();
      case WatchStream::Turn::kLookAround:
        if (context.IsCancelled()) return grpc::Status::CANCELLED;
        break;
      case WatchStream::Turn::kWrite: {
        auto* const message = google::protobuf::Arena::CreateMessage<guest::v1::WatchResponse>(&arena);
        stream.FillNext(*message);
        stream.WriteBegins(clock.Now());
        const bool written = writer.Write(*message);
        stream.WriteEnds();
        if (!written) return grpc::Status::CANCELLED;
        arena.Reset();
        break;
      }
    }
  }
}

}  // namespace

grpc::Status GuestAgentService::GetInfo(grpc::ServerContext* /*context*/,
                                        const guest::v1::GetInfoRequest* /*request*/,
                                        guest::v1::GetInfoResponse* response) {
  FillInfo(identity_, clock_.Now(), *response);
  return grpc::Status::OK;
}

grpc::Status GuestAgentService::Watch(grpc::ServerContext* context, const guest::v1::WatchRequest* request,
                                      grpc::ServerWriter<guest::v1::WatchResponse>* writer) {
  const auto settings = ToSettings(*request);
  if (!settings.ok()) return ToGrpc(settings.status());
  loop_.PrepareThisThread();
  const auto stream = std::make_shared<WatchStream>(*settings, identity_);
  if (auto status = loop_.Add(stream); !status.ok()) return ToGrpc(status);
  stream->SetCancel([context] { context->TryCancel(); });
  auto status = WriteAll(*stream, *context, clock_, *writer);
  stream->SetOver();
  loop_.Leave();
  return status;
}

}  // namespace ballast::agent
