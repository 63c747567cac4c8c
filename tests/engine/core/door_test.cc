#include "engine/core/door.h"

#include <chrono>

#include <gtest/gtest.h>

namespace triggerd::core {
namespace {

using model::RateClaim;
using model::RateKind;

base::Now at(base::Duration since) {
  return {base::MonoTime(std::chrono::hours(1)) + since,
          *base::parse_rfc3339("2024-03-03T00:00:00Z") + since};
}

model::OrgId org(std::uint8_t number) {
  base::Uuid uuid;
  uuid.bytes[15] = number;
  return model::OrgId(uuid);
}

model::IpAddress client(const char* text) {
  return *model::IpAddress::parse(text);
}

DoorRates small_rates() {
  DoorRates rates;
  rates.test_events = {6, 5};
  rates.sdk_client = {60, 3};
  rates.sdk_organization = {60, 4};
  return rates;
}

class DoorTest : public testing::Test {
 protected:
  // How often in a row this claim is admitted.
  int admitted(const RateClaim& claim, base::Duration since = base::Duration(0)) {
    int count = 0;
    while (count < 100 && !door_.claim(claim, at(since))) ++count;
    return count;
  }

  Door door_{small_rates(), 1};
};

TEST_F(DoorTest, AdmitsTheBurstOfEachKind) {
  EXPECT_EQ(admitted({RateKind::kTestEvents, org(1), {}, 1}), 5);
  EXPECT_EQ(admitted({RateKind::kSdkClient, {}, client("192.0.2.1"), 1}), 3);
  EXPECT_EQ(admitted({RateKind::kSdkOrganization, org(1), {}, 1}), 4);
}

TEST_F(DoorTest, TellsCallersApart) {
  EXPECT_EQ(admitted({RateKind::kTestEvents, org(1), {}, 1}), 5);
  EXPECT_EQ(admitted({RateKind::kTestEvents, org(2), {}, 1}), 5);
  EXPECT_EQ(admitted({RateKind::kSdkClient, {}, client("2001:db8::"), 1}), 3);
  EXPECT_EQ(admitted({RateKind::kSdkClient, {}, client("2001:db8:0:1::"), 1}), 3);
}

TEST_F(DoorTest, SaysWhenTheTokensAreThere) {
  const RateClaim all{RateKind::kTestEvents, org(1), {}, 5};
  ASSERT_FALSE(door_.claim(all, at(std::chrono::seconds(0))));
  const RateClaim two{RateKind::kTestEvents, org(1), {}, 2};
  const auto refusal = door_.claim(two, at(std::chrono::seconds(5)));
  ASSERT_TRUE(refusal.has_value());
  ASSERT_EQ(refusal->faults.size(), 1U);
  EXPECT_EQ(refusal->faults[0].code, base::ErrorCode::kRateLimited);
  EXPECT_EQ(refusal->faults[0].message,
            "test events of an organization: at most 6 a minute, and 5 at once; try again later");
  EXPECT_EQ(refusal->retry_after, base::Duration(std::chrono::seconds(15)));
  EXPECT_TRUE(door_.claim(two, at(std::chrono::milliseconds(19'999)))) << "a moment too early";
  EXPECT_FALSE(door_.claim(two, at(std::chrono::seconds(20)))) << "what was refused cost nothing";
}

TEST_F(DoorTest, RefusesForGoodWhatIsMoreThanTheBurst) {
  EXPECT_FALSE(door_.claim({RateKind::kTestEvents, org(1), {}, 5}, at(base::Duration(0))));
  const auto refusal = door_.claim({RateKind::kTestEvents, org(2), {}, 6}, at(base::Duration(0)));
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->faults[0].code, base::ErrorCode::kInvalid);
  EXPECT_FALSE(refusal->retry_after.has_value()) << "waiting does not help";
  EXPECT_EQ(admitted({RateKind::kTestEvents, org(2), {}, 5}), 1) << "it cost nothing";
}

TEST(Door, ForgetsCallersPastItsMemory) {
  Door door(small_rates(), 1, 2);
  const auto claim = [&door](std::uint8_t number) {
    return door.claim({RateKind::kTestEvents, org(number), {}, 5}, at(base::Duration(0)));
  };
  EXPECT_FALSE(claim(1));
  EXPECT_FALSE(claim(2));
  EXPECT_TRUE(claim(1)) << "remembered";
  EXPECT_FALSE(claim(3)) << "a newcomer is not refused for want of memory";
}

TEST(Door, RefillsAtItsRate) {
  Door door(DoorRates{}, 1);
  int admitted = 0;
  for (int ms = 0; ms < 600'000; ms += 100) {
    if (!door.claim({RateKind::kTestEvents, org(1), {}, 1}, at(std::chrono::milliseconds(ms)))) {
      ++admitted;
    }
  }
  EXPECT_EQ(admitted, 50 + 99) << "a burst, then one each 6 s of 10 minutes";
}

}  // namespace
}  // namespace triggerd::core
