// An operator of the bridge: its API over the socket, as a tool would use it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ballast/bridge/v1/bridge.grpc.pb.h"

namespace ballast::lab {

// What a resize told.
struct Resized {
  bridge::v1::ResizePlan plan;
  bridge::v1::ResizeResult result;  // empty after a dry run
  int progress = 0;                 // how often it was told on the way
};

class Operator {
 public:
  explicit Operator(const std::string& socket);

  // The guest, or NOT_FOUND.
  [[nodiscard]] absl::StatusOr<bridge::v1::Guest> Look(const std::string& name);
  // Until the bridge knows the guest's VMM and its agent, and what can be plugged.
  [[nodiscard]] absl::Status WaitUntilKnown(const std::string& name, absl::Duration timeout);
  // Until it has that size by the bridge's account.
  [[nodiscard]] absl::Status WaitForSize(const std::string& name, int64_t bytes, absl::Duration timeout);
  [[nodiscard]] absl::StatusOr<Resized> Resize(const std::string& name, int64_t bytes, bool dry_run = false,
                                               absl::Duration timeout = absl::Seconds(300));

 private:
  std::unique_ptr<bridge::v1::Bridge::Stub> stub_;
};

}  // namespace ballast::lab
