// The few words of Boost.Asio that the bridge's coroutines use. One I/O thread runs them all, so code between
// two co_await needs no lock.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "absl/status/status.h"
#include "common/base/time.h"

namespace ballast::session {

template <typename T>
using Task = boost::asio::awaitable<T>;

// Completion as a tuple (error first) instead of an exception: errors are values here.
inline constexpr auto kAsTuple = boost::asio::as_tuple(boost::asio::use_awaitable);

inline std::chrono::nanoseconds ToChrono(Nanos span) { return std::chrono::nanoseconds(span.count); }

// Returns after `span`, or at once when the coroutine is cancelled.
Task<void> Sleep(Nanos span);

enum class Readiness { kReadable, kWritable };

// Waits until the descriptor is ready. DEADLINE_EXCEEDED after `span`, CANCELLED when the coroutine is
// cancelled.
Task<absl::Status> AwaitReady(boost::asio::posix::stream_descriptor& descriptor, Readiness readiness,
                              Nanos span);

}  // namespace ballast::session
