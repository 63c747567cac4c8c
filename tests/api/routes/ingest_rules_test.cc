#include "api/ingest_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace triggerd::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const model::OrgId kOrg = *model::OrgId::parse("11111111-2222-4333-8444-555555555555");
const model::OrgId kOther = *model::OrgId::parse("11111111-2222-4333-8444-555555555556");

model::PublishEvents publish(const std::string& members, std::uint64_t version = 0) {
  model::NewEvent event;
  event.name = "PersonCreated_v1";
  const std::string before = R"({"event_metadata":{"event_name":"PersonCreated_v1"},)";
  event.content = before + members + "}";
  event.own_members_at = static_cast<std::uint32_t>(before.size());
  model::PublishEvents request{kOrg, {}};
  request.events.push_back(std::move(event));
  request.rules_version = version;
  return request;
}

model::Attribute text(std::uint32_t path, const std::string& value) {
  return {path, model::FilterScalar(value)};
}

TEST(IngestRules, WithoutRulesNothingIsTouched) {
  const IngestRules rules;
  model::PublishEvents request = publish(R"("a":1)");
  const std::string* const content = &request.events[0].content;
  const std::size_t capacity = content->capacity();
  rules.prepare(request);
  EXPECT_EQ(request.rules_version, 0U);
  EXPECT_THAT(request.events[0].attributes, IsEmpty());
  EXPECT_EQ(content->capacity(), capacity) << "not even room for a parser";
}

TEST(IngestRules, WhatItsReaderRefusedKeepsItsFaults) {
  IngestRules rules;
  rules.change(model::FilterPathsChanged{kOrg, 7, {{"b"}}});
  rules.change(model::EventSchemaChanged{kOrg, 8, "PersonCreated_v1", R"({"type":"string"})"});
  model::PublishEvents request = publish(R"("a":1)");
  model::NewEvent refused;
  refused.name = "PersonCreated_v1";
  refused.edge_faults = {{base::ErrorCode::kInvalid, "timestamp: is none"}};
  request.events.push_back(refused);
  for (int again = 0; again < 2; ++again) {
    rules.prepare(request);
    EXPECT_EQ(request.rules_version, 8U);
    EXPECT_EQ(request.events[0].edge_faults.size(), 1U);
    ASSERT_EQ(request.events[1].edge_faults.size(), 1U);
    EXPECT_EQ(request.events[1].edge_faults[0].message, "timestamp: is none");
  }
}

TEST(IngestRules, TakesOutWhatFiltersLookAtInTheOrderOfThePaths) {
  IngestRules rules;
  rules.change(model::FilterPathsChanged{
      kOrg, 7, {{"b"}, {}, {"a", "c"}, {"event_metadata", "event_name"}}});
  model::PublishEvents request =
      publish(R"("a":[{"c":"1"},{"c":["2"],"d":3}],"b":{"e":1},"b2":1,"c":"no")");
  rules.prepare(request);
  EXPECT_EQ(request.rules_version, 7U);
  EXPECT_THAT(request.events[0].attributes,
              ElementsAre(text(2, "1"), text(2, "2"), text(3, "PersonCreated_v1")));
  model::PublishEvents foreign = publish(R"("b":"x")");
  foreign.org = kOther;
  rules.prepare(foreign);
  EXPECT_EQ(foreign.rules_version, 0U);
  EXPECT_THAT(foreign.events[0].attributes, IsEmpty());
}

TEST(IngestRules, APublishThatCameBackIsPreparedAnew) {
  IngestRules rules;
  rules.change(model::FilterPathsChanged{kOrg, 7, {{"a"}}});
  rules.change(model::EventSchemaChanged{kOrg, 8, "PersonCreated_v1", R"({"required":["z"]})"});
  model::PublishEvents request = publish(R"("a":"x","b":"y")");
  rules.prepare(request);
  EXPECT_EQ(request.rules_version, 8U);
  ASSERT_EQ(request.events[0].edge_faults.size(), 1U);
  EXPECT_EQ(request.events[0].edge_faults[0].message,
            "content: does not satisfy \"required\" of the event type's schema");
  rules.change(model::EventSchemaChanged{kOrg, 9, "PersonCreated_v1", ""});
  rules.change(model::FilterPathsChanged{kOrg, 10, {{"b"}}});
  rules.prepare(request);
  EXPECT_EQ(request.rules_version, 10U);
  EXPECT_THAT(request.events[0].edge_faults, IsEmpty());
  EXPECT_THAT(request.events[0].attributes, ElementsAre(text(0, "y")));
  rules.change(model::FilterPathsChanged{kOrg, 11, {}});
  EXPECT_EQ(rules.size(), 0U);
  rules.prepare(request);
  EXPECT_EQ(request.rules_version, 0U);
  EXPECT_THAT(request.events[0].attributes, IsEmpty());
}

TEST(IngestRules, SamplesAreNotHeldAgainstSchemas) {
  IngestRules rules;
  rules.change(model::EventSchemaChanged{kOrg, 1, "PersonCreated_v1", R"({"required":["z"]})"});
  model::PublishEvents request = publish(R"("a":1)");
  request.events[0].is_sample = true;
  rules.prepare(request);
  EXPECT_THAT(request.events[0].edge_faults, IsEmpty());
  EXPECT_EQ(request.rules_version, 1U);
}

}  // namespace
}  // namespace triggerd::api
