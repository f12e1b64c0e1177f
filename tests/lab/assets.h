// Where the pieces are that a guest boots from.
#pragma once

#include <string>

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

}  // namespace ballast::lab
