#include "host-bridge/api/api_server.h"

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "common/base/text.h"
#include "common/os/unique_fd.h"

namespace ballast::api {
namespace {

// No request is near it; the largest answer is the list of all guests, which has no such bound.
constexpr int kMaxMessageBytes = 64 * 1024;
constexpr int kMaxThreads = BridgeService::kMaxWatchers + BridgeService::kMaxResizes + 8;
constexpr auto kFarewell = std::chrono::milliseconds(500);

absl::StatusOr<sockaddr_un> AddressOf(const std::string& path) {
  sockaddr_un address{};
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        StrCat("api socket ", path, ": a path of 1..", sizeof(address.sun_path) - 1, " bytes is needed"));
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// Makes way for a new socket, unless somebody listens on the old one.
absl::Status MakeWay(const std::string& path) {
  const auto address = AddressOf(path);
  if (!address.ok()) return address.status();
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return absl::OkStatus();
  if (!S_ISSOCK(found.st_mode))
    return absl::AlreadyExistsError(StrCat("api socket ", path, ": there is a file that is no socket"));
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(probe.Get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) == 0)
    return absl::AlreadyExistsError(StrCat("api socket ", path, ": another bridge serves there"));
  if (::unlink(path.c_str()) != 0)
    return absl::PermissionDeniedError(StrCat("api socket ", path, ": ", std::strerror(errno)));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ApiServer>> ApiServer::Start(BridgeService& service, const std::string& path) {
  if (auto status = MakeWay(path); !status.ok()) return status;
  gpr_set_log_function([](gpr_log_func_args*) {});  // all that matters comes as a status
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  grpc::ResourceQuota quota("ballast-bridge api");
  quota.SetMaxThreads(kMaxThreads);
  builder.SetResourceQuota(quota);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
  int port = 0;
  builder.AddListeningPort(StrCat("unix:", path), grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  std::unique_ptr<ApiServer> server(new ApiServer(path));
  // The socket is made with the process's mask: nobody else may open it, not even for a moment.
  const mode_t before = ::umask(0177);
  server->server_ = builder.BuildAndStart();
  ::umask(before);
  if (server->server_ == nullptr || port == 0) {
    return absl::UnavailableError(StrCat(
        "api socket ", path, ": cannot be made; does its folder exist, and may this process write there?"));
  }
  return server;
}

ApiServer::~ApiServer() {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now() + kFarewell);
  server_->Wait();
  ::unlink(path_.c_str());
}

}  // namespace ballast::api
