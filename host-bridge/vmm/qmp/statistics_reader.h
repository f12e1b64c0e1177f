// The balloon driver's own statistics, at a steady interval while a connection lasts. Optional by nature: a
// VM that does not give them just does not give them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "host-bridge/vmm/qmp/qmp_client.h"

namespace ballast::vmm::qmp {

class StatisticsReader : public std::enable_shared_from_this<StatisticsReader> {
 public:
  using Sink = std::function<void(const BalloonStatistics&)>;

  // `interval`: 1 s and more, QEMU counts whole seconds. Use through std::make_shared.
  StatisticsReader(boost::asio::io_context& io, std::shared_ptr<Client> client, Nanos interval, Nanos timeout,
                   Sink sink);

  // Finds the device, has QEMU ask the guest every `interval` and reads what it got. After every connect.
  void Begin();
  // Until the next Begin.
  void End();

 private:
  void Find(size_t parent);
  void EnablePolling();
  void WaitThenRead();
  void Read();
  // A command of the run that Begin started; its answer is ignored once that run has ended.
  void Ask(std::string_view command, boost::json::object arguments,
           std::function<void(const boost::json::value&)> on_success);

  std::shared_ptr<Client> client_;
  const Nanos interval_;
  const Nanos timeout_;
  const Sink sink_;
  boost::asio::steady_timer timer_;
  uint64_t run_ = 0;
  std::string path_;
};

}  // namespace ballast::vmm::qmp
