#include "host-bridge/session/async_io.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <variant>

#include "common/base/text.h"

namespace ballast::session {

namespace asio = boost::asio;
using asio::experimental::awaitable_operators::operator||;

Task<void> Sleep(Nanos span) {
  asio::steady_timer timer(co_await asio::this_coro::executor, ToChrono(span));
  co_await timer.async_wait(kAsTuple);
}

Task<absl::Status> AwaitReady(asio::posix::stream_descriptor& descriptor, Readiness readiness, Nanos span) {
  const auto wait = readiness == Readiness::kReadable ? asio::posix::descriptor_base::wait_read
                                                      : asio::posix::descriptor_base::wait_write;
  asio::steady_timer timer(co_await asio::this_coro::executor, ToChrono(span));
  auto first = co_await (descriptor.async_wait(wait, kAsTuple) || timer.async_wait(kAsTuple));
  if (first.index() == 1) {
    if (std::get<0>(std::get<1>(first))) co_return absl::CancelledError("stopped");
    co_return absl::DeadlineExceededError(StrCat("no answer within ", span.count / 1'000'000, " ms"));
  }
  const boost::system::error_code error = std::get<0>(std::get<0>(first));
  if (error == asio::error::operation_aborted) co_return absl::CancelledError("stopped");
  if (error) co_return absl::UnavailableError(error.message());
  co_return absl::OkStatus();
}

}  // namespace ballast::session
