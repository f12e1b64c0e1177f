// Answers health checks. gRPC has a service for that, too, but one of its callback interface: for it alone
// two threads would wake twice a second, in every guest (gRPC 1.51).
#pragma once

#include "grpc/health/v1/health.grpc.pb.h"

namespace ballast::agent {

class HealthService final : public grpc::health::v1::Health::Service {
 public:
  grpc::Status Check(grpc::ServerContext* context, const grpc::health::v1::HealthCheckRequest* request,
                     grpc::health::v1::HealthCheckResponse* response) override;
};

}  // namespace ballast::agent
