#include "host-bridge/api/bridge_service.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>

#include "common/base/size_text.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "host-bridge/api/convert_status.h"

namespace ballast::api {
namespace {

namespace wire = ballast::bridge::v1;

// How soon a call notices that its client has left, or that the bridge stops.
constexpr Nanos kGlance = Milliseconds(200);
// Sizes beyond this are no memory of any machine.
constexpr int64_t kLargestSize = int64_t{1} << 48;

// One place among at most `most`; none is taken when they are full.
class Place {
 public:
  Place(std::atomic<int>& taken, int most) : taken_(taken), got_(taken.fetch_add(1) < most) {}
  ~Place() { taken_.fetch_sub(1); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  [[nodiscard]] bool Got() const { return got_; }

 private:
  std::atomic<int>& taken_;
  const bool got_;
};

grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), MessageOf(status)};
}

grpc::Status Full(const char* of) {
  return {grpc::StatusCode::RESOURCE_EXHAUSTED,
          StrCat("too many ", of, " already; end one, or try again later")};
}

bool IsWanted(const wire::WatchGuestsRequest& request, const std::string& name) {
  return request.names().empty() ||
         std::find(request.names().begin(), request.names().end(), name) != request.names().end();
}

// Relays what the control thread tells; nothing while the resize goes on.
class Relay {
 public:
  explicit Relay(grpc::ServerWriter<wire::ResizeGuestResponse>& writer) : writer_(writer) {}

  [[nodiscard]] std::optional<grpc::Status> Pass(const control::ResizeNews& news, bool dry_run) {
    if (const auto* refusal = std::get_if<control::ResizeRefusal>(&news)) return ToGrpc(refusal->status);
    wire::ResizeGuestResponse response;
    bool last = false;
    if (const auto* plan = std::get_if<policy::ResizePlan>(&news)) {
      plan_ = *plan;
      FillPlan(*plan, *response.mutable_plan());
      last = dry_run;
    } else if (const auto* progress = std::get_if<control::ResizeProgress>(&news)) {
      response.mutable_progress()->set_step(static_cast<int32_t>(progress->step));
      response.mutable_progress()->set_size_bytes(progress->size_bytes);
    } else {
      FillResult(std::get<control::ResizeResult>(news), plan_, *response.mutable_result());
      last = true;
    }
    // A client that has left need not be told; what was begun goes on.
    if (!writer_.Write(response) || last) return grpc::Status::OK;
    return std::nullopt;
  }

 private:
  grpc::ServerWriter<wire::ResizeGuestResponse>& writer_;
  policy::ResizePlan plan_;
};

}  // namespace

grpc::Status BridgeService::ListGuests(grpc::ServerContext* /*context*/,
                                       const wire::ListGuestsRequest* /*request*/,
                                       wire::ListGuestsResponse* response) {
  const MonotonicTime now = clock_.Now();
  for (const control::GuestStatus& status : board_.Look(0).guests)
    FillGuest(status, now, *response->add_guests());
  return grpc::Status::OK;
}

grpc::Status BridgeService::WatchGuests(grpc::ServerContext* context, const wire::WatchGuestsRequest* request,
                                        grpc::ServerWriter<wire::WatchGuestsResponse>* writer) {
  const int64_t interval_ms = request->interval_ms() == 0 ? 1000 : request->interval_ms();
  if (interval_ms < 50 || interval_ms > 60'000) {
    return {grpc::StatusCode::INVALID_ARGUMENT,
            StrCat("interval_ms = ", interval_ms, " is out of range, allowed 50..60000 (0: 1000)")};
  }
  const Place place(watchers_, kMaxWatchers);
  if (!place.Got()) return Full("watchers");
  uint64_t seen = 0;
  bool first = true;
  MonotonicTime sent_at;
  while (!context->IsCancelled() && !board_.IsClosed()) {
    if (!first) board_.Await(seen, kGlance);
    const Nanos early = Milliseconds(interval_ms) - (clock_.Now() - sent_at);
    if (!first && early.count > 0) {
      std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(early, kGlance).count));
      continue;
    }
    const control::StatusBoard::View view = board_.Look(seen);
    seen = view.version;
    wire::WatchGuestsResponse response;
    sent_at = clock_.Now();
    for (const control::GuestStatus& status : view.guests) {
      if (IsWanted(*request, status.name)) FillGuest(status, sent_at, *response.add_guests());
    }
    if (!first && response.guests().empty()) continue;
    first = false;
    if (!writer->Write(response)) break;
  }
  if (board_.IsClosed()) return {grpc::StatusCode::UNAVAILABLE, "the bridge is stopping"};
  return grpc::Status::CANCELLED;
}

grpc::Status BridgeService::ResizeGuest(grpc::ServerContext* context, const wire::ResizeGuestRequest* request,
                                        grpc::ServerWriter<wire::ResizeGuestResponse>* writer) {
  const int64_t size = request->size_bytes();
  if (size < kMiB || size > kLargestSize) {
    return {grpc::StatusCode::INVALID_ARGUMENT,
            StrCat("size_bytes = ", size, " is out of range, allowed 1 MiB..", FormatSize(kLargestSize))};
  }
  const Place place(resizing_, kMaxResizes);
  if (!place.Got()) return Full("resizes");
  const auto ticket = std::make_shared<control::ResizeTicket>(request->name(), size, request->dry_run());
  if (!resizes_.Put(ticket)) return Full("resizes");
  wakeup_.Ring();
  Relay relay(*writer);
  while (!context->IsCancelled() && !board_.IsClosed()) {
    const std::optional<control::ResizeNews> news = ticket->Next(kGlance);
    if (!news) continue;
    if (const auto done = relay.Pass(*news, request->dry_run())) return *done;
  }
  if (board_.IsClosed()) return {grpc::StatusCode::UNAVAILABLE, "the bridge is stopping"};
  return grpc::Status::CANCELLED;
}

}  // namespace ballast::api
