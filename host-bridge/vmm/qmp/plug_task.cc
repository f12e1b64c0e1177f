#include "host-bridge/vmm/qmp/plug_task.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "host-bridge/vmm/plug_reading.h"
#include "host-bridge/vmm/qmp/dimm_address.h"

namespace ballast::vmm::qmp {

namespace json = boost::json;

void PlugTask::Start() {
  const int64_t unit = tools_.watch->devices().dimm_unit_bytes;
  if (bytes_ <= 0 || bytes_ % unit != 0) {
    return Finish(absl::InvalidArgumentError(
                      StrCat("a DIMM of ", bytes_, " bytes: expected a multiple of ", unit, " above 0")),
                  "");
  }
  Read([this] {
    if (const absl::Status room = CheckRoom(); !room.ok()) return Finish(room, "");
    ChooseNames();
    FindBootMemory();
  });
}

absl::Status PlugTask::CheckRoom() const {
  const DeviceReading& devices = tools_.watch->devices();
  if (!devices.can_plug_dimms) {
    return absl::ResourceExhaustedError(
        "this VM has no slots for DIMMs: start QEMU (7.1 or newer) with -m SIZE,slots=NUMBER,maxmem=SIZE");
  }
  if (devices.free_slots == 0) {
    return absl::ResourceExhaustedError("no slot for a DIMM is free: -m slots= gives their number");
  }
  if (bytes_ > devices.free_bytes) {
    return absl::ResourceExhaustedError(StrCat("a DIMM of ", bytes_, " bytes does not fit: ",
                                               devices.free_bytes, " bytes are left below -m maxmem="));
  }
  return absl::OkStatus();
}

// The smallest number that neither a device nor a backend has.
void PlugTask::ChooseNames() {
  const auto& backends = *tools_.watch->facts().backends;
  for (int number = 0;; ++number) {
    device_ = StrCat(kDimmPrefix, number);
    backend_ = StrCat(kBackendPrefix, number);
    const bool taken = std::any_of(backends.begin(), backends.end(),
                                   [&](const Backend& backend) { return backend.id == backend_; });
    if (!taken && Find(device_) == nullptr) return;
  }
}

void PlugTask::FindBootMemory() {
  Ask("qom-get", {{"path", "/machine"}, {"property", "memory-backend"}},
      [this](const absl::StatusOr<json::value>& result) {
        if (IsLost(result.status())) return Finish(result.status(), "");
        // Empty where the memory is spread over NUMA nodes: each has a backend that no device uses.
        const std::string name = result.ok() ? ParseLink(*result).value_or("") : "";
        const auto& used = tools_.watch->facts().devices.backends;
        for (const Backend& backend : *tools_.watch->facts().backends) {
          const bool of_boot = name.empty()
                                   ? !backend.id.starts_with(kBackendPrefix) &&
                                         std::find(used.begin(), used.end(), backend.id) == used.end()
                                   : backend.id == name;
          if (of_boot) return ReadKind(backend);
        }
        AddBackend();
      });
}

void PlugTask::ReadKind(const Backend& boot) {
  const std::string path = StrCat("/objects/", boot.id);
  Ask("qom-get", {{"path", path}, {"property", "share"}},
      [this, path, memfd = boot.type == "memory-backend-memfd"](const absl::StatusOr<json::value>& result) {
        if (IsLost(result.status())) return Finish(result.status(), "");
        kind_.share = result.ok() && ParseSwitch(*result).value_or(false);
        // Files have huge pages by where they are; a second one there would be the same file.
        if (!memfd) return AddBackend();
        ReadHugePages(path);
      });
}

void PlugTask::ReadHugePages(const std::string& path) {
  Ask("qom-get", {{"path", path}, {"property", "hugetlb"}},
      [this](const absl::StatusOr<json::value>& result) {
        kind_.huge_pages = result.ok() && ParseSwitch(*result).value_or(false);
      });
  Ask("qom-get", {{"path", path}, {"property", "hugetlbsize"}},
      [this](const absl::StatusOr<json::value>& result) {
        if (IsLost(result.status())) return Finish(result.status(), "");
        kind_.page_bytes = result.ok() ? ParseSize(*result).value_or(0) : 0;
        AddBackend();
      });
}

void PlugTask::AddBackend() {
  json::object arguments{{"id", backend_}, {"size", bytes_}};
  arguments["qom-type"] = kind_.share || kind_.huge_pages ? "memory-backend-memfd" : "memory-backend-ram";
  if (kind_.share) arguments["share"] = true;
  if (kind_.huge_pages) {
    arguments["hugetlb"] = true;
    if (kind_.page_bytes > 0) {
      arguments["hugetlbsize"] = kind_.page_bytes;
      if (bytes_ % kind_.page_bytes != 0) {
        return Finish(
            absl::InvalidArgumentError(StrCat("a DIMM of ", bytes_, " bytes: this VM's memory is made of ",
                                              "pages of ", kind_.page_bytes, " bytes")),
            "");
      }
    }
  }
  Ask("object-add", std::move(arguments), [this](const absl::StatusOr<json::value>& result) {
    if (!result.ok()) return Finish(AsExhausted(result.status()), "");
    tools_.balloon->Hold([self = weak_from_this(), this, balloon = tools_.balloon] {
      if (const auto task = self.lock()) return AddDevice();
      balloon->Release();
    });
  });
}

void PlugTask::AddDevice() {
  // A block and a page, each a power of two: the one is the guest's condition, the other QEMU's.
  const int64_t unit = std::max(tools_.watch->devices().dimm_unit_bytes, kind_.page_bytes);
  AddDeviceAt(DimmAddress(tools_.watch->facts().devices.taken, bytes_, unit));
}

// QEMU alone knows where the space for devices begins and ends: there may be none left at that address, and
// some below the first device. What it then chooses itself the guest takes, or it is unplugged again.
void PlugTask::AddDeviceAt(std::optional<int64_t> address) {
  json::object arguments{{"driver", "pc-dimm"}, {"id", device_}, {"memdev", backend_}};
  if (address) arguments["addr"] = *address;
  Ask("device_add", std::move(arguments), [this, address](const absl::StatusOr<json::value>& result) {
    if (address && !result.ok() && !IsLost(result.status())) return AddDeviceAt(std::nullopt);
    if (result.ok()) tools_.watch->AddToBase(bytes_);
    tools_.balloon->Release();
    if (IsLost(result.status())) return Finish(result.status(), device_);
    if (!result.ok()) return RollBack(AsExhausted(result.status()));
    Read([this] { Finish(absl::OkStatus(), device_); });
  });
}

void PlugTask::RollBack(const absl::Status& why) {
  Ask("object-del", {{"id", backend_}}, [this, why](const absl::StatusOr<json::value>& result) {
    if (result.ok()) return Finish(why, "");
    Finish(absl::Status(why.code(), StrCat(MessageOf(why), "; and its backend ", backend_,
                                           " is left over: ", MessageOf(result.status()))),
           "");
  });
}

}  // namespace ballast::vmm::qmp
