// Runs a fuzz target without a fuzzer: over the files given, all their beginnings, and a few thousand inputs
// made from them by chance (the same ones at every run).
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kMutants = 3000;  // of each file
constexpr size_t kLongest = 64 * 1024;

// On the heap in exactly its size, so that a sanitizer sees a read past its end.
void Run(const std::string& bytes) {
  const std::string copy = bytes;
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(copy.data()), copy.size());
}

// A number or a sign that parsers stumble over.
std::string Snag(std::mt19937_64& random) {
  static const std::string snags[] = {"0",
                                      "-1",
                                      "18446744073709551615",
                                      "9223372036854775808",
                                      "99999999999999999999",
                                      "kB",
                                      ":",
                                      "\n",
                                      " ",
                                      std::string(1, '\0'),
                                      "=",
                                      "[",
                                      ",",
                                      "max",
                                      "\xff\xfe"};
  return snags[random() % std::size(snags)];
}

std::string Mutant(std::string bytes, std::mt19937_64& random) {
  for (uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
    const size_t at = bytes.empty() ? 0 : random() % bytes.size();
    const size_t length = bytes.empty() ? 0 : random() % (bytes.size() - at + 1) % 64;
    switch (random() % 5) {
      case 0:
        if (!bytes.empty()) bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes.erase(at, length);
        break;
      case 2:
        bytes.insert(at, bytes.substr(at, length));
        break;
      case 3:
        bytes.replace(at, length, Snag(random));
        break;
      case 4:
        bytes.resize(at);
        break;
    }
  }
  return bytes.substr(0, kLongest);
}

}  // namespace

int main(int argc, char** argv) {
  std::mt19937_64 random(1);
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (!file) {
      std::fprintf(stderr, "%s: cannot be read\n", argv[i]);
      return 1;
    }
    Run(bytes);
    for (size_t length = 0; length < bytes.size() && length < 512; ++length) Run(bytes.substr(0, length));
    for (int mutant = 0; mutant < kMutants; ++mutant) Run(Mutant(bytes, random));
  }
  return argc > 1 ? 0 : 1;
}
