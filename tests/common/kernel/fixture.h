// Recorded kernel files of tests/fixtures/kernel.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "common/os/file_reader.h"

namespace ballast::kernel {

inline std::string Fixture(std::string_view name) {
  const auto text = FileReader(BALLAST_SOURCE_DIR "/tests/fixtures/kernel").Read(name);
  EXPECT_TRUE(text.ok()) << text.status();
  return text.ok() ? *text : "";
}

}  // namespace ballast::kernel
