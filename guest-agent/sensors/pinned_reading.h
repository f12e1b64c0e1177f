// Kernel files opened once and read as structs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "common/base/text.h"
#include "common/os/file_reader.h"
#include "common/os/pinned_file.h"

namespace ballast::agent {

// The file, when it can be opened and read now; else nothing, and the reason why. Some kernels show a file
// but refuse the read (pressure when it is off).
[[nodiscard]] inline std::optional<PinnedFile> OpenOrSay(const FileReader& files, std::string_view path,
                                                         size_t capacity, std::string& reason) {
  auto file = PinnedFile::Open(files, path, capacity);
  const absl::Status status = file.ok() ? file->Read().status() : file.status();
  if (status.ok()) return *std::move(file);
  reason = MessageOf(status);
  return std::nullopt;
}

// What `parse` makes of the file's present text; nothing without a file, when it cannot be read and when the
// text is refused.
template <typename Parser>
[[nodiscard]] auto ReadWith(std::optional<PinnedFile>& file, Parser parse) {
  using Value = std::remove_cvref_t<decltype(*parse(std::string_view()))>;
  std::optional<Value> value;
  if (!file) return value;
  const auto text = file->Read();
  if (!text.ok()) return value;
  if (auto parsed = parse(*text); parsed.ok()) value = *std::move(parsed);
  return value;
}

}  // namespace ballast::agent
