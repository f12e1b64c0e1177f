#include "guest-agent/blocks/block_reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "common/base/text.h"

namespace ballast::agent {
namespace {

using kernel::BlockState;

// The beginning of a small file; nothing when there is none.
class SmallFile {
 public:
  SmallFile(int folder, const std::string& path) {
    const UniqueFd fd(::openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.IsOpen()) size_ = ::read(fd.Get(), bytes_.data(), bytes_.size());
  }
  [[nodiscard]] bool Exists() const { return size_ >= 0; }
  [[nodiscard]] std::string_view Text() const {
    return {bytes_.data(), static_cast<size_t>(std::max<ssize_t>(size_, 0))};
  }

 private:
  std::array<char, 128> bytes_;
  ssize_t size_ = -1;
};

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

}  // namespace

absl::StatusOr<BlockReader> BlockReader::Open(const FileReader& files) {
  const std::string path = files.PathOf(kMemoryFolder);
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const SmallFile size(folder.Get(), "block_size_bytes");
  if (!folder.IsOpen() || !size.Exists()) {
    return absl::NotFoundError(StrCat(path, " is missing: this kernel plugs no memory"));
  }
  const auto bytes = kernel::ParseBlockSize(size.Text());
  if (!bytes.ok()) return WithContext(path, bytes.status());
  return BlockReader(std::move(folder), *bytes);
}

absl::StatusOr<std::vector<Block>> BlockReader::Scan() const {
  const int copy = ::openat(folder_.Get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, CloseFolder> folder(copy < 0 ? nullptr : ::fdopendir(copy));
  if (folder == nullptr) {
    const int error = errno;
    if (copy >= 0) ::close(copy);
    return ErrnoStatus(error, "reading the memory blocks' folder");
  }
  std::vector<int64_t> numbers;
  while (const dirent* entry = ::readdir(folder.get())) {
    if (const auto number = kernel::BlockNumberOf(entry->d_name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  if (numbers.size() > kMaxBlocks) numbers.resize(kMaxBlocks);
  std::vector<Block> blocks;
  blocks.reserve(numbers.size());
  for (const int64_t number : numbers) {
    if (const auto block = Read(number)) blocks.push_back(*block);
  }
  return blocks;
}

std::optional<Block> BlockReader::Read(int64_t number) const {
  const std::string name = StrCat("memory", number);
  const SmallFile state_file(folder_.Get(), name + "/state");
  if (!state_file.Exists()) return std::nullopt;
  const auto state = kernel::ParseBlockState(state_file.Text());
  if (!state.ok()) return std::nullopt;
  Block block{.number = number, .state = *state};
  // Of an offline block this file must not be read: while one is being added kernels (6.1 and 6.12 were seen
  // to) follow a null pointer there, and kill who reads.
  if (*state != BlockState::kOnline) return block;
  const auto valid = kernel::ParseValidZones(SmallFile(folder_.Get(), name + "/valid_zones").Text());
  if (valid.ok() && !valid->zones.empty()) block.zone = valid->zones[0];
  return block;
}

std::string BlockReader::StatePath(int64_t number) {
  return StrCat(kMemoryFolder, "/memory", number, "/state");
}

}  // namespace ballast::agent
