#include "host-bridge/record/header_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>

#include "host-bridge/record/policy_fields.h"

namespace ballast::record {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

// A number added to PolicyConfig must be recorded, so the test reads its declaration.
TEST(PolicyFields, AreAllNumbersOfThePolicy) {
  std::ifstream header(BALLAST_SOURCE_DIR "/host-bridge/policy/policy_config.h");
  ASSERT_TRUE(header.is_open());
  const std::regex declaration("^  (?:int32_t|int64_t|Nanos) ([a-z_0-9]+) = .*");
  std::vector<std::string> declared;
  std::smatch match;
  for (std::string line; std::getline(header, line);) {
    if (std::regex_match(line, match, declaration)) declared.push_back(match[1]);
  }
  std::vector<std::string> listed;
  for (const PolicyField& field : PolicyFields()) listed.emplace_back(field.name);
  EXPECT_THAT(listed, UnorderedElementsAreArray(declared));
}

TEST(PolicyFields, EachIsANumberOfItsOwn) {
  policy::PolicyConfig config;
  int64_t next = 1000;
  for (const PolicyField& field : PolicyFields()) ASSERT_TRUE(field.Set(next++, config));
  next = 1000;
  for (const PolicyField& field : PolicyFields()) EXPECT_EQ(field.Get(config), next++) << field.name;
  EXPECT_EQ(config.lease.count, [&] {
    for (const PolicyField& field : PolicyFields()) {
      if (field.name == "lease") return field.Get(config);
    }
    return int64_t{0};
  }());
}

JournalHeader Example() {
  JournalHeader header;
  header.ballast_version = "1.2.3";
  header.host_boot_id = "0b1d";
  header.written_unix_ms = 1'700'000'000'123;
  header.written_at = {77};
  header.dry_run = true;
  int64_t next = 1000;
  for (const PolicyField& field : PolicyFields()) static_cast<void>(field.Set(next++, header.policy));
  header.guests = {"web", "db"};
  return header;
}

TEST(HeaderCodec, IsReadBackWhole) {
  const JournalHeader header = Example();
  const auto back = DecodeHeader(EncodeHeader(header));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->ballast_version, header.ballast_version);
  EXPECT_EQ(back->host_boot_id, header.host_boot_id);
  EXPECT_EQ(back->written_unix_ms, header.written_unix_ms);
  EXPECT_EQ(back->written_at, header.written_at);
  EXPECT_EQ(back->dry_run, header.dry_run);
  EXPECT_EQ(back->guests, header.guests);
  EXPECT_THAT(back->notes, IsEmpty());
  for (const PolicyField& field : PolicyFields()) {
    EXPECT_EQ(field.Get(back->policy), field.Get(header.policy)) << field.name;
  }
}

TEST(HeaderCodec, NotesWhatAnotherVersionKnewOrDidNotKnow) {
  journal::v1::Header wire = EncodeHeader(Example());
  wire.mutable_policy(0)->set_name("a_number_of_the_future");
  const auto back = DecodeHeader(wire);
  ASSERT_TRUE(back.ok());
  EXPECT_THAT(back->notes, ElementsAre(HasSubstr("'critical_permyriad' was not recorded"),
                                       HasSubstr("'a_number_of_the_future' = 1000 was recorded")));
}

TEST(HeaderCodec, RefusesOtherVersionsAndNumbersThatDoNotFit) {
  journal::v1::Header wire = EncodeHeader(Example());
  wire.set_format_version(2);
  EXPECT_THAT(std::string(DecodeHeader(wire).status().message()),
              HasSubstr("2; this program reads version 1"));
  wire.set_format_version(1);
  wire.mutable_policy(0)->set_value(int64_t{1} << 40);
  EXPECT_THAT(std::string(DecodeHeader(wire).status().message()), HasSubstr("critical_permyriad"));
}

}  // namespace
}  // namespace ballast::record
