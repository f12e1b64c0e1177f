// Where the pieces are that a guest boots from.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace ballast::lab {

struct Assets {
  std::string kernel;
  std::string initramfs;
  std::string vsock_device;     // vhost-device-vsock; empty when the host kernel's own vsock is used
  std::string vsock_libraries;  // for its LD_LIBRARY_PATH
  std::string qemu;
  std::string cache;  // a directory kept between runs
};

// FAILED_PRECONDITION names what is missing and the command that brings it.
[[nodiscard]] absl::StatusOr<Assets> FindAssets();

// A kernel guests can boot, with the initramfs that has its modules: for GuestOptions.
struct LabKernel {
  std::string release;  // "6.1.0-56-cloud-amd64"
  std::string kernel;
  std::string initramfs;
};

// All of them, the default one first. Errors as above.
[[nodiscard]] absl::StatusOr<std::vector<LabKernel>> LabKernels();

}  // namespace ballast::lab
