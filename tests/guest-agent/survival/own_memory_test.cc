#include "guest-agent/survival/own_memory.h"

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>

namespace ballast::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string Mapping(const std::string& header, int anonymous_kb, int swap_kb = 0) {
  return header +
         "\nSize:                  8 kB\nRss:                   8 kB\nPrivate_Dirty:         8 kB\n" +
         "Anonymous:             " + std::to_string(anonymous_kb) +
         " kB\nSwap:                  " + std::to_string(swap_kb) + " kB\nVmFlags: rd ex mr mw me\n";
}

TEST(CleanFileMappings, AreThoseWithoutPagesOfTheirOwn) {
  const std::string smaps =
      Mapping("00400000-00401000 r--p 00000000 00:02 17                                 /bin/ballast-agent",
              0) +
      Mapping("00401000-009f1000 r-xp 00001000 00:02 17                                 /bin/ballast-agent",
              0) +
      Mapping("00bab000-00bcc000 r--p 007a9000 00:02 17                                 /bin/ballast-agent",
              8) +
      Mapping("00bcc000-00bcd000 r--p 007a9000 00:02 17                                 /bin/ballast-agent",
              0, 4) +
      Mapping("00bcd000-00bd2000 rw-p 007ca000 00:02 17                                 /bin/ballast-agent",
              0) +
      Mapping("20aca000-20b4b000 rw-p 00000000 00:00 0                                  [heap]", 0) +
      Mapping("7facb7caa000-7facb7cab000 r--s 00000000 00:05 3                          /dev/shared", 0) +
      Mapping("7ffd24309000-7ffd2430b000 r-xp 00000000 00:00 0                          [vdso]", 0);
  EXPECT_THAT(CleanFileMappings(smaps),
              ElementsAre(AddressRange{0x400000, 0x401000}, AddressRange{0x401000, 0x9f1000}));
}

TEST(CleanFileMappings, PassOverWhatMakesNoSense) {
  EXPECT_THAT(CleanFileMappings(""), IsEmpty());
  EXPECT_THAT(
      CleanFileMappings("Anonymous: 0 kB\n-\n - \nzz-qq r-xp 0 0 0 /x\n2000-1000 r-xp 0 0 0 /x\n1000-2000"),
      IsEmpty());
  EXPECT_THAT(CleanFileMappings("1000-2000 r-xp 0 0 0 /x"), ElementsAre(AddressRange{0x1000, 0x2000}));
}

TEST(StackMapping, IsTheMainThreads) {
  const std::string heap =
      Mapping("20aca000-20b4b000 rw-p 00000000 00:00 0                                  [heap]", 8);
  EXPECT_EQ(StackMapping(heap), std::nullopt);
  EXPECT_EQ(
      StackMapping(
          heap +
          Mapping("7ffd24200000-7ffd24221000 rw-p 00000000 00:00 0                          [stack]", 84) +
          Mapping("7ffd24309000-7ffd2430b000 r-xp 00000000 00:00 0                          [vdso]", 0)),
      (AddressRange{0x7ffd24200000, 0x7ffd24221000}));
}

// Deep once, as a start may be. The address of the deepest byte.
[[gnu::noinline]] uintptr_t GoDeep() {
  volatile char room[100 * 1024];
  for (size_t i = 0; i < sizeof room; i += 1024) room[i] = 1;
  return reinterpret_cast<uintptr_t>(&room[0]);
}

// 1 or 0; -1 where nothing is mapped.
int Resident(uintptr_t address) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  unsigned char resident = 0;
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  return ::mincore(reinterpret_cast<void*>(address & ~(page - 1)), page, &resident) == 0 ? resident & 1 : -1;
}

TEST(DropColdPages, LetsGoOfTheStackThatIsNotInUse) {
  const uintptr_t deepest = GoDeep();
  ASSERT_EQ(Resident(deepest), 1);
  (void)DropColdPages();
  EXPECT_EQ(Resident(deepest), 0);
}

// Resident bytes of the mapping that holds this function.
int64_t ResidentText() {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t here = reinterpret_cast<uintptr_t>(&ResidentText) & ~(page - 1);
  unsigned char resident = 0;
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  return ::mincore(reinterpret_cast<void*>(here), page, &resident) == 0 ? resident & 1 : -1;
}

TEST(DropColdPages, LosesNothing) {
  const std::string before = "what is on the heap";
  EXPECT_GT(DropColdPages(), 64 * 1024) << "this program has more text than that";
  EXPECT_EQ(before, std::string("what is on ") + "the heap");
  EXPECT_EQ(ResidentText(), 1) << "what runs is there again";
}

}  // namespace
}  // namespace ballast::agent
