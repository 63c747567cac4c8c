#include "engine/core/event_catalogue.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "engine/model/event_types.h"
#include "engine/model/limits.h"

namespace triggerd::core {
namespace {

TEST(EventCatalogue, KnowsTheNamesThatShip) {
  const EventCatalogue catalogue;
  for (const model::BuiltInEventType& type : model::built_in_event_types()) {
    EXPECT_TRUE(catalogue.knows_event(type.name)) << type.name;
  }
  EXPECT_EQ(catalogue.names().size(), 52U);
  for (const std::string_view name : {"", "PersonCreated", "personcreated_v1", "PersonCreated_v2",
                                      "PersonCreated_v1 ", "token_minted"}) {
    EXPECT_FALSE(catalogue.knows_event(name)) << name;
  }
}

TEST(EventCatalogue, KnowsTheFourSyncHooksAndNoEventAsOne) {
  for (const std::string_view name :
       {"token_minted", "identify_user", "threat_detection", "posture_detection"}) {
    EXPECT_TRUE(EventCatalogue::knows_sync_hook(name)) << name;
  }
  EXPECT_FALSE(EventCatalogue::knows_sync_hook("PersonCreated_v1"));
  EXPECT_FALSE(EventCatalogue::knows_sync_hook(""));
}

TEST(EventCatalogue, LearnsAndForgetsNames) {
  EventCatalogue catalogue;
  EXPECT_TRUE(catalogue.add("OrderPlaced_v1").ok());
  EXPECT_TRUE(catalogue.knows_event("OrderPlaced_v1"));
  EXPECT_TRUE(catalogue.add("OrderPlaced_v1").ok()) << "again";
  EXPECT_TRUE(catalogue.remove("OrderPlaced_v1").ok());
  EXPECT_FALSE(catalogue.knows_event("OrderPlaced_v1"));
  const base::Status gone = catalogue.remove("OrderPlaced_v1");
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code, base::ErrorCode::kNotFound);
}

TEST(EventCatalogue, KeepsTheNamesThatShip) {
  EventCatalogue catalogue;
  const base::Status status = catalogue.remove("PersonCreated_v1");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, base::ErrorCode::kConflict);
  EXPECT_TRUE(catalogue.knows_event("PersonCreated_v1"));
}

TEST(EventCatalogue, RefusesWhatIsNoName) {
  EventCatalogue catalogue;
  EXPECT_TRUE(catalogue.add(std::string(model::kNameBytesMax, 'a')).ok());
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a/b"),
                                  std::string("a\n"), std::string("\xc3\xbc"), std::string(1, '\0'),
                                  std::string(model::kNameBytesMax + 1, 'a')}) {
    const base::Status status = catalogue.add(name);
    ASSERT_FALSE(status.ok()) << name;
    EXPECT_EQ(status.error().code, base::ErrorCode::kInvalid);
  }
}

TEST(EventCatalogue, IsFullAtItsLimit) {
  EventCatalogue catalogue;
  for (std::size_t i = 0; i < kAddedEventTypesMax; ++i) {
    ASSERT_TRUE(catalogue.add("E" + std::to_string(i) + "_v1").ok());
  }
  const base::Status full = catalogue.add("OneMore_v1");
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, base::ErrorCode::kOverloaded);
  EXPECT_TRUE(catalogue.add("E0_v1").ok()) << "is there already";
  EXPECT_TRUE(catalogue.remove("E0_v1").ok());
  EXPECT_TRUE(catalogue.add("OneMore_v1").ok());
}

}  // namespace
}  // namespace triggerd::core
