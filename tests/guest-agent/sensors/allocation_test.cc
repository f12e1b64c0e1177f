// A look at a pressed guest allocates nothing: memory may be what it has none of. A binary of its own, since
// it counts every allocation of the program.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "common/base/units.h"
#include "guest-agent/sensors/sensors.h"
#include "tests/common/kernel/fixture.h"
#include "tests/guest-agent/sensors/file_tree.h"

namespace {
size_t allocations = 0;

// Out of line: the compiler must not see through to free() from one side alone.
[[gnu::noinline]] void Free(void* memory) { std::free(memory); }
}  // namespace

void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { Free(memory); }
void operator delete(void* memory, size_t) noexcept { Free(memory); }

namespace ballast::agent {
namespace {

constexpr MonotonicTime kStart{1'000'000'000'000};

void PutAll(const FileTree& tree, std::string_view meminfo) {
  tree.Put("/proc/meminfo", meminfo);
  tree.Put("/proc/vmstat", kernel::Fixture("vmstat-6.12"));
  tree.Put("/proc/zoneinfo", kernel::Fixture("zoneinfo-6.12"));
  tree.Put("/proc/swaps", kernel::Fixture("swaps-6.12"));
  tree.Put("/proc/pressure/memory", kernel::Fixture("pressure-memory-6.12"));
  tree.Put("/proc/pressure/io", kernel::Fixture("pressure-memory-6.12"));
  tree.Put("/sys/block/zram0/disksize", "419430400\n");
  tree.Put("/sys/block/zram0/mm_stat", kernel::Fixture("mm_stat-6.12"));
  tree.Put("/sys/block/zram0/io_stat", kernel::Fixture("io_stat-6.12"));
  tree.Put("/sys/block/zram0/bd_stat", kernel::Fixture("bd_stat-6.12"));
  tree.Put("/sys/block/zram0/comp_algorithm", kernel::Fixture("comp_algorithm-6.12"));
  tree.Put("/sys/fs/cgroup/cgroup.controllers", "memory\n");
  tree.Put("/sys/fs/cgroup/cgroup.subtree_control", "memory\n");
  for (const char* name : {"a", "b"}) {
    tree.Put(StrCat("/sys/fs/cgroup/", name, "/memory.current"), "4096\n");
    tree.Put(StrCat("/sys/fs/cgroup/", name, "/memory.max"), "max\n");
    tree.Put(StrCat("/sys/fs/cgroup/", name, "/memory.swap.current"), "0\n");
    tree.Put(StrCat("/sys/fs/cgroup/", name, "/memory.events"), kernel::Fixture("memory.events-6.12"));
  }
}

TEST(SensorsAllocation, APressedLookAllocatesNothing) {
  const FileTree tree;
  PutAll(tree, "MemTotal: 1000000 kB\nMemFree: 9000 kB\nMemAvailable: 10000 kB\n");
  Sensors sensors(tree.Files());
  (void)sensors.Read(kStart, true);
  const size_t before = allocations;
  const ptrdiff_t descriptors = OpenDescriptors();
  const size_t own = allocations - before;  // of counting the descriptors
  for (int look = 1; look <= 3'000; ++look)
    (void)sensors.Read(kStart + Milliseconds(5 * look), look % 100 == 0);
  EXPECT_EQ(allocations - before - own, 0u);
  EXPECT_EQ(OpenDescriptors(), descriptors);
  const Readings& readings = sensors.Read(kStart + Seconds(60), false);
  EXPECT_TRUE(readings.signals.zones && readings.signals.swap);
  EXPECT_EQ(readings.signals.zram.size(), 1u);
  EXPECT_EQ(readings.signals.cgroups.size(), 2u);
}

// Shows that the count above would notice, and that descriptors do not pile up.
TEST(SensorsAllocation, ACalmLookMaySearchAndKeepsNoDescriptor) {
  const FileTree tree;
  PutAll(tree, kernel::Fixture("meminfo-6.12"));
  Sensors sensors(tree.Files());
  (void)sensors.Read(kStart, true);
  const ptrdiff_t descriptors = OpenDescriptors();
  const size_t before = allocations;
  for (int look = 1; look <= 100; ++look) (void)sensors.Read(kStart + Seconds(look), false);
  EXPECT_GT(allocations, before);
  EXPECT_EQ(OpenDescriptors(), descriptors);
}

}  // namespace
}  // namespace ballast::agent
