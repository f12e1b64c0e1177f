#include "tests/lab/assets.h"

#include <unistd.h>

#include <utility>

#include "common/base/text.h"
#include "tests/lab/child_process.h"

namespace ballast::lab {
namespace {

constexpr char kQemu[] = "/usr/bin/qemu-system-x86_64";
constexpr char kHostVsock[] = "/dev/vhost-vsock";

absl::Status Missing(const std::string& path) {
  return absl::FailedPreconditionError(
      StrCat(path, " is missing: no guest can be booted. './dev test' fetches and builds what is needed ",
             "(by hand: tests/lab/fetch-assets ", BALLAST_LAB_CACHE, ", then configure and build again)"));
}

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
    return Missing(path);
  }
  return assets;
}

absl::StatusOr<std::vector<LabKernel>> LabKernels() {
  std::vector<LabKernel> kernels;
  for (const auto& [directory, initramfs] :
       {std::pair("/kernel", BALLAST_LAB_INITRAMFS),
        std::pair("/kernel-backports", BALLAST_LAB_INITRAMFS_BACKPORTS)}) {
    const std::string place = std::string(BALLAST_LAB_CACHE) + directory;
    LabKernel kernel{
        .release = ReadWholeFile(place + "/release"), .kernel = place + "/vmlinuz", .initramfs = initramfs};
    for (const std::string& path : {place + "/release", kernel.kernel, kernel.initramfs}) {
      if (!IsThere(path)) return Missing(path);
    }
    kernel.release.erase(kernel.release.find_last_not_of('\n') + 1);
    kernels.push_back(std::move(kernel));
  }
  return kernels;
}

}  // namespace ballast::lab
