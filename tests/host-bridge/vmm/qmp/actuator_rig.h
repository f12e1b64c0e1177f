// A fake QEMU, an actuator that steers it, and the I/O thread between them.
#pragma once

#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "common/base/text.h"
#include "common/os/clock.h"
#include "host-bridge/vmm/qmp/qmp_vm.h"
#include "tests/fakes/fake_qmp.h"
#include "tests/host-bridge/vmm/recording_observer.h"

namespace ballast::vmm::qmp {

// A path of our own for a socket; short enough for the kernel's 107 bytes.
inline std::string FreshSocketPath() {
  static std::atomic<int> count{0};
  return (std::filesystem::temp_directory_path() / StrCat("ballast-qmp-", ::getpid(), "-", ++count)).string();
}

// An io_context with its thread.
class IoThread {
 public:
  IoThread() : work_(io.get_executor()), thread_([this] { io.run(); }) {}
  ~IoThread() { Stop(); }
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  void Stop() {
    io.stop();
    if (thread_.joinable()) thread_.join();
  }

  boost::asio::io_context io{1};

 private:
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

struct RigOptions {
  fakes::FakeQmpOptions fake;
  QmpOptions actuator;

  RigOptions() {
    fake.socket_path = FreshSocketPath();
    actuator.name = "vm1";
    actuator.socket_path = fake.socket_path;
    // Long enough for a busy machine, short enough for a test; those about deadlines shorten it further.
    actuator.command_timeout = Seconds(10);
    actuator.host_root = "/nonexistent";  // whose memory the fake has is of no interest
    actuator.backoff = {Milliseconds(5), Milliseconds(20)};
  }
};

struct Rig {
  explicit Rig(const RigOptions& options = {})
      : fake(options.fake),
        actuator(std::make_unique<QmpVm>(thread.io, clock, observer, &observer, options.actuator)) {
    actuator->Start();
  }

  SystemClock clock;
  fakes::FakeQmp fake;
  RecordingObserver observer;
  IoThread thread;
  std::unique_ptr<QmpVm> actuator;  // goes first
};

}  // namespace ballast::vmm::qmp
