// A simple blocking QMP client for tests. The bridge under test has a monitor of its own; this one never
// shares it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/lab/stream.h"

namespace ballast::lab {

class QmpClient {
 public:
  // Connects and leaves capability negotiation behind.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<QmpClient>> Connect(const std::string& path,
                                                                          absl::Duration timeout);

  // The "return" member. A QMP error is FAILED_PRECONDITION with QEMU's own text.
  [[nodiscard]] absl::StatusOr<boost::json::value> Execute(std::string_view command,
                                                           const boost::json::object& arguments = {},
                                                           absl::Duration timeout = absl::Seconds(10));
  // Events that arrived while an answer was awaited, oldest first; they are handed out once.
  [[nodiscard]] std::vector<boost::json::object> TakeEvents() { return std::exchange(events_, {}); }

 private:
  explicit QmpClient(Stream stream) : stream_(std::move(stream)) {}
  [[nodiscard]] absl::StatusOr<boost::json::object> ReadObject(absl::Time deadline);

  Stream stream_;
  std::vector<boost::json::object> events_;
};

}  // namespace ballast::lab
