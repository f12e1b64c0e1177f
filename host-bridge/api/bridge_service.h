// The Bridge service of proto/ballast/bridge/v1. Holds no policy: it looks at the board and hands wishes to
// the control thread. Watching and resizing keep the thread of their call until they are over; how many there
// may be is bounded.
#pragma once

#include <atomic>

#include "ballast/bridge/v1/bridge.grpc.pb.h"
#include "common/os/clock.h"
#include "host-bridge/control/resize.h"
#include "host-bridge/control/status_board.h"
#include "host-bridge/control/wakeup.h"

namespace ballast::api {

class BridgeService final : public bridge::v1::Bridge::Service {
 public:
  static constexpr int kMaxWatchers = 16;
  static constexpr int kMaxResizes = 16;

  // All four outlive the service and every call on it.
  BridgeService(const control::StatusBoard& board, control::ResizeBox& resizes, control::Wakeup& wakeup,
                const Clock& clock)
      : board_(board), resizes_(resizes), wakeup_(wakeup), clock_(clock) {}

  grpc::Status ListGuests(grpc::ServerContext* context, const bridge::v1::ListGuestsRequest* request,
                          bridge::v1::ListGuestsResponse* response) override;
  grpc::Status WatchGuests(grpc::ServerContext* context, const bridge::v1::WatchGuestsRequest* request,
                           grpc::ServerWriter<bridge::v1::WatchGuestsResponse>* writer) override;
  grpc::Status ResizeGuest(grpc::ServerContext* context, const bridge::v1::ResizeGuestRequest* request,
                           grpc::ServerWriter<bridge::v1::ResizeGuestResponse>* writer) override;

 private:
  const control::StatusBoard& board_;
  control::ResizeBox& resizes_;
  control::Wakeup& wakeup_;
  const Clock& clock_;
  std::atomic<int> watchers_{0};
  std::atomic<int> resizing_{0};
};

}  // namespace ballast::api
