#include "common/transport/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"

namespace ballast {
namespace {

using ::testing::HasSubstr;

TEST(ParseAddress, ReadsTheThreeKinds) {
  EXPECT_EQ(*ParseAddress("vsock:42:1000"), Address(VsockAddress{42, 1000}));
  EXPECT_EQ(*ParseAddress("unix:/run/vm.vsock:1000"), Address(HybridAddress{"/run/vm.vsock", 1000}));
  EXPECT_EQ(*ParseAddress("unix:/run/ballast/agent.sock"), Address(UnixAddress{"/run/ballast/agent.sock"}));
  // A colon inside a directory's name is part of the path.
  EXPECT_EQ(*ParseAddress("unix:/run/a:b/vm.sock"), Address(UnixAddress{"/run/a:b/vm.sock"}));
}

TEST(ParseAddress, IsWrittenBackAsItWasRead) {
  for (const char* text : {"vsock:42:1000", "unix:/run/vm.vsock:1000", "unix:/run/ballast/agent.sock"}) {
    EXPECT_EQ(FormatAddress(*ParseAddress(text)), text);
  }
}

TEST(ParseAddress, NamesTheWrongPart) {
  const auto message = [](const char* text) { return MessageOf(ParseAddress(text).status()); };
  EXPECT_THAT(message("42:1000"), HasSubstr("the kind is missing"));
  EXPECT_THAT(message("vsock:42"), HasSubstr("the port is missing"));
  EXPECT_THAT(message("vsock:1:1000"), HasSubstr("CID must be"));
  EXPECT_THAT(message("vsock:4294967295:1000"), HasSubstr("CID must be"));
  EXPECT_THAT(message("vsock:42:0"), HasSubstr("port must be"));
  EXPECT_THAT(message("vsock:42:1000x"), HasSubstr("port must be"));
  EXPECT_THAT(message("unix:run/vm.vsock:1000"), HasSubstr("must be absolute"));
  EXPECT_THAT(message("unix:/run/vm.vsock:"), HasSubstr("port must be"));
  EXPECT_THAT(message(("unix:/" + std::string(107, 'x')).c_str()), HasSubstr("longer than 107"));
}

}  // namespace
}  // namespace ballast
