// What the demo and `triggerd emit` are made of: samples and the tally.
#include <chrono>
#include <set>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include "app/demo/tally.h"
#include "app/samples.h"
#include "engine/model/event_types.h"

namespace triggerd::app {
namespace {

base::EventId event_id(std::uint8_t number) {
  base::Uuid uuid;
  uuid.bytes[15] = number;
  return base::EventId(uuid);
}
base::MonoTime at_ms(int ms) {
  return base::MonoTime(std::chrono::hours(1)) + std::chrono::milliseconds(ms);
}

TEST(Samples, EveryBuiltInNameGivesAJsonObject) {
  base::SeededRandom random(1);
  ASSERT_EQ(model::built_in_event_types().size(), 52U);
  for (const model::BuiltInEventType& type : model::built_in_event_types()) {
    for (int i = 0; i < 200; ++i) {
      const std::string content = sample_content(type.name, random);
      rapidjson::Document document;
      document.Parse(content.data(), content.size());
      ASSERT_FALSE(document.HasParseError()) << type.name << ": " << content;
      ASSERT_TRUE(document.IsObject()) << type.name << ": " << content;
      std::set<std::string> names;
      for (auto member = document.MemberBegin(); member < document.MemberEnd(); ++member) {
        EXPECT_TRUE(names.insert(member->name.GetString()).second) << type.name << ": " << content;
      }
      EXPECT_FALSE(names.contains("event_metadata")) << "the engine's own";
    }
  }
}

TEST(Samples, AnUnknownNameGivesASharedPart) {
  base::SeededRandom random(1);
  EXPECT_THAT(sample_content("Whatever_v7", random), testing::HasSubstr("analytics_metadata"));
}

TEST(Samples, TheSeedNamesAreFifteenOfTheCatalogue) {
  std::set<std::string_view> catalogue;
  for (const model::BuiltInEventType& type : model::built_in_event_types()) {
    catalogue.insert(type.name);
  }
  const auto seeds = seed_event_names();
  EXPECT_EQ(std::set<std::string_view>(seeds.begin(), seeds.end()).size(), 15U);
  for (const std::string_view name : seeds) EXPECT_TRUE(catalogue.contains(name)) << name;
}

TEST(DemoTally, CountsDeliveriesDuplicatesAndLosses) {
  DemoTally tally;
  tally.sent(event_id(1), at_ms(0));
  tally.sent(event_id(2), at_ms(10));
  tally.called(event_id(1), 0, at_ms(7));  // a fast call overtakes the 202
  tally.accepted(event_id(1), 2);
  tally.accepted(event_id(2), 3);
  tally.called(event_id(1), 1, at_ms(4));
  tally.called(event_id(1), 1, at_ms(5));
  tally.called(event_id(2), 63, at_ms(11));
  tally.rejected();
  EXPECT_EQ(tally.counts().accepted, 2U);
  EXPECT_EQ(tally.counts().expected, 5U);
  EXPECT_EQ(tally.counts().delivered, 3U);
  const DemoFigures figures = tally.figures();
  EXPECT_EQ(figures.accepted, 2U);
  EXPECT_EQ(figures.expected, 5U);
  EXPECT_EQ(figures.delivered, 3U);
  EXPECT_EQ(figures.duplicates, 1U);
  EXPECT_EQ(figures.rejected, 1U);
  EXPECT_EQ(figures.lost, 2U);
  EXPECT_THAT(figures.latencies,
              testing::ElementsAre(std::chrono::milliseconds(1), std::chrono::milliseconds(4),
                                   std::chrono::milliseconds(7)));
}

TEST(DemoTally, AnEventThatWasNotAcceptedIsNotLost) {
  DemoTally tally;
  tally.sent(event_id(1), at_ms(0));
  EXPECT_EQ(tally.figures().lost, 0U);
  EXPECT_EQ(tally.figures().expected, 0U);
}

}  // namespace
}  // namespace triggerd::app
