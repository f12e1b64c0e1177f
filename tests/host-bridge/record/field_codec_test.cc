// Every field of every struct, alone and together, there and back.
#include "host-bridge/record/field_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "ballast/journal/v1/journal.pb.h"
#include "tests/host-bridge/record/distinct.h"

namespace ballast::record {
namespace {

namespace wire = journal::v1;
using ::testing::HasSubstr;

constexpr MonotonicTime kNow{5'000'000'000};

template <typename S, typename M>
struct Pair {
  using Struct = S;
  using Message = M;
};

template <typename P>
class FieldCodec : public ::testing::Test {};

using Pairs = ::testing::Types<
    Pair<policy::GuestLimits, wire::Limits>, Pair<Sampled<policy::GuestReading>, wire::Report>,
    Pair<Sampled<policy::VmmReading>, wire::Vmm>, Pair<Sampled<policy::HostReading>, wire::HostReading>,
    Pair<policy::HostHistory, wire::HostHistory>, Pair<policy::GuestHistory, wire::History>,
    Pair<policy::GuestFacts, wire::Facts>, Pair<policy::ReclaimHold, wire::ReclaimHold>,
    Pair<policy::Reason, wire::Reason>, Pair<policy::Decision, wire::Decision>>;
TYPED_TEST_SUITE(FieldCodec, Pairs);

TYPED_TEST(FieldCodec, ListsEveryFieldOfTheMessageUnderItsNameAndNumber) {
  typename TypeParam::Struct value;
  const auto* descriptor = TypeParam::Message::descriptor();
  std::set<int> numbers;
  ForEachField(value, value, [&](const auto& field, const auto&) {
    const auto* on_wire = descriptor->FindFieldByNumber(field.number);
    ASSERT_NE(on_wire, nullptr) << field.name;
    EXPECT_EQ(on_wire->name(), field.name);
    EXPECT_TRUE(numbers.insert(field.number).second) << field.name;
  });
  EXPECT_EQ(static_cast<int>(numbers.size()) + 1, descriptor->field_count()) << "one more is `absent`";
}

TYPED_TEST(FieldCodec, BringsAllFieldsThereAndBack) {
  using S = typename TypeParam::Struct;
  const S value = Distinct<S>();
  typename TypeParam::Message message;
  EncodeFields(value, S{}, kNow, message);
  S back;
  ASSERT_TRUE(DecodeFields(message, kNow, back).ok());
  EXPECT_EQ(back, value);
}

TYPED_TEST(FieldCodec, BringsBackWhatBecameAbsentOrZero) {
  using S = typename TypeParam::Struct;
  const S before = Distinct<S>();
  typename TypeParam::Message message;
  EncodeFields(S{}, before, kNow, message);
  S back = before;
  ASSERT_TRUE(DecodeFields(message, kNow, back).ok());
  // An index has no presence on the wire; it is only ever written into fresh messages.
  if constexpr (std::is_same_v<S, policy::Decision>) back.guest = 0;
  EXPECT_EQ(back, S{});
}

// With one field changed the message has that field and no other; so no field stands for two.
TYPED_TEST(FieldCodec, EachFieldTravelsAlone) {
  using S = typename TypeParam::Struct;
  const S full = Distinct<S>();
  S changed;
  ForEachField(full, changed, [&](const auto& from, const auto& to) {
    to.value = from.value;
    typename TypeParam::Message message;
    EncodeFields(changed, S{}, kNow, message);
    std::vector<const google::protobuf::FieldDescriptor*> set;
    message.GetReflection()->ListFields(message, &set);
    ASSERT_EQ(set.size(), 1u) << from.name;
    EXPECT_EQ(set[0]->number(), from.number);
    S back;
    ASSERT_TRUE(DecodeFields(message, kNow, back).ok());
    EXPECT_EQ(back, changed) << from.name;
    changed = S{};
  });
}

TEST(FieldCodec, AbsurdInstantsComeBackAsTheyWere) {
  for (const int64_t now : {int64_t{0}, int64_t{7}, INT64_MAX, INT64_MIN, int64_t{-1}}) {
    for (const int64_t instant : {int64_t{0}, INT64_MAX, INT64_MIN, int64_t{-1}, int64_t{1} << 62}) {
      policy::HostHistory history;
      history.state_since = {instant};
      wire::HostHistory message;
      EncodeFields(
          history,
          policy::HostHistory{.state = {}, .state_since = {1}, .pressure_seen = {}, .critical_seen = {}},
          {now}, message);
      policy::HostHistory back;
      ASSERT_TRUE(DecodeFields(message, {now}, back).ok());
      EXPECT_EQ(back.state_since.ns, instant);
    }
  }
}

TEST(FieldCodec, ZeroAndAbsentAreTwoThings) {
  policy::GuestLimits zero;
  zero.floor_bytes = 0;
  wire::Limits message;
  EncodeFields(zero, policy::GuestLimits{}, kNow, message);
  EXPECT_TRUE(message.has_floor_bytes());
  policy::GuestLimits back;
  ASSERT_TRUE(DecodeFields(message, kNow, back).ok());
  EXPECT_TRUE(back.floor_bytes.has_value());
  EXPECT_FALSE(back.baseline_bytes.has_value());
}

TEST(FieldCodec, ValuesOutsideAnEnumAreNamed) {
  wire::History message;
  message.set_state(static_cast<wire::GuestState>(17));
  policy::GuestHistory history;
  EXPECT_THAT(std::string(DecodeFields(message, kNow, history).message()),
              HasSubstr("ballast.journal.v1.History.state: 16 is out of range, allowed 0..4"));
  message.set_state(wire::GUEST_STATE_UNSPECIFIED);
  EXPECT_FALSE(DecodeFields(message, kNow, history).ok());
}

}  // namespace
}  // namespace ballast::record
