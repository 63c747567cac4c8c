#include "dispatcher/cloud_event.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/dispatcher/sign/sign_fixtures.h"

namespace triggerd::dispatcher {
namespace {

constexpr const char* kPublicUrl = "https://events.example";

model::Event plain() {
  model::Event event = AttemptParts().event;
  event.timestamp = kNow;
  return event;
}

model::Event full() {
  model::Event event = plain();
  event.timestamp = *base::parse_rfc3339("2024-03-03T02:12:00Z");
  event.source = "/shop?a=1&b=%20";
  event.subject = "a \"b\" 100% \u00dcn\u00efcode \u2603";
  event.ordering_key = "user 7";
  event.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  event.is_test = true;
  event.content = R"({"a":[1]})";
  return event;
}

std::string headers_of(const model::Event& event) {
  std::vector<std::string> lines = {"before"};
  append_cloud_event_headers(lines, event, kPublicUrl);
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

TEST(CloudEvent, StructuredIsTheGoldenDocumentByteForByte) {
  EXPECT_EQ(structured_cloud_event(plain(), kPublicUrl), read_data("cloud_events/plain.json"));
  EXPECT_EQ(structured_cloud_event(full(), kPublicUrl), read_data("cloud_events/full.json"));
}

TEST(CloudEvent, BinaryIsTheGoldenLines) {
  EXPECT_EQ(headers_of(plain()), "before\n" + read_data("cloud_events/plain.txt"));
  EXPECT_EQ(headers_of(full()), "before\n" + read_data("cloud_events/full.txt"));
}

TEST(CloudEvent, HostileTextAddsNeitherAMemberNorALine) {
  model::Event event = plain();
  event.subject = "x\",\"id\":\"y\r\nHost: evil\x7f\xff";
  const rapidjson::Document document = parse_json(structured_cloud_event(event, kPublicUrl));
  EXPECT_EQ(document["id"].GetString(), kEvent);
  EXPECT_EQ(document.MemberCount(), 8U);
  const std::string headers = headers_of(event);
  EXPECT_THAT(headers, testing::EndsWith("ce-subject: x%22,%22id%22:%22y%0D%0AHost:%20evil%7F%FF"));
}

}  // namespace
}  // namespace triggerd::dispatcher
