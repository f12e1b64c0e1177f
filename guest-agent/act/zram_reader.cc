#include "guest-agent/act/zram_reader.h"

#include "common/base/text.h"
#include "common/kernel/number_field.h"
#include "common/kernel/zram_parser.h"
#include "guest-agent/act/zram_state_parser.h"

namespace ballast::agent {
namespace {

constexpr int kMaxDevices = 64;

std::string PathOf(std::string_view device, std::string_view file) {
  return StrCat("/sys/block/", device, "/", file);
}

void ReadOptionalFiles(const FileReader& files, std::string_view device, ZramState& state) {
  if (const auto text = files.Read(PathOf(device, "backing_dev")); text.ok()) {
    std::string_view path = *text;
    path = kernel::TakeLine(path);
    if (path != "none") state.backing_device = path;
  }
  state.can_write_back = files.Exists(PathOf(device, "writeback"));
  state.can_recompress = files.Exists(PathOf(device, "recompress"));
  if (const auto text = files.Read(PathOf(device, "recomp_algorithm")); text.ok()) {
    state.recompressors = ParseRecompressors(*text);
  }
}

}  // namespace

std::vector<std::string> ListZramDevices(const FileReader& files) {
  std::vector<std::string> devices;
  for (int i = 0; i < kMaxDevices; ++i) {
    std::string name = StrCat("zram", i);
    if (files.Exists(PathOf(name, "disksize"))) devices.push_back(std::move(name));
  }
  return devices;
}

absl::StatusOr<ZramState> ReadZramState(const FileReader& files, std::string_view device) {
  ZramState state;
  state.name = device;
  const auto disksize = files.Read(PathOf(device, "disksize"));
  const auto mm_stat = files.Read(PathOf(device, "mm_stat"));
  const auto algorithms = files.Read(PathOf(device, "comp_algorithm"));
  for (const auto* text : {&disksize, &mm_stat, &algorithms}) {
    if (!text->ok()) return text->status();
  }
  std::string_view digits = *disksize;
  const auto bytes = kernel::TakeNumber(digits);
  if (!bytes)
    return absl::InternalError(StrCat(PathOf(device, "disksize"), ": '", *disksize, "' is no size"));
  state.disksize_bytes = *bytes;
  const auto memory = kernel::ParseZramMemory(*mm_stat);
  if (!memory.ok()) return WithContext(device, memory.status());
  state.memory = *memory;
  AlgorithmChoice choice = ParseAlgorithms(*algorithms);
  state.algorithm = std::move(choice.in_use);
  state.algorithms = std::move(choice.offered);
  ReadOptionalFiles(files, device, state);
  if (const auto swaps = files.Read("/proc/swaps"); swaps.ok()) {
    state.swap = FindSwap(*swaps, StrCat("/dev/", device));
  }
  return state;
}

}  // namespace ballast::agent
