#include "guest-agent/service/guest_agent_service.h"

#include <google/protobuf/arena.h>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <memory>

#include "common/base/text.h"
#include "guest-agent/service/convert.h"
#include "guest-agent/service/convert_act.h"
#include "guest-agent/service/convert_ask.h"
#include "guest-agent/service/convert_blocks.h"

namespace ballast::agent {
namespace {

// gRPC wakes nobody when a client leaves. A departed watcher keeps its place until the next report cannot be
// written, and at most this long; when others wait for its place it is prodded instead. Looking oftener would
// be most of what a quiet agent does.
constexpr std::chrono::milliseconds kLookAround{10'000};
// More than twice the largest message: a hello with all the zones, zram devices and cgroups a report may
// name.
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

// What is left of the call's own deadline, at most `otherwise`.
Nanos TimeLeft(const grpc::ServerContext& context, Nanos otherwise) {
  const auto left = context.deadline() - std::chrono::system_clock::now();
  const int64_t ns = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
  return std::clamp(Nanos{ns}, Nanos{0}, otherwise);
}

absl::StatusOr<Bounds> BoundsOf(const grpc::ServerContext& context, int32_t wire_brake) {
  const auto brake = ToBrake(wire_brake);
  if (!brake.ok()) return brake.status();
  Bounds bounds;
  bounds.brake_permyriad = *brake;
  // The result has to come back before the client stops waiting for it.
  constexpr Nanos kWayBack = Milliseconds(100);
  constexpr Nanos kLongest = Seconds(3600);
  const bool endless = context.deadline() == std::chrono::system_clock::time_point::max();
  const Nanos left = TimeLeft(context, kLongest);
  if (!endless) bounds.within = left - std::min(kWayBack, left / 4);
  bounds.cancelled = [&context] { return context.IsCancelled(); };
  return bounds;
}

// Connections come to gRPC as descriptors, and "fd:12" is how it calls their peers.
bool IsFromOutside(const grpc::ServerContext& context) {
  const std::string peer = context.peer();
  constexpr std::string_view kPrefix = "fd:";
  if (!peer.starts_with(kPrefix)) return false;
  int fd = -1;
  std::from_chars(peer.data() + kPrefix.size(), peer.data() + peer.size(), fd);
  int domain = AF_UNSPEC;
  socklen_t size = sizeof domain;
  return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain != AF_UNIX;
}

// The whole of an act's call, from its wish to its result.
template <typename Result, typename Response>
grpc::Status Answer(const absl::StatusOr<Result>& result, Response& response) {
  if (!result.ok()) return ToGrpc(result.status());
  FillResult(*result, response);
  return grpc::Status::OK;
}

grpc::Status NoBlocks() {
  return grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "this kernel has no memory blocks in /sys");
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

grpc::Status GuestAgentService::Reclaim(grpc::ServerContext* context,
                                        const guest::v1::ReclaimRequest* request,
                                        guest::v1::ReclaimResponse* response) {
  const auto bounds = BoundsOf(*context, request->brake_permyriad());
  if (!bounds.ok()) return ToGrpc(bounds.status());
  const auto wish = ToWish(*request);
  if (!wish.ok()) return ToGrpc(wish.status());
  return Answer(acts_.Reclaim(*wish, *bounds), *response);
}

grpc::Status GuestAgentService::Compact(grpc::ServerContext* context,
                                        const guest::v1::CompactRequest* request,
                                        guest::v1::CompactResponse* response) {
  const auto bounds = BoundsOf(*context, request->brake_permyriad());
  if (!bounds.ok()) return ToGrpc(bounds.status());
  return Answer(acts_.Compact(*bounds), *response);
}

grpc::Status GuestAgentService::ConfigureZram(grpc::ServerContext* context,
                                              const guest::v1::ConfigureZramRequest* request,
                                              guest::v1::ConfigureZramResponse* response) {
  const auto bounds = BoundsOf(*context, request->brake_permyriad());
  if (!bounds.ok()) return ToGrpc(bounds.status());
  const auto wish = ToWish(*request);
  if (!wish.ok()) return ToGrpc(wish.status());
  return Answer(acts_.ConfigureZram(*wish, *bounds), *response);
}

grpc::Status GuestAgentService::SetSwappiness(grpc::ServerContext* context,
                                              const guest::v1::SetSwappinessRequest* request,
                                              guest::v1::SetSwappinessResponse* response) {
  const auto bounds = BoundsOf(*context, 0);
  if (!bounds.ok()) return ToGrpc(bounds.status());
  const auto swappiness = ToSwappiness(*request);
  if (!swappiness.ok()) return ToGrpc(swappiness.status());
  return Answer(acts_.SetSwappiness(*swappiness, *bounds), *response);
}

grpc::Status GuestAgentService::ListMemoryBlocks(grpc::ServerContext* /*context*/,
                                                 const guest::v1::ListMemoryBlocksRequest* /*request*/,
                                                 guest::v1::ListMemoryBlocksResponse* response) {
  if (blocks_ == nullptr) return NoBlocks();
  BlockKeeper& keeper = blocks_->Keeper();
  FillBlocks(keeper.Reader().BlockSizeBytes(), RangesOf(keeper.Table().All()), *response);
  return grpc::Status::OK;
}

grpc::Status GuestAgentService::OnlineMemory(grpc::ServerContext* context,
                                             const guest::v1::OnlineMemoryRequest* request,
                                             guest::v1::OnlineMemoryResponse* response) {
  if (blocks_ == nullptr) return NoBlocks();
  const auto bounds = BoundsOf(*context, 0);
  if (!bounds.ok()) return ToGrpc(bounds.status());
  const auto wish = ToWish(*request);
  if (!wish.ok()) return ToGrpc(wish.status());
  return Answer(blocks_->Online(*wish, *bounds), *response);
}

grpc::Status GuestAgentService::OfflineMemory(grpc::ServerContext* context,
                                              const guest::v1::OfflineMemoryRequest* request,
                                              guest::v1::OfflineMemoryResponse* response) {
  if (blocks_ == nullptr) return NoBlocks();
  const auto bounds = BoundsOf(*context, request->brake_permyriad());
  if (!bounds.ok()) return ToGrpc(bounds.status());
  const auto wish = ToWish(*request);
  if (!wish.ok()) return ToGrpc(wish.status());
  return Answer(blocks_->Offline(*wish, *bounds), *response);
}

grpc::Status GuestAgentService::RequestMemory(grpc::ServerContext* context,
                                              const guest::v1::RequestMemoryRequest* request,
                                              guest::v1::RequestMemoryResponse* response) {
  if (IsFromOutside(*context)) {
    return grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "only tools of this guest ask for memory");
  }
  auto asked = ToRequest(*request);
  if (!asked.ok()) return ToGrpc(asked.status());
  const Nanos left = TimeLeft(*context, Milliseconds(asked->deadline_ms));
  asked->deadline_ms = std::max<int64_t>(left.count / Milliseconds(1).count, 1);
  const auto grant = board_.Ask(*asked, [context] { return context->IsCancelled(); });
  if (!grant.ok()) return ToGrpc(grant.status());
  FillGrant(*grant, *response);
  return grpc::Status::OK;
}

grpc::Status GuestAgentService::AnswerMemoryRequest(grpc::ServerContext* /*context*/,
                                                    const guest::v1::AnswerMemoryRequestRequest* request,
                                                    guest::v1::AnswerMemoryRequestResponse* /*response*/) {
  return ToGrpc(board_.Answer(request->id(), ToGrant(request->answer())));
}

}  // namespace ballast::agent
