#include "host-bridge/control/request_book.h"

#include <algorithm>
#include <utility>

namespace ballast::control {

bool RequestBook::Add(RequestNews request) {
  if (waiting_.size() >= kMost) return false;
  waiting_.push_back(std::move(request));
  return true;
}

void RequestBook::DropLate(MonotonicTime now) {
  std::erase_if(waiting_, [&](const RequestNews& each) { return each.request.deadline <= now; });
}

std::optional<policy::MemoryRequest> RequestBook::Next() const {
  const auto less_urgent = [](const RequestNews& a, const RequestNews& b) {
    return a.request.urgency < b.request.urgency;
  };
  const auto most = std::max_element(waiting_.begin(), waiting_.end(), less_urgent);  // the first of equals
  return most == waiting_.end() ? std::nullopt : std::optional(most->request);
}

std::optional<RequestNews> RequestBook::Take(int64_t id) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const RequestNews& each) { return each.request.id == id; });
  if (found == waiting_.end()) return std::nullopt;
  RequestNews taken = std::move(*found);
  waiting_.erase(found);
  return taken;
}

}  // namespace ballast::control
