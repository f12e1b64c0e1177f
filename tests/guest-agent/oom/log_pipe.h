// A kernel log that a test writes: one record a read, as from /dev/kmsg.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string_view>

#include "common/os/unique_fd.h"

namespace ballast::agent {

class LogPipe {
 public:
  LogPipe() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_DIRECT | O_NONBLOCK | O_CLOEXEC), 0);
    reading_ = UniqueFd(ends[0]);
    writing_ = UniqueFd(ends[1]);
  }

  [[nodiscard]] UniqueFd TakeReader() { return std::move(reading_); }
  void Write(std::string_view record) {
    EXPECT_EQ(::write(writing_.Get(), record.data(), record.size()), static_cast<ssize_t>(record.size()));
  }
  void Close() { writing_.Reset(); }

 private:
  UniqueFd reading_;
  UniqueFd writing_;
};

}  // namespace ballast::agent
