// Serves the Bridge service, reflection and health checks on a Unix socket that only its owner may open.
#pragma once

#include <grpcpp/server.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "host-bridge/api/bridge_service.h"

namespace ballast::api {

class ApiServer {
 public:
  // `service` outlives the server. A socket that a bridge of before left is replaced; errors name `path`: its
  // folder is missing, another bridge serves there, it is no socket.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ApiServer>> Start(BridgeService& service,
                                                                        const std::string& path);
  // Close the board before: that ends the calls that wait.
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

 private:
  explicit ApiServer(std::string path) : path_(std::move(path)) {}

  const std::string path_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace ballast::api
