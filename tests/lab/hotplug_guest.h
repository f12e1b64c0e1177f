// A guest whose memory grows and shrinks while it runs, with its agent at hand.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ballast/guest/v1/guest_agent.grpc.pb.h"
#include "tests/lab/agent_watch.h"
#include "tests/lab/guest.h"

namespace ballast::lab {

class HotplugGuest {
 public:
  static constexpr int64_t kBlock = int64_t{128} << 20;  // of every lab guest

  // `guest` must outlive it.
  explicit HotplugGuest(Guest& guest) : guest_(guest) {}

  // The agent's calls over a connection of their own; waits until it listens.
  [[nodiscard]] absl::Status Connect();
  [[nodiscard]] guest::v1::GuestAgent::Stub& Agent() { return *stub_; }
  // Ends the connection.
  void Hangup() { stub_.reset(); }
  // One call with a deadline.
  template <typename Request, typename Response>
  [[nodiscard]] absl::StatusOr<Response> Call(
      grpc::Status (guest::v1::GuestAgent::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
      const Request& request, absl::Duration within = absl::Seconds(25)) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + within));
    Response response;
    const grpc::Status status = ((*stub_).*method)(&context, request, &response);
    if (!status.ok())
      return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
    return response;
  }

  // A DIMM, as a VMM plugs it.
  [[nodiscard]] absl::Status PlugDimm(const std::string& name, int64_t mib);
  // How much the virtio-mem device "vm0" shall have.
  [[nodiscard]] absl::Status RequestVirtioMem(int64_t bytes);
  // What its guest's kernel says to that comes as an event.
  [[nodiscard]] absl::Status AskForDimm(const std::string& name);
  [[nodiscard]] bool HasDimm(const std::string& name);

  // "online Movable", "offline", by block; the guest's own words.
  [[nodiscard]] std::map<int64_t, std::string> Blocks();
  // True once `holds` does; looks every 50 ms.
  [[nodiscard]] bool Eventually(const std::function<bool(const std::map<int64_t, std::string>&)>& holds,
                                absl::Duration within = absl::Seconds(10));
  // What a shell command prints; empty when it failed. Also for what it does.
  std::string Run(const std::string& command);
  // A number from /proc/meminfo, in bytes.
  [[nodiscard]] int64_t Meminfo(const std::string& name);

 private:
  Guest& guest_;
  std::unique_ptr<guest::v1::GuestAgent::Stub> stub_;
};

// How many blocks are in that state.
[[nodiscard]] int64_t CountOf(const std::map<int64_t, std::string>& blocks, const std::string& state);

}  // namespace ballast::lab
