#include "tests/lab/guest/lab_guest.h"

#include <time.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ballast::lab::guest {

Options::Options(int argc, char** argv) {
  for (int i = 0; i < argc; ++i) {
    if (std::strncmp(argv[i], "--", 2) != 0) continue;
    const bool has_value = i + 1 < argc && std::strncmp(argv[i + 1], "--", 2) != 0;
    values_[argv[i] + 2] = has_value ? argv[i + 1] : "1";
  }
}

int64_t Options::Number(const std::string& name, int64_t fallback) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return fallback;
  char* end = nullptr;
  const long long value = std::strtoll(found->second.c_str(), &end, 10);
  return end == found->second.c_str() ? fallback : value;
}

std::string Options::Text(const std::string& name, const std::string& fallback) const {
  const auto found = values_.find(name);
  return found == values_.end() ? fallback : found->second;
}

int64_t NowMs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

void SleepUntilMs(int64_t when_ms) {
  const timespec when{.tv_sec = when_ms / 1000, .tv_nsec = when_ms % 1000 * 1'000'000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr) == EINTR) {
  }
}

}  // namespace ballast::lab::guest

int main(int argc, char** argv) {
  using namespace ballast::lab::guest;
  const std::string command = argc > 1 ? argv[1] : "";
  const Options options(argc - 1, argv + 1);
  setvbuf(stdout, nullptr, _IOLBF, 0);  // a killed program has said what it reached
  if (command == "serve") return Serve(options);
  if (command == "hog") return Hog(options);
  if (command == "cache") return Cache(options);
  if (command == "sample") return Sample(options);
  if (command == "poll") return Poll(options);
  if (command == "zram") return Zram(options);
  if (command == "storm") return Storm(options);
  if (command == "stat") return Stat(options);
  if (command == "pin") return Pin(options);
  if (command == "fragment") return Fragment(options);
  if (command == "uevents") return Uevents(options);
  std::fprintf(stderr,
               "usage: lab-guest serve|hog|cache|poll|sample|zram|storm|stat|pin|fragment|uevents [--option "
               "value]...\n");
  return 64;
}
