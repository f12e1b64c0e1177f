#include "guest-agent/service/health_service.h"

#include "ballast/guest/v1/guest_agent.grpc.pb.h"

namespace ballast::agent {

grpc::Status HealthService::Check(grpc::ServerContext* /*context*/,
                                  const grpc::health::v1::HealthCheckRequest* request,
                                  grpc::health::v1::HealthCheckResponse* response) {
  const std::string& service = request->service();
  if (!service.empty() && service != guest::v1::GuestAgent::service_full_name()) {
    return {grpc::StatusCode::NOT_FOUND, "no such service"};
  }
  response->set_status(grpc::health::v1::HealthCheckResponse::SERVING);
  return grpc::Status::OK;
}

}  // namespace ballast::agent
