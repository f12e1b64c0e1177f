#include "guest-agent/sensors/machine_facts.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "common/base/text.h"

namespace ballast::agent {
namespace {

constexpr std::string_view kVirtioDevices = "/sys/bus/virtio/devices";
constexpr std::string_view kBalloonDeviceId = "0x0005";
constexpr size_t kMaxLine = 4096;  // no fact read here comes near

std::string ReadLine(const FileReader& files, std::string_view path) {
  auto text = files.Read(path, kMaxLine);
  if (!text.ok()) return "";
  return text->substr(0, text->find('\n'));
}

}  // namespace

std::optional<kernel::BalloonFeatures> FindBalloon(const FileReader& files) {
  std::error_code error;
  std::filesystem::directory_iterator entry(files.PathOf(kVirtioDevices), error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string device = StrCat(kVirtioDevices, "/", entry->path().filename().string());
    if (ReadLine(files, StrCat(device, "/device")) != kBalloonDeviceId) continue;
    const std::string text = ReadLine(files, StrCat(device, "/features"));
    // Each driver agrees on some; before one has come, none is agreed on.
    if (text.find('1') == std::string::npos) continue;
    if (const auto features = kernel::ParseBalloonFeatures(text); features.ok()) return *features;
  }
  return std::nullopt;
}

MachineFacts ReadMachineFacts(const FileReader& files) {
  return {.boot_id = ReadLine(files, "/proc/sys/kernel/random/boot_id"),
          .kernel_release = ReadLine(files, "/proc/sys/kernel/osrelease"),
          .page_size_bytes = ::sysconf(_SC_PAGESIZE),
          .balloon = FindBalloon(files)};
}

}  // namespace ballast::agent
