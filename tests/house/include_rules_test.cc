#include "tests/house/include_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ballast::house {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<Violation> Check(std::string path, std::string_view included) {
  return CheckIncludes({std::move(path), "#include " + std::string(included) + "\n"});
}

struct Edge {
  const char* from;
  const char* to;

  friend void PrintTo(const Edge& edge, std::ostream* out) { *out << edge.from << " -> " << edge.to; }
};

class Forbidden : public ::testing::TestWithParam<Edge> {};
class Allowed : public ::testing::TestWithParam<Edge> {};

TEST_P(Forbidden, IsReported) {
  EXPECT_THAT(Check(GetParam().from, GetParam().to), SizeIs(1)) << GetParam().from << " -> " << GetParam().to;
}
TEST_P(Allowed, IsNot) { EXPECT_THAT(Check(GetParam().from, GetParam().to), IsEmpty()) << GetParam().from; }

INSTANTIATE_TEST_SUITE_P(
    IncludeRules, Forbidden,
    ::testing::Values(Edge{"common/base/time.h", "\"common/os/clock.h\""},              //
                      Edge{"common/base/time.h", "<unistd.h>"},                         //
                      Edge{"common/base/time.h", "<boost/json.hpp>"},                   //
                      Edge{"common/kernel/x.cc", "\"common/os/pinned_file.h\""},        //
                      Edge{"common/kernel/x.cc", "<sys/stat.h>"},                       //
                      Edge{"common/os/x.cc", "\"common/kernel/psi_parser.h\""},         //
                      Edge{"common/os/x.cc", "\"common/transport/socket.h\""},          //
                      Edge{"common/transport/x.cc", "\"host-bridge/vmm/actuator.h\""},  //
                      Edge{"common/transport/x.cc", "<grpcpp/grpcpp.h>"},               //
                      Edge{"host-bridge/policy/x.cc", "\"absl/status/status.h\""},      //
                      Edge{"host-bridge/policy/x.cc", "\"common/os/clock.h\""},         //
                      Edge{"host-bridge/policy/rules/x.cc", "\"host-bridge/vmm/actuator.h\""},
                      Edge{"host-bridge/policy/x.cc", "<thread>"},
                      Edge{"host-bridge/lab/world/x.cc", "<atomic>"},
                      Edge{"host-bridge/policy/x.cc", "\"ballast/guest/v1/guest_agent.pb.h\""},
                      Edge{"host-bridge/vmm/x.cc", "\"host-bridge/policy/decide.h\""},
                      Edge{"host-bridge/vmm/x.cc", "\"ballast/guest/v1/guest_agent.pb.h\""},
                      Edge{"host-bridge/config/x.cc", "\"host-bridge/policy/decide.h\""},
                      Edge{"host-bridge/config/x.cc", "<boost/json.hpp>"},
                      Edge{"host-bridge/config/x.cc", "<boost/asio.hpp>"},
                      Edge{"host-bridge/policy/x.cc", "<boost/asio.hpp>"},
                      Edge{"host-bridge/vmm/qmp/qmp_stream.cc", "<boost/asio/post.hpp>"},
                      Edge{"host-bridge/observe/x.cc", "\"host-bridge/policy/policy_config.h\""},
                      Edge{"host-bridge/observe/host_reader.cc", "\"ballast/guest/v1/guest_agent.pb.h\""},
                      Edge{"host-bridge/observe/convert_report.cc", "\"common/os/clock.h\""},
                      Edge{"host-bridge/control/x.cc", "\"ballast/guest/v1/guest_agent.grpc.pb.h\""},
                      Edge{"host-bridge/main.cc", "\"guest-agent/service/watch.h\""},
                      Edge{"guest-agent/sensors/x.cc", "\"ballast/guest/v1/guest_agent.pb.h\""},
                      Edge{"guest-agent/sensors/x.cc", "\"guest-agent/service/watch.h\""},
                      Edge{"guest-agent/act/x.cc", "\"ballast/guest/v1/guest_agent.pb.h\""},
                      Edge{"guest-agent/act/x.cc", "\"guest-agent/service/convert.h\""},
                      Edge{"guest-agent/act/zram_profile_plan.cc", "\"common/os/file_reader.h\""},
                      Edge{"guest-agent/ask/x.cc", "\"guest-agent/act/acts.h\""},
                      Edge{"guest-agent/service/x.cc", "\"host-bridge/policy/snapshot.h\""},
                      Edge{"guest-agent/main.cc", "\"ballast/guest/v1/guest_agent.pb.h\""},
                      Edge{"host-bridge/control/x.cc", "\"tests/fakes/fake_clock.h\""},
                      Edge{"common/os/x.cc", "<gtest/gtest.h>"},
                      Edge{"host-bridge/vmm/unplug_plan.cc", "<unistd.h>"},
                      Edge{"host-bridge/vmm/unplug_plan.cc", "\"host-bridge/vmm/actuator.h\""},
                      Edge{"host-bridge/vmm/x_parser.cc", "<boost/json.hpp>"},
                      Edge{"host-bridge/vmm/qmp/qmp_stream.cc", "\"host-bridge/vmm/qmp/qmp_session.h\""},
                      Edge{"guest-agent/sensors/x_parser.h", "\"common/os/file_reader.h\""},
                      Edge{"somewhere/x.cc", "<vector>"}));

INSTANTIATE_TEST_SUITE_P(
    IncludeRules, Allowed,
    ::testing::Values(Edge{"common/base/time.h", "<cstdint>"},                                     //
                      Edge{"common/base/text.h", "\"absl/status/status.h\""},                      //
                      Edge{"common/kernel/psi_parser.cc", "\"common/kernel/psi_parser.h\""},       //
                      Edge{"common/kernel/psi_parser.cc", "\"common/kernel/number_field.h\""},     //
                      Edge{"common/transport/socket.cc", "<linux/vm_sockets.h>"},                  //
                      Edge{"host-bridge/policy/rules/x.cc", "\"host-bridge/policy/snapshot.h\""},  //
                      Edge{"host-bridge/vmm/qmp/x.cc", "\"host-bridge/policy/snapshot.h\""},       //
                      Edge{"host-bridge/vmm/qmp/qmp_parser.cc", "<boost/json.hpp>"},               //
                      Edge{"host-bridge/vmm/qmp/qmp_stream.cc", "\"host-bridge/vmm/qmp/qmp_parser.h\""},
                      Edge{"host-bridge/config/x.cc", "<boost/program_options.hpp>"},
                      Edge{"host-bridge/observe/convert_report.cc", "\"ballast/guest/v1/guest_agent.pb.h\""},
                      Edge{"host-bridge/session/x.cc", "<grpcpp/grpcpp.h>"},
                      Edge{"host-bridge/vmm/qmp/x.cc", "<boost/asio/post.hpp>"},
                      Edge{"guest-agent/service/x.cc", "\"ballast/guest/v1/guest_agent.grpc.pb.h\""},
                      Edge{"guest-agent/act/x.cc", "\"guest-agent/sensors/sampler.h\""},
                      Edge{"guest-agent/ask/x.cc", "\"ballast/guest/v1/guest_agent.grpc.pb.h\""},
                      Edge{"tests/process/x.cc", "\"guest-agent/service/watch.h\""},
                      Edge{"tests/process/x.cc", "\"host-bridge/session/session.h\""}));

TEST(IncludeRules, FindsIncludesHoweverTheyAreWritten) {
  const SourceFile file{"common/base/x.cc",
                        "// #include <unistd.h> in a comment is none\n"
                        "  #  include\t<unistd.h>  // blanks\n"
                        "#include \"common/os/clock.h\"\n"
                        "#define include <unistd.h>\n"
                        "#include MACRO\n"
                        "#include <unterminated\n"};
  EXPECT_THAT(
      CheckIncludes(file),
      ElementsAre(Violation{"common/base/x.cc", 2, "common/base/ may not include unistd.h"},
                  Violation{"common/base/x.cc", 3, "common/base/ may not include common/os/clock.h"}));
  EXPECT_EQ(TextOf({"a.cc", 3, "no"}), "a.cc:3: no");
}

TEST(Shape, FilesAndMainsHaveALimit) {
  const auto lines = [](int n) {
    std::string text;
    for (int i = 0; i < n; ++i) text += "\n";
    return text;
  };
  EXPECT_THAT(CheckShape({"common/os/x.cc", lines(400)}), IsEmpty());
  EXPECT_THAT(CheckShape({"common/os/x.cc", lines(401)}), SizeIs(1));
  EXPECT_THAT(CheckShape({"guest-agent/main.cc", lines(150)}), IsEmpty());
  EXPECT_THAT(CheckShape({"guest-agent/main.cc", lines(151)}), SizeIs(1));
  EXPECT_THAT(CheckShape({"tests/x/x_test.cc", lines(500)}), IsEmpty());
}

TEST(Shape, HeadersArePragmaOnceAndNothingHasTabs) {
  EXPECT_THAT(CheckShape({"common/os/x.h", "#pragma once\n"}), IsEmpty());
  EXPECT_THAT(CheckShape({"common/os/x.h", "// #pragma once\n"}),
              ElementsAre(Violation{"common/os/x.h", 1, "#pragma once is missing"}));
  EXPECT_THAT(CheckShape({"tests/x.cc", "a\n\tb\n"}),
              ElementsAre(Violation{"tests/x.cc", 2, "a tab; indent by spaces"}));
}

TEST(BuildLists, EverySourceIsNamed) {
  const SourceFile list{"common/os/CMakeLists.txt", "ballast_library(x SOURCES clock.cc sub/deep.cc)\n"};
  EXPECT_THAT(CheckBuildLists({list, {"common/os/clock.cc", ""}, {"common/os/sub/deep.cc", ""}}), IsEmpty());
  EXPECT_THAT(CheckBuildLists({list, {"common/os/lock.cc", ""}}), SizeIs(1))
      << "the end of another's name is no name";
  EXPECT_THAT(CheckBuildLists({list, {"common/base/clock.cc", ""}}), SizeIs(1))
      << "another folder's list is none";
  EXPECT_THAT(CheckBuildLists({list, {"common/os/only.h", ""}}), IsEmpty());
}

TEST(BuildLists, GlobsAreRefused) {
  const auto violations = CheckBuildLists({{"common/CMakeLists.txt", "\nfile(GLOB all *.cc)\n"}});
  ASSERT_THAT(violations, SizeIs(1));
  EXPECT_THAT(TextOf(violations[0]), HasSubstr("common/CMakeLists.txt:2: file(GLOB)"));
}

}  // namespace
}  // namespace ballast::house
