// The fixture of tests that boot guests: skips aloud where none can be booted, and shows the guests' consoles
// when a test failed.
#pragma once

#include <cstdlib>
#include <iostream>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "tests/lab/guest.h"

namespace ballast::lab {

class LabTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const absl::StatusOr<Assets> assets = FindAssets();
    if (assets.ok()) return;
    // Where guests are known to boot (./dev test says so) a missing piece is a failure, not an excuse.
    if (std::getenv("BALLAST_LAB_REQUIRED") != nullptr) FAIL() << assets.status();
    GTEST_SKIP() << assets.status().message();
  }

  void TearDown() override {
    if (!HasFailure()) return;
    for (const auto& guest : guests_) {
      std::cerr << "--- console of guest '" << guest->options().name << "'\n"
                << guest->SerialLog() << "---\n";
    }
  }

  // A booted guest, owned by the fixture; nullptr (and a failed test) when it does not boot.
  Guest* Boot(const GuestOptions& options) {
    absl::StatusOr<std::unique_ptr<Guest>> guest = Guest::Boot(options);
    if (!guest.ok()) {
      ADD_FAILURE() << guest.status();
      return nullptr;
    }
    guests_.push_back(std::move(*guest));
    return guests_.back().get();
  }

 private:
  std::vector<std::unique_ptr<Guest>> guests_;
};

}  // namespace ballast::lab
