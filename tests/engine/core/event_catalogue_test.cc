#include "engine/core/event_catalogue.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "engine/model/event_types.h"
#include "engine/model/limits.h"

namespace triggerd::core {
namespace {

model::OrgId org(std::uint8_t number) {
  base::Uuid uuid;
  uuid.bytes[0] = number;
  return model::OrgId(uuid);
}

model::EventType type(const std::string& name, const std::string& schema = {}) {
  return {org(1), name, "", schema, base::WallTime()};
}

std::string refusal(const EventCatalogue& catalogue, const model::EventType& asked) {
  const base::Status status = catalogue.may_put(asked);
  return status.ok() ? "" : status.error().message;
}

TEST(EventCatalogue, KnowsTheNamesThatShip) {
  const EventCatalogue catalogue;
  for (const model::BuiltInEventType& type : model::built_in_event_types()) {
    EXPECT_TRUE(catalogue.knows_event(org(1), type.name)) << type.name;
  }
  EXPECT_EQ(catalogue.all(org(1)).size(), 59U);
  for (const std::string_view name : {"", "PersonCreated", "personcreated_v1", "PersonCreated_v2",
                                      "PersonCreated_v1 ", "token_minted"}) {
    EXPECT_FALSE(catalogue.knows_event(org(1), name)) << name;
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

TEST(EventCatalogue, LearnsAndForgetsNamesOfOneOrganization) {
  EventCatalogue catalogue;
  catalogue.put(type("OrderPlaced_v1"));
  EXPECT_TRUE(catalogue.knows_event(org(1), "OrderPlaced_v1"));
  EXPECT_FALSE(catalogue.knows_event(org(2), "OrderPlaced_v1"));
  catalogue.erase(org(1), "OrderPlaced_v1");
  EXPECT_FALSE(catalogue.knows_event(org(1), "OrderPlaced_v1"));
  EXPECT_TRUE(catalogue.said().empty());
}

TEST(EventCatalogue, ShowsBuiltInNamesFirstWithWhatIsSaidOfThem) {
  EventCatalogue catalogue;
  catalogue.put(type("Zebra_v1"));
  catalogue.put(type("Apple_v1"));
  catalogue.put(type("PersonCreated_v1", "{}"));
  const std::vector<model::EventTypeView> all = catalogue.all(org(1));
  ASSERT_EQ(all.size(), 61U);
  EXPECT_EQ(all[0].type.name, "AuthenticationSucceeded_v1");
  EXPECT_EQ(all[59].type.name, "Apple_v1");
  EXPECT_EQ(all[60].type.name, "Zebra_v1");
  EXPECT_FALSE(all[60].built_in);
  const std::optional<model::EventTypeView> person = catalogue.view(org(1), "PersonCreated_v1");
  ASSERT_TRUE(person);
  EXPECT_TRUE(person->built_in);
  EXPECT_EQ(person->type.schema, "{}");
  EXPECT_EQ(catalogue.view(org(2), "PersonCreated_v1")->type.schema, "");
  EXPECT_FALSE(catalogue.view(org(2), "Apple_v1"));
}

TEST(EventCatalogue, RefusesWhatIsNoName) {
  const EventCatalogue catalogue;
  EXPECT_EQ(refusal(catalogue, type(std::string(model::kNameBytesMax - 3, 'a') + "_v1")), "");
  for (const std::string& name :
       {std::string(), std::string("a b_v1"), std::string("a/b_v1"), std::string("a\n_v1"),
        std::string("\xc3\xbc_v1"), std::string("_v1"), std::string("OrderPlaced"),
        std::string(model::kNameBytesMax - 2, 'a') + "_v1"}) {
    EXPECT_NE(refusal(catalogue, type(name)).find("event name: "), std::string::npos) << name;
  }
}

TEST(EventCatalogue, IsFullAtItsLimit) {
  EventCatalogue catalogue;
  for (std::size_t i = 0; i < model::kEventTypesPerOrgMax; ++i) {
    catalogue.put(type("E" + std::to_string(i) + "_v1"));
  }
  EXPECT_NE(refusal(catalogue, type("OneMore_v1")), "");
  EXPECT_EQ(refusal(catalogue, type("E0_v1", "{}")), "") << "is there already";
  model::EventType of_another = type("OneMore_v1");
  of_another.org = org(2);
  EXPECT_EQ(refusal(catalogue, of_another), "");
  catalogue.erase(org(1), "E0_v1");
  EXPECT_EQ(refusal(catalogue, type("OneMore_v1")), "");
}

TEST(EventCatalogue, TakesSchemasUpToTheirLimits) {
  EventCatalogue catalogue;
  const std::string largest(model::kSchemaBytesMax, ' ');
  EXPECT_EQ(refusal(catalogue, type("A_v1", largest)), "");
  EXPECT_NE(refusal(catalogue, type("A_v1", largest + " ")), "");
  const std::size_t room = model::kSchemaBytesPerOrgMax / model::kSchemaBytesMax;
  for (std::size_t i = 0; i < room; ++i) {
    catalogue.put(type("E" + std::to_string(i) + "_v1", largest));
  }
  EXPECT_EQ(refusal(catalogue, type("E0_v1", largest)), "") << "in the place of its own";
  EXPECT_NE(refusal(catalogue, type("A_v1", "{}")), "");
}

}  // namespace
}  // namespace triggerd::core
