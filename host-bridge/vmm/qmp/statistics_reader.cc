#include "host-bridge/vmm/qmp/statistics_reader.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "common/base/text.h"

namespace ballast::vmm::qmp {
namespace {

namespace json = boost::json;

// Devices with an id live in the first, those without in the second.
constexpr std::array<std::string_view, 2> kParents = {"/machine/peripheral", "/machine/peripheral-anon"};

}  // namespace

StatisticsReader::StatisticsReader(boost::asio::io_context& io, std::shared_ptr<Client> client,
                                   Nanos interval, Nanos timeout, Sink sink)
    : client_(std::move(client)),
      interval_(interval),
      timeout_(timeout),
      sink_(std::move(sink)),
      timer_(io) {}

void StatisticsReader::Begin() {
  End();
  Find(0);
}

void StatisticsReader::End() {
  ++run_;
  timer_.cancel();
}

void StatisticsReader::Ask(std::string_view command, json::object arguments,
                           std::function<void(const json::value&)> on_success) {
  const absl::Status sent =
      client_->Call(command, std::move(arguments), timeout_,
                    [self = weak_from_this(), run = run_, on_success = std::move(on_success)](
                        const absl::StatusOr<json::value>& result, MonotonicTime) {
                      const auto reader = self.lock();
                      // Ignoring errors: statistics are optional, and a lost connection is the client's
                      // matter.
                      if (reader && reader->run_ == run && result.ok()) on_success(*result);
                    });
  // Ignoring a refusal for the same reason.
  (void)sent;
}

void StatisticsReader::Find(size_t parent) {
  if (parent >= kParents.size()) return;
  Ask("qom-list", {{"path", kParents[parent]}}, [this, parent](const json::value& result) {
    const auto path = ParseBalloonPath(result, kParents[parent]);
    if (!path.ok() || !path->has_value()) return Find(parent + 1);
    path_ = **path;
    EnablePolling();
  });
}

void StatisticsReader::EnablePolling() {
  const int64_t seconds = std::max<int64_t>(interval_.count / Seconds(1).count, 1);
  Ask("qom-set", {{"path", path_}, {"property", "guest-stats-polling-interval"}, {"value", seconds}},
      [this](const json::value&) { Read(); });
}

void StatisticsReader::WaitThenRead() {
  timer_.expires_after(std::chrono::nanoseconds(interval_.count));
  timer_.async_wait([self = weak_from_this(), run = run_](const boost::system::error_code& error) {
    const auto reader = self.lock();
    if (!error && reader && reader->run_ == run) reader->Read();
  });
}

void StatisticsReader::Read() {
  // Waiting first: whatever becomes of this read, the next follows.
  WaitThenRead();
  Ask("qom-get", {{"path", path_}, {"property", "guest-stats"}}, [this](const json::value& result) {
    const auto statistics = ParseGuestStats(result);
    // Ignoring nonsense: it was written by the guest, and the agent is the first source anyway.
    if (statistics.ok()) sink_(*statistics);
  });
}

}  // namespace ballast::vmm::qmp
