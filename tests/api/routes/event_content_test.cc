// What a webhook is given to read: golden contents of all built-in event types in tests/data.
// TRIGGERD_REWRITE=1 writes them anew; the diff is reviewed.

#include "engine/model/event_content.h"
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "api/json_document.h"
#include "engine/base/random.h"
#include "engine/model/event_samples.h"

namespace triggerd::api {
namespace {

constexpr const char* kGolden = "tests/data/event_contents.txt";

model::OrgId org() {
  return *model::OrgId::parse("11111111-2222-4333-8444-555555555555");
}

model::NewEvent new_event(std::string_view name) {
  model::NewEvent event;
  event.id = *model::EventId::parse("66666666-7777-4888-9999-000000000000");
  event.name = name;
  event.timestamp = *base::parse_rfc3339("2024-03-03T02:12:00.074366572Z");
  return event;
}

std::string content_of(model::NewEvent event, std::string_view own_members = {}) {
  model::build_content(event, org(), *model::split_event_name(event.name), own_members);
  return event.content;
}

// Each name with the content of a test event, of a seed of its own.
std::map<std::string, std::string> contents() {
  std::map<std::string, std::string> contents;
  std::uint64_t seed = 0;
  for (const model::BuiltInEventType& type : model::built_in_event_types()) {
    base::SeededRandom random(++seed);
    model::NewEvent event = new_event(type.name);
    event.is_test = true;
    const std::string own = model::sample_event(type.name, "", event.timestamp, random).content;
    contents.emplace(type.name, content_of(std::move(event), model::members_of(own)));
  }
  return contents;
}

TEST(EventContent, OfEveryTypeIsAsTheGoldenOne) {
  const std::map<std::string, std::string> made = contents();
  ASSERT_EQ(made.size(), 52U);
  if (std::getenv("TRIGGERD_REWRITE") != nullptr) {
    std::ofstream file(kGolden);
    file << "# Contents of test events as delivered: name, content. CONTRACT B4.2, B5.\n";
    for (const auto& [name, content] : made) file << name << ' ' << content << '\n';
  }
  std::ifstream file(kGolden);
  ASSERT_TRUE(file.is_open());
  std::map<std::string, std::string> golden;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t blank = line.find(' ');
    golden.emplace(line.substr(0, blank), line.substr(blank + 1));
  }
  EXPECT_EQ(made, golden);
}

TEST(EventContent, IsValidJsonWithMetadataFirst) {
  for (auto [name, content] : contents()) {
    SCOPED_TRACE(name);
    Document document(content);
    ASSERT_TRUE(document.ok()) << document.take_faults().front().message;
    dom::object metadata;
    ASSERT_EQ(document.root()["event_metadata"].get_object().get(metadata), simdjson::SUCCESS);
    EXPECT_EQ(content.find(R"({"event_metadata":{"event_id":")"), 0U);
    std::string_view text;
    ASSERT_EQ(metadata["event_name"].get(text), simdjson::SUCCESS);
    EXPECT_EQ(text, name);
    std::uint64_t number = 0;
    ASSERT_EQ(metadata["source"].get(number), simdjson::SUCCESS) << "a number, not a name";
    EXPECT_EQ(number, static_cast<std::uint64_t>(model::source_of(name)));
    ASSERT_EQ(metadata["event_version"].get(number), simdjson::SUCCESS);
    EXPECT_EQ(number, 1U);
    bool is_test = false;
    ASSERT_EQ(metadata["is_test_event"].get(is_test), simdjson::SUCCESS);
    EXPECT_TRUE(is_test);
    EXPECT_EQ(document.root()["browser_metadata"].error() == simdjson::SUCCESS,
              model::source_of(name) == model::EventSource::kSdk);
  }
}

TEST(EventContent, LeavesZeroValuesOut) {
  EXPECT_EQ(content_of(new_event("PersonCreated_v1")),
            R"({"event_metadata":{"event_id":"66666666-7777-4888-9999-000000000000",)"
            R"("event_name":"PersonCreated_v1","event_type":"PersonCreated","event_version":1,)"
            R"("organization_id":"11111111-2222-4333-8444-555555555555","source":1,)"
            R"("timestamp":"2024-03-03T02:12:00.074366572Z"}})");
  const std::string version_0 = content_of(new_event("Own_v0"));
  EXPECT_EQ(version_0.find("event_version"), std::string::npos) << version_0;
  EXPECT_EQ(version_0.find("is_test_event"), std::string::npos) << version_0;
  EXPECT_NE(version_0.find(R"("source":1)"), std::string::npos) << "a name of one's own: Cloud";
  EXPECT_NE(content_of(new_event("Own_v18446744073709551615"))
                .find(R"("event_version":18446744073709551615,)"),
            std::string::npos)
      << "a whole uint64, as a number";
}

TEST(EventContent, TrimsTheZerosOfItsTimestamp) {
  const std::pair<const char*, const char*> cases[] = {
      {"2024-03-03T02:12:00.074366572Z", "2024-03-03T02:12:00.074366572Z"},
      {"2024-03-03T02:12:00.0743660Z", "2024-03-03T02:12:00.074366Z"},
      {"2024-03-03T02:12:00.500000000Z", "2024-03-03T02:12:00.5Z"},
      {"2024-03-03T02:12:00Z", "2024-03-03T02:12:00Z"},
      {"2024-03-03T03:12:00.000000001+01:00", "2024-03-03T02:12:00.000000001Z"},
  };
  for (const auto& [given, shown] : cases) {
    model::NewEvent event = new_event("PersonCreated_v1");
    event.timestamp = *base::parse_rfc3339(given);
    const std::string content = content_of(std::move(event));
    EXPECT_NE(content.find("\"timestamp\":\"" + std::string(shown) + "\""), std::string::npos)
        << content;
  }
}

}  // namespace
}  // namespace triggerd::api
