#include "tests/lab/assets.h"

#include <unistd.h>

#include "common/base/text.h"

namespace ballast::lab {
namespace {

constexpr char kQemu[] = "/usr/bin/qemu-system-x86_64";
constexpr char kHostVsock[] = "/dev/vhost-vsock";

bool IsThere(const std::string& path) { return access(path.c_str(), R_OK) == 0; }

}  // namespace

absl::StatusOr<Assets> FindAssets() {
  const std::string cache = BALLAST_LAB_CACHE;
  Assets assets{.kernel = cache + "/kernel/vmlinuz",
                .initramfs = BALLAST_LAB_INITRAMFS,
                .vsock_device = cache + "/vsock/vhost-device-vsock",
                .vsock_libraries = cache + "/vsock/lib",
                .qemu = kQemu,
                .cache = cache};
  if (access(kHostVsock, R_OK | W_OK) == 0) assets.vsock_device.clear();
  for (const std::string& path : {assets.qemu, assets.kernel, assets.initramfs, assets.vsock_device}) {
    if (path.empty() || IsThere(path)) continue;  // no vsock device: the host has its own
    return absl::FailedPreconditionError(
        StrCat(path, " is missing: no guest can be booted. './dev test' fetches and builds what is needed ",
               "(by hand: tests/lab/fetch-assets ", cache, ", then configure and build again)"));
  }
  return assets;
}

}  // namespace ballast::lab
