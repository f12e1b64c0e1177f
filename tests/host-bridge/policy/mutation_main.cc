// A test of the tests: linked with a policy in which one line is wrong, this ends well only when the named
// invariant's check finds that within its budget. With a folder, the world that shows it is shrunk and
// written there: one for tests/fixtures/worlds, where what this rule is for stays written down.
#include <cstdio>

#include "tests/host-bridge/policy/property_runner.h"

int main(int argc, char** argv) {
  using namespace ballast::policy;
  const Property* property = argc == 2 || argc == 3 ? FindProperty(argv[1]) : nullptr;
  if (property == nullptr) {
    std::fprintf(stderr, "usage: %s I1..I9 [folder]\n", argv[0]);
    return 2;
  }
  const auto failure = RunProperty(*property, FullBudgetFor(*property));
  if (!failure) {
    std::printf("%s does not notice\n", argv[1]);
    return 1;
  }
  std::printf("%s after %lld guest-steps: %s\n", argv[1], static_cast<long long>(failure->steps),
              failure->what.c_str());
  if (argc == 3) std::printf("%s\n", Report(*property, *failure, argv[2]).c_str());
  return 0;
}
