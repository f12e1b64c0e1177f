#include "guest-agent/sensors/zram_reader.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <system_error>

#include "common/base/text.h"
#include "common/kernel/amount_parser.h"
#include "guest-agent/sensors/pinned_reading.h"

namespace ballast::agent {
namespace {

constexpr std::string_view kBlockDevices = "/sys/block";
constexpr std::string_view kNamePrefix = "zram";
// The longest of these files is mm_stat, nine numbers.
constexpr size_t kCapacity = 512;
constexpr size_t kMaxAlgorithms = 4096;
// A guest with more disks than that has its zram devices elsewhere in the list; they are few everywhere.
constexpr int kMaxBlockDevices = 4096;

// The N of "zramN".
std::optional<int> NumberOf(std::string_view name) {
  if (!name.starts_with(kNamePrefix)) return std::nullopt;
  name.remove_prefix(kNamePrefix.size());
  int number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size() || number < 0) return std::nullopt;
  return number;
}

// The lowest kMaxZramDevices numbers.
std::vector<int> FindDevices(const FileReader& files) {
  std::vector<int> numbers;
  std::error_code error;
  std::filesystem::directory_iterator entry(files.PathOf(kBlockDevices), error);
  for (int seen = 0; !error && seen < kMaxBlockDevices && entry != std::filesystem::directory_iterator();
       entry.increment(error), ++seen) {
    if (const auto number = NumberOf(entry->path().filename().string())) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  if (numbers.size() > kMaxZramDevices) numbers.resize(kMaxZramDevices);
  return numbers;
}

auto ParseDisksize(std::string_view text) { return kernel::ParseAmount("disksize", text); }

std::string PathOf(int number, std::string_view file) {
  return StrCat(kBlockDevices, "/", kNamePrefix, number, "/", file);
}

}  // namespace

void ZramReader::Rescan() {
  const std::vector<int> numbers = FindDevices(files_);
  std::vector<Device> devices;
  for (const int number : numbers) {
    const auto known = std::find_if(devices_.begin(), devices_.end(),
                                    [&](const Device& device) { return device.number == number; });
    // One that was removed and made again has new files; the old ones can no longer be read.
    const bool alive = known != devices_.end() && known->disksize->Read().ok();
    auto device = alive ? std::make_optional(std::move(*known)) : Open(number);
    if (!device) continue;
    AskAlgorithm(*device);
    devices.push_back(*std::move(device));
  }
  devices_ = std::move(devices);
}

void ZramReader::AskAlgorithm(Device& device) const {
  const auto disksize = ReadWith(device.disksize, ParseDisksize).value_or(0);
  if (disksize != device.disksize_bytes) device.plan = ZramPlan();
  device.disksize_bytes = disksize;
  const auto text = files_.Read(PathOf(device.number, "comp_algorithm"), kMaxAlgorithms);
  const auto in_use = kernel::ParseZramAlgorithm(text.ok() ? std::string_view(*text) : std::string_view());
  device.algorithm = CleanFixedText<32>(in_use.ok() ? *in_use : "");
}

std::optional<ZramReader::Device> ZramReader::Open(int number) const {
  std::string ignored;  // a device that vanishes again; DeviceCount tells
  Device device;
  device.number = number;
  device.disksize = OpenOrSay(files_, PathOf(number, "disksize"), kCapacity, ignored);
  device.mm_stat = OpenOrSay(files_, PathOf(number, "mm_stat"), kCapacity, ignored);
  device.io_stat = OpenOrSay(files_, PathOf(number, "io_stat"), kCapacity, ignored);
  device.bd_stat = OpenOrSay(files_, PathOf(number, "bd_stat"), kCapacity, ignored);
  if (!device.disksize || !device.mm_stat) return std::nullopt;
  return device;
}

void ZramReader::Read(MonotonicTime now, ZramReadings& readings) {
  readings.Clear();
  for (Device& device : devices_) {
    ZramReading reading;
    if (ReadDevice(now, device, reading)) readings.Add(reading);
  }
}

// False for a device without a size, and for one that cannot be read.
bool ZramReader::ReadDevice(MonotonicTime now, Device& device, ZramReading& reading) const {
  const auto disksize = ReadWith(device.disksize, ParseDisksize);
  const auto memory = ReadWith(device.mm_stat, kernel::ParseZramMemory);
  if (!disksize || !memory) return false;
  if (*disksize != device.disksize_bytes) {
    // It was made anew, perhaps with another algorithm; the next search asks.
    device.disksize_bytes = *disksize;
    device.algorithm = {};
    device.plan = ZramPlan();
  }
  if (*disksize == 0) return false;
  std::array<char, 16> name{'z', 'r', 'a', 'm'};
  const auto end =
      std::to_chars(name.data() + kNamePrefix.size(), name.data() + name.size(), device.number).ptr;
  reading.name = CleanFixedText<16>({name.data(), end});
  reading.algorithm = device.algorithm;
  reading.disksize_bytes = *disksize;
  reading.memory = *memory;
  reading.io = ReadWith(device.io_stat, kernel::ParseZramIo).value_or(kernel::ZramIo{});
  if (const auto bytes = ReadWith(device.bd_stat, kernel::ParseZramWrittenBack)) {
    reading.written_back_pages = *bytes / page_size_bytes_;
  }
  reading.outlook = device.plan.Next(now, *disksize, *memory, page_size_bytes_);
  return true;
}

}  // namespace ballast::agent
