// calibration-recorder DIRECTORY [STORY...]: plays the stories (all, or those named) to real guests, one
// after the other, and writes DIRECTORY/STORY.txt. About half a minute each. For the comparison with the
// simulator: tests/host-bridge/lab/calibration.
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "tests/lab/calibration/recorder.h"

namespace ballast::lab {
namespace {

bool IsWanted(const std::string& name, const std::vector<std::string>& wanted) {
  if (wanted.empty()) return true;
  for (const std::string& one : wanted) {
    if (one == name) return true;
  }
  return false;
}

int RecordAll(const std::string& directory, const std::vector<std::string>& wanted) {
  int recorded = 0;
  for (const Story& story : AllStories()) {
    if (!IsWanted(story.name, wanted)) continue;
    std::printf("%s: %s\n", story.name.c_str(), story.about.c_str());
    std::fflush(stdout);
    const auto recording = Record(story);
    if (!recording.ok()) {
      std::fprintf(stderr, "calibration-recorder: %s: %s\n", story.name.c_str(),
                   MessageOf(recording.status()).c_str());
      return 1;
    }
    const std::string path = StrCat(directory, "/", story.name, ".txt");
    std::ofstream file(path);
    file << FormatRecording(*recording);
    file.close();
    if (!file) {
      std::fprintf(stderr, "calibration-recorder: cannot write %s\n", path.c_str());
      return 1;
    }
    ++recorded;
  }
  if (recorded == 0) std::fprintf(stderr, "calibration-recorder: no such story\n");
  return recorded == 0 ? 2 : 0;
}

}  // namespace
}  // namespace ballast::lab

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: calibration-recorder DIRECTORY [STORY...]\n");
    return 64;
  }
  return ballast::lab::RecordAll(argv[1], std::vector<std::string>(argv + 2, argv + argc));
}
