// The whole bridge in one object: the I/O thread, a session and an actuator per guest, the control loop, and
// the operators' API.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "common/os/clock.h"
#include "host-bridge/api/api_server.h"
#include "host-bridge/config/bridge_config.h"
#include "host-bridge/control/control_loop.h"
#include "host-bridge/control/guest_mailbox.h"
#include "host-bridge/observe/host_reader.h"
#include "host-bridge/record/recorder.h"
#include "host-bridge/session/call_queue.h"
#include "host-bridge/session/guest_session.h"
#include "host-bridge/vmm/actuator.h"

namespace ballast::bridge {

class Bridge {
 public:
  // Nothing runs before Start. `clock` must outlive the bridge. Errors: the host's own memory cannot be read.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Bridge>> Create(const config::BridgeConfig& config,
                                                                      const Clock& clock,
                                                                      control::LogSink log);
  // Leaves every balloon as it is: what a guest has been given stays given, what it lent stays lent.
  ~Bridge();
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  // Errors name the API's socket: nothing runs then.
  [[nodiscard]] absl::Status Start();

 private:
  Bridge(const config::BridgeConfig& config, observe::HostReader host_reader, const Clock& clock,
         control::LogSink log);

  // Declared in the order of their dependence: destruction runs the other way.
  struct Guest {
    std::unique_ptr<control::GuestMailbox> mailbox;
    std::unique_ptr<vmm::Actuator> actuator;
    std::unique_ptr<session::GuestSession> session;
  };

  control::Wakeup wakeup_;
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keep_running_;
  session::CallQueue calls_;
  std::vector<Guest> guests_;
  observe::HostReader host_reader_;
  std::optional<record::Recorder> recorder_;  // unset: no journal
  control::StatusBoard board_;
  control::ResizeBox resizes_;
  std::optional<control::ControlLoop> loop_;
  const std::string api_socket_;  // empty: none
  api::BridgeService api_;
  std::thread io_thread_;
  std::jthread control_thread_;
  std::unique_ptr<api::ApiServer> api_server_;
};

}  // namespace ballast::bridge
