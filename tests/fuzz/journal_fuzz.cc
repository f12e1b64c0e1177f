// Any bytes as a journal file: read up to where they make no sense, in bounded memory.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include "common/journal/format.h"
#include "common/journal/journal_reader.h"

namespace {

// In memory where there is /dev/shm; one file a process.
const std::string& Path() {
  static const std::string path = std::string(::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp") +
                                  "/ballast-fuzz-" + std::to_string(::getpid());
  return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using ballast::journal::JournalReader;
  {
    std::ofstream file(Path(), std::ios::binary | std::ios::trunc);
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    // The first byte lets inputs past the header and past the checksum, which hardly any would pass by
    // chance.
    const char how = bytes.empty() ? '\0' : bytes[0];
    if ((how & 1) != 0) file << ballast::journal::MakeFileHeader();
    if ((how & 2) != 0) {
      const std::string_view payload = std::string_view(bytes).substr(1, ballast::journal::kMaxPayloadBytes);
      file << ballast::journal::MakeBlock(ballast::journal::kBeginsFrame, payload);
    } else {
      file << bytes;
    }
  }
  if (auto reader = JournalReader::Open(Path()); reader.ok()) {
    while ((*reader)->Next() == JournalReader::Step::kRecord) {
    }
  }
  ::unlink(Path().c_str());
  return 0;
}
