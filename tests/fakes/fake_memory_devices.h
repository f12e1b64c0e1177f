// The memory devices and backends of FakeMachine, and a guest that lets DIMMs go, or does not. Not
// thread-safe.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::fakes {

struct FakeQmpOptions;

// What the guest does when it is asked to let a DIMM go.
enum class UnplugAnswer {
  kLetsGo,
  kLetsGoAtOnce,  // its events overtake QEMU's answer to the command
  kRefuses,       // in progress, then busy
  kErrors,        // the events other machines have for a refusal
  kSilent,
};

class FakeMemoryDevices {
 public:
  explicit FakeMemoryDevices(const FakeQmpOptions& options);

  // The answer to a command about devices; absent: it is about something else.
  std::optional<std::string> Execute(const std::string& command, const boost::json::object& arguments);
  // By somebody else, or by ourselves earlier.
  void AddDimm(const std::string& id, const std::string& backend, int64_t bytes);
  void AddBackend(const std::string& id, const std::string& type, bool share);
  void SetAnswer(UnplugAnswer answer) { answer_ = answer; }
  // The guest lets a DIMM go that it was asked for earlier.
  void LetGo(const std::string& id);
  // The guest has taken so much of the virtio-mem device.
  void SetVirtioMem(int64_t bytes);
  // What a guest does when it starts anew.
  void Reset() { SetVirtioMem(0); }

  [[nodiscard]] int64_t DimmBytes() const;
  [[nodiscard]] int64_t VirtioMemBytes() const { return virtio_mem_bytes_; }
  [[nodiscard]] bool EventsFirst() const { return answer_ == UnplugAnswer::kLetsGoAtOnce; }
  // The ids of all DIMMs and backends there are, in the order they came.
  [[nodiscard]] std::vector<std::string> Names() const;
  // Name and data of each event since the last call.
  struct FakeEvent {
    std::string name;
    std::string data;
  };
  std::vector<FakeEvent> TakeEvents();

 private:
  struct Dimm {
    std::string id;
    std::string backend;
    int64_t bytes = 0;
    int64_t address = 0;
    int slot = 0;
  };
  struct Backend {
    std::string id;
    std::string type;
    bool share = false;
    int64_t bytes = 0;
  };

  std::string AddObject(const boost::json::object& arguments);
  std::string DeleteObject(const boost::json::object& arguments);
  std::string AddDevice(const boost::json::object& arguments);
  std::string DeleteDevice(const boost::json::object& arguments);
  std::optional<std::string> Get(const boost::json::object& arguments) const;
  std::optional<std::string> Set(const boost::json::object& arguments);
  [[nodiscard]] std::string List() const;
  [[nodiscard]] std::string Objects() const;
  [[nodiscard]] const Backend* FindBackend(const std::string& id) const;
  void Answer(const Dimm& dimm, int source, int status);

  int64_t boot_bytes_;
  int slots_;
  int64_t most_bytes_;
  bool knows_memory_;
  bool numa_;
  int64_t huge_page_bytes_;
  int64_t virtio_mem_bytes_;
  int64_t virtio_mem_requested_;
  int64_t virtio_mem_most_;
  std::vector<Backend> backends_;
  std::vector<Dimm> dimms_;
  UnplugAnswer answer_ = UnplugAnswer::kLetsGo;
  std::vector<FakeEvent> events_;
};

}  // namespace ballast::fakes
