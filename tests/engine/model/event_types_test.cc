#include "engine/model/event_types.h"

#include <limits>
#include <set>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace triggerd::model {
namespace {

TEST(EventTypes, AreFiftyTwoDifferentNamesOfVersionOne) {
  std::set<std::string_view> names;
  for (const BuiltInEventType& type : built_in_event_types()) {
    names.insert(type.name);
    const auto split = split_event_name(type.name);
    ASSERT_TRUE(split.has_value()) << type.name;
    EXPECT_EQ(split->version, 1U) << type.name;
  }
  EXPECT_EQ(names.size(), 52U);
}

TEST(EventTypes, OfRolesAndPermissionsExistPerRegionToo) {
  std::set<std::string_view> names;
  for (const BuiltInEventType& type : built_in_event_types()) names.insert(type.name);
  int regional = 0;
  for (const std::string_view name : names) {
    const std::size_t mark = name.find("_InRegion_v1");
    if (mark == std::string_view::npos) continue;
    ++regional;
    EXPECT_EQ(names.count(std::string(name.substr(0, mark)) + "_v1"), 1U) << name;
  }
  EXPECT_EQ(regional, 10);
}

TEST(EventTypes, ComeFromTheSdkTheGateOrTheCloud) {
  EXPECT_EQ(source_of("AuthenticationSucceeded_v1"), EventSource::kSdk);
  EXPECT_EQ(source_of("VirtualPageLoaded_v1"), EventSource::kSdk);
  EXPECT_EQ(source_of("GateRequestHandled_v1"), EventSource::kGate);
  EXPECT_EQ(source_of("PersonCreated_v1"), EventSource::kCloud);
  EXPECT_EQ(source_of("OrderPlaced_v3"), EventSource::kCloud);
  int sdk = 0;
  int gate = 0;
  for (const BuiltInEventType& type : built_in_event_types()) {
    EXPECT_EQ(source_of(type.name), type.source);
    sdk += type.source == EventSource::kSdk ? 1 : 0;
    gate += type.source == EventSource::kGate ? 1 : 0;
  }
  EXPECT_EQ(sdk, 6);
  EXPECT_EQ(gate, 3);
}

TEST(EventTypes, HaveFourSyncHooksBesides) {
  EXPECT_THAT(built_in_sync_hooks(), testing::ElementsAre("token_minted", "identify_user",
                                                          "threat_detection", "posture_detection"));
}

TEST(SplitEventName, TakesTheVersionFromTheEnd) {
  const auto split = split_event_name("PermissionCreated_InRegion_v12");
  ASSERT_TRUE(split.has_value());
  EXPECT_EQ(split->type, "PermissionCreated_InRegion");
  EXPECT_EQ(split->version, 12U);
  EXPECT_EQ(split_event_name("a_v1_v2")->type, "a_v1");
  EXPECT_EQ(split_event_name("A_v18446744073709551615")->version,
            std::numeric_limits<std::uint64_t>::max());
}

TEST(SplitEventName, GivesNothingWithoutAVersion) {
  for (const std::string_view name :
       {"", "PersonCreated", "PersonCreated_v", "_v1", "A_v1x", "A_v01", "A_v-1", "A_v+1", "A_V1",
        "A_v1 ", "A_v18446744073709551616", "A_v99999999999999999999"}) {
    EXPECT_FALSE(split_event_name(name).has_value()) << name;
  }
}

}  // namespace
}  // namespace triggerd::model
