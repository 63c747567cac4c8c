#include "engine/model/event_samples.h"

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/ids.h"
#include "engine/model/event_types.h"
#include "engine/model/network.h"

namespace triggerd::model {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int kOfEach = 100;

base::WallTime test_time() {
  return *base::parse_rfc3339("2024-03-03T02:12:00.074366572Z");
}

// Of each built-in type several.
std::multimap<std::string_view, EventSample> many_samples() {
  base::SeededRandom random(1);
  std::multimap<std::string_view, EventSample> samples;
  for (const BuiltInEventType& type : built_in_event_types()) {
    for (int i = 0; i < kOfEach; ++i) {
      samples.emplace(type.name, sample_event(type.name, "", test_time(), random));
    }
  }
  return samples;
}

// Values of "name":"…" in `content`, without escapes.
std::vector<std::string> values_of(std::string_view content, std::string_view name) {
  std::vector<std::string> values;
  const std::string mark = "\"" + std::string(name) + "\":\"";
  for (std::size_t at = content.find(mark); at != std::string_view::npos;
       at = content.find(mark, at)) {
    at += mark.size();
    values.emplace_back(content.substr(at, content.find('"', at) - at));
  }
  return values;
}

TEST(EventSamples, LeaveNoWordUnfilled) {
  for (const auto& [name, sample] : many_samples()) {
    EXPECT_EQ(sample.content.find('>'), std::string::npos) << sample.content;
    EXPECT_THAT(sample.content, Not(HasSubstr("event_metadata"))) << "the engine's own";
  }
}

TEST(EventSamples, OfOneSeedAreTheSame) {
  base::SeededRandom one(7);
  base::SeededRandom same(7);
  for (const BuiltInEventType& type : built_in_event_types()) {
    EXPECT_EQ(sample_event(type.name, "", test_time(), one).content,
              sample_event(type.name, "", test_time(), same).content);
  }
}

TEST(EventSamples, TellTheirReaderWhatATestEventShows) {
  const std::set<std::string_view> person = {"AuthenticationSucceeded_v1",
                                             "AuthenticationFailed_v1", "PersonCreated_v1",
                                             "AnonymousPersonCreated_v1", "PersonDeleted_v1"};
  const std::set<std::string_view> page = {"AuthenticationSucceeded_v1", "AuthenticationFailed_v1",
                                           "VirtualPageLoaded_v1",       "SlashIDSDKLoaded_v1",
                                           "PersonIdentified_v1",        "PersonLoggedOut_v1"};
  for (const auto& [name, sample] : many_samples()) {
    if (person.contains(name)) {
      EXPECT_THAT(values_of(sample.content, "person_id"), testing::ElementsAre(sample.person_id));
    }
    EXPECT_EQ(page.contains(name), !sample.window_location.empty()) << name;
    if (page.contains(name)) {
      EXPECT_THAT(values_of(sample.content, "window_location"),
                  testing::ElementsAre(sample.window_location));
    }
    if (name == "AuthenticationSucceeded_v1") {
      EXPECT_THAT(values_of(sample.content, "success_authn_method"),
                  testing::ElementsAre(sample.authn_method));
    }
    if (name == "AuthenticationFailed_v1") {
      EXPECT_THAT(values_of(sample.content, "failed_authn_method"),
                  testing::ElementsAre(sample.authn_method));
      EXPECT_THAT(values_of(sample.content, "failure_reason"),
                  testing::ElementsAre(sample.failure_reason));
    }
  }
}

TEST(EventSamples, HavePersonsOfTheFormOfSlashID) {
  const std::int64_t now = base::unix_seconds(test_time());
  std::set<std::string> persons;
  for (const auto& [name, sample] : many_samples()) {
    if (sample.person_id.empty()) continue;
    ASSERT_TRUE(base::Uuid::parse(sample.person_id).has_value()) << sample.person_id;
    EXPECT_EQ(sample.person_id[14], '7') << sample.person_id;
    const std::string first = sample.person_id.substr(0, 8) + sample.person_id.substr(9, 1);
    const std::int64_t created = std::stoll(first, nullptr, 16);
    EXPECT_LE(created, now) << sample.person_id;
    EXPECT_GT(created, now - std::int64_t{3} * 366 * 24 * 3600) << sample.person_id;
    persons.insert(sample.person_id);
  }
  EXPECT_GT(persons.size(), 1000U) << "each is somebody else";
}

TEST(EventSamples, NameDocumentationAddressesAlone) {
  const char* const reserved[] = {"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",
                                  "[2001:db8::]/32"};
  std::set<const char*> used;
  for (const auto& [name, sample] : many_samples()) {
    for (const std::string& text : values_of(sample.content, "client_ip_address")) {
      const std::optional<IpAddress> address = IpAddress::parse(text);
      ASSERT_TRUE(address.has_value()) << text;
      bool found = false;
      for (const char* range : reserved) {
        if (!Network::parse(range)->contains(*address)) continue;
        used.insert(range);
        found = true;
      }
      EXPECT_TRUE(found) << text;
    }
  }
  EXPECT_EQ(used.size(), 4U) << "all kinds of addresses occur";
}

TEST(EventSamples, CarryTheCorrelationIdThatIsGiven) {
  base::SeededRandom random(1);
  EXPECT_THAT(sample_event("PersonCreated_v1", "a\"b", test_time(), random).content,
              HasSubstr(R"("analytics_correlation_id":"a\"b")"));
  const std::string minted =
      values_of(sample_event("AWSIAMRoleDeleted_v1", "", test_time(), random).content,
                "analytics_correlation_id")
          .at(0);
  EXPECT_TRUE(base::Uuid::parse(minted).has_value()) << minted;
}

TEST(EventSamples, OfARegionNameIt) {
  base::SeededRandom random(1);
  const EventSample regional = sample_event("RoleCreated_InRegion_v1", "", test_time(), random);
  EXPECT_EQ(values_of(regional.content, "region").size(), 1U) << regional.content;
  EXPECT_EQ(values_of(regional.content, "role_name").size(), 1U) << "as RoleCreated_v1";
  const EventSample global = sample_event("RoleCreated_v1", "", test_time(), random);
  EXPECT_EQ(values_of(global.content, "region").size(), 0U) << global.content;
}

TEST(EventSamples, OfAnUnknownNameHaveTheSharedPart) {
  base::SeededRandom random(1);
  for (const char* name : {"Whatever_v7", "", "x", "_InRegion_v1", "Role"}) {
    EXPECT_THAT(sample_event(name, "", test_time(), random).content,
                HasSubstr("analytics_metadata"))
        << name;
  }
}

TEST(EventSamples, OfEveryBuiltInTypeSayMoreThanTheSharedPart) {
  base::SeededRandom random(1);
  const std::size_t shared = sample_event("Whatever_v7", "", test_time(), random).content.size();
  for (const BuiltInEventType& type : built_in_event_types()) {
    EXPECT_GT(sample_event(type.name, "", test_time(), random).content.size(), shared) << type.name;
  }
}

TEST(EventSamples, TheSeedNamesAreFifteenOfTheCatalogue) {
  std::set<std::string_view> catalogue;
  for (const BuiltInEventType& type : built_in_event_types()) catalogue.insert(type.name);
  const auto seeds = seed_event_names();
  EXPECT_EQ(std::set<std::string_view>(seeds.begin(), seeds.end()).size(), 15U);
  for (const std::string_view name : seeds) EXPECT_TRUE(catalogue.contains(name)) << name;
}

}  // namespace
}  // namespace triggerd::model
