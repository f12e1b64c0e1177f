// The zram devices of the guest: found now and then, read often.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/fixed_text.h"
#include "common/base/short_list.h"
#include "common/base/time.h"
#include "common/kernel/zram_parser.h"
#include "common/os/file_reader.h"
#include "common/os/pinned_file.h"
#include "guest-agent/sensors/zram_plan.h"

namespace ballast::agent {

inline constexpr size_t kMaxZramDevices = 8;

// One initialised device.
struct ZramReading {
  FixedText<16> name;       // "zram0"
  FixedText<32> algorithm;  // empty: unknown, as from a change of the size to the next search
  int64_t disksize_bytes = 0;
  kernel::ZramMemory memory;
  kernel::ZramIo io;
  std::optional<int64_t> written_back_pages;
  ZramOutlook outlook;

  friend bool operator==(const ZramReading&, const ZramReading&) = default;
};

using ZramReadings = ShortList<ZramReading, kMaxZramDevices>;

// Used by one thread. Holds at most four descriptors a device.
class ZramReader {
 public:
  ZramReader(FileReader files, int64_t page_size_bytes)
      : files_(std::move(files)), page_size_bytes_(page_size_bytes) {}

  // Lists /sys/block: takes in devices that appeared, lets go those that vanished. Allocates.
  void Rescan();
  [[nodiscard]] size_t DeviceCount() const { return devices_.size(); }

  // The devices that have a size, lowest number first. Allocates nothing but where a device's size changed:
  // with it comes another algorithm.
  void Read(MonotonicTime now, ZramReadings& readings);

 private:
  struct Device {
    int number = 0;
    std::optional<PinnedFile> disksize;
    std::optional<PinnedFile> mm_stat;
    std::optional<PinnedFile> io_stat;
    std::optional<PinnedFile> bd_stat;  // not everywhere
    int64_t disksize_bytes = 0;         // as last read
    FixedText<32> algorithm;
    ZramPlan plan;
  };
  [[nodiscard]] std::optional<Device> Open(int number) const;
  void AskAlgorithm(Device& device) const;
  [[nodiscard]] bool ReadDevice(MonotonicTime now, Device& device, ZramReading& reading) const;

  FileReader files_;
  int64_t page_size_bytes_;
  std::vector<Device> devices_;  // by number
};

}  // namespace ballast::agent
