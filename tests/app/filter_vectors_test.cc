// Filters from the client's JSON to the verdict on an event: api/filter_reader, attribute_reader
// and core/filter together, against tests/data/filters.txt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "api/filter_reader.h"
#include "api/trigger_reader.h"
#include "app/filter_trial.h"
#include "engine/model/limits.h"

namespace triggerd::app {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kName = "PersonCreated_v1";

std::vector<base::Error> read(const std::string& filter, api::TriggerText& trigger) {
  std::string body = std::string(R"({"trigger_type":"event","trigger_name":")") + kName +
                     R"(","filter":)" + filter + "}";
  return api::read_trigger(body, trigger);
}

bool matches(const model::Filter& filter, const std::string& content) {
  model::TestTrigger asked;
  asked.name = kName;
  asked.filter = filter;
  asked.events.push_back({std::nullopt, "", content});
  return try_filter(asked, {}).results.at(0).matches;
}

TEST(FilterVectors, MeanWhatTheFileSays) {
  std::ifstream file("tests/data/filters.txt");
  ASSERT_TRUE(file.is_open());
  std::string line;
  std::size_t cases = 0;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    ++cases;
    const std::size_t space = line.find(' ');
    const std::size_t middle = line.find(" :: ");
    ASSERT_NE(middle, std::string::npos) << line;
    const std::string verdict = line.substr(0, space);
    const std::string filter = line.substr(space + 1, middle - space - 1);
    const std::string right = line.substr(middle + 4);
    api::TriggerText trigger;
    const auto faults = read(filter, trigger);
    if (verdict == "bad") {
      ASSERT_FALSE(faults.empty()) << line;
      EXPECT_THAT(faults[0].message, HasSubstr(right)) << line;
      continue;
    }
    ASSERT_THAT(faults, IsEmpty()) << line << "\n" << faults[0].message;
    EXPECT_EQ(matches(*trigger.filter, right), verdict == "match") << line;
  }
  EXPECT_GE(cases, 100U);
}

TEST(FilterReader, KeepsTheTextWithoutWhiteSpace) {
  api::TriggerText trigger;
  ASSERT_THAT(read("{ \"a b\" : [ 1.50 ,\n \"x y\" ] }", trigger), IsEmpty());
  EXPECT_EQ(trigger.filter->text, R"({"a b":[1.50,"x y"]})");
}

std::string repeated(const std::string& before, std::size_t times, const std::string& middle,
                     const std::string& behind) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += before;
  text += middle;
  for (std::size_t i = 0; i < times; ++i) text += behind;
  return text;
}

bool taken(const std::string& filter) {
  api::TriggerText trigger;
  return read(filter, trigger).empty();
}

TEST(FilterReader, TakesFiltersUpToTheirLimits) {
  const auto nested = [](std::size_t names) {
    return repeated(R"({"a":)", names, R"(["x"])", "}");
  };
  EXPECT_TRUE(taken(nested(model::kFilterPathSegmentsMax)));
  EXPECT_FALSE(taken(nested(model::kFilterPathSegmentsMax + 1)));
  const auto ors = [](std::size_t depth) {
    return repeated(R"({"$or":[)", depth, R"({"a":["x"]})", "]}");
  };
  EXPECT_TRUE(taken(ors(model::kFilterDepthMax)));
  EXPECT_FALSE(taken(ors(model::kFilterDepthMax + 1)));
  const auto fields = [](std::size_t count) {
    std::string text = "{";
    for (std::size_t i = 0; i < count; ++i) {
      text += (i == 0 ? "\"f" : ",\"f") + std::to_string(i) + "\":[1]";
    }
    return text + "}";
  };
  EXPECT_TRUE(taken(fields(model::kFilterFieldsMax)));
  EXPECT_FALSE(taken(fields(model::kFilterFieldsMax + 1)));
  const auto values = [](std::size_t count) {
    std::string text = R"({"a":[1)";
    for (std::size_t i = 1; i < count; ++i) text += ",1";
    return text + "]}";
  };
  EXPECT_TRUE(taken(values(model::kFilterTestsMax)));
  EXPECT_FALSE(taken(values(model::kFilterTestsMax + 1)));
  const auto long_value = [](std::size_t bytes) {
    return R"({"a":[")" + std::string(bytes, 'v') + R"("]})";
  };
  EXPECT_TRUE(taken(long_value(model::kFilterValueBytesMax)));
  EXPECT_FALSE(taken(long_value(model::kFilterValueBytesMax + 1)));
}

TEST(AttributeReader, MoreValuesThanItTakesCountAsAMatch) {
  api::TriggerText trigger;
  ASSERT_THAT(read(R"({"a":["last"]})", trigger), IsEmpty());
  const auto content = [](std::size_t count) {
    std::string text = R"({"a":["x")";
    for (std::size_t i = 1; i < count; ++i) text += ",\"x\"";
    return text + "]}";
  };
  EXPECT_FALSE(matches(*trigger.filter, content(model::kFilterValuesPerPathMax)));
  EXPECT_TRUE(matches(*trigger.filter, content(model::kFilterValuesPerPathMax + 1)));
}

}  // namespace
}  // namespace triggerd::app
