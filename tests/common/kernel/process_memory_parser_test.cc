#include "common/kernel/process_memory_parser.h"

#include <gtest/gtest.h>

#include <string>

#include "common/base/units.h"

namespace ballast::kernel {
namespace {

// Of a QEMU process with 512 MiB of shared guest RAM.
constexpr std::string_view kStatus =
    "Name:\tqemu-system-x86\n"
    "State:\tS (sleeping)\n"
    "VmPeak:\t 1836900 kB\n"
    "VmRSS:\t  403120 kB\n"
    "RssAnon:\t  121916 kB\n"
    "RssFile:\t   37480 kB\n"
    "RssShmem:\t  243724 kB\n"
    "HugetlbPages:\t    2048 kB\n"
    "Threads:\t5\n";

TEST(ProcessMemory, IsReadByKind) {
  const auto memory = ParseProcessMemory(kStatus);
  ASSERT_TRUE(memory.ok()) << memory.status();
  EXPECT_EQ(*memory, (ProcessMemory{121'916 * kKiB, 243'724 * kKiB, 2048 * kKiB}));
}

TEST(ProcessMemory, AnOldKernelSaysNothingOfHugePages) {
  const auto memory = ParseProcessMemory("RssAnon:\t 4 kB\nRssShmem:\t 8 kB\n");
  ASSERT_TRUE(memory.ok()) << memory.status();
  EXPECT_EQ(*memory, (ProcessMemory{4 * kKiB, 8 * kKiB, 0}));
}

TEST(ProcessMemory, AKernelThreadHasNone) {
  const auto memory = ParseProcessMemory("Name:\tkthreadd\nThreads:\t1\n");
  EXPECT_EQ(memory.status().message(), "process status: RssAnon is missing");
  EXPECT_EQ(ParseProcessMemory("RssAnon:\t 4 kB\n").status().message(),
            "process status: RssShmem is missing");
}

TEST(ProcessMemory, WhatIsNoNumberIsNamed) {
  for (const char* wrong : {"x kB", "4", "-4 kB", "9999999999999999999 kB", "4 MB"}) {
    const auto memory = ParseProcessMemory(std::string("RssAnon:\t") + wrong + "\nRssShmem:\t 8 kB\n");
    EXPECT_EQ(memory.status().message(), "process status: RssAnon is not a number of kB below 2^62 bytes")
        << wrong;
  }
}

}  // namespace
}  // namespace ballast::kernel
