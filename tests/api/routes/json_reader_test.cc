// Hostile and broken documents through the readers.
#include "api/event_reader.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "engine/json/json_text.h"
#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

using ::testing::HasSubstr;

model::OrgId org() {
  return *model::OrgId::parse("11111111-2222-4333-8444-555555555555");
}

// Reads `body` as a publish from memory of exactly its size, so that the sanitizer sees a byte too
// far.
Faults read(std::string body, std::vector<model::NewEvent>* events = nullptr) {
  base::SeededRandom random(1);
  std::vector<model::NewEvent> ignored;
  std::vector<model::NewEvent>& read = events == nullptr ? ignored : *events;
  body.shrink_to_fit();
  Faults faults = read_events(body, EventDefaults{org(), base::WallTime(), random, {}}, read);
  const Faults of_entries = faults_of_entries(read);
  faults.insert(faults.end(), of_entries.begin(), of_entries.end());
  return faults;
}

std::string with_content(const std::string& content) {
  return R"({"event_name":"A_v1","content":)" + content + "}";
}

std::string nested(std::size_t levels, char open, char close) {
  std::string text;
  for (std::size_t i = 0; i < levels; ++i) text += open == '{' ? "{\"a\":" : "[";
  text += open == '{' ? "{}" : "[]";
  return text + std::string(levels, close);
}

TEST(JsonReader, depth_64_is_taken_and_65_is_not) {
  // Event, content and the innermost container are three levels of their own.
  const std::string members = R"({"x":)";
  EXPECT_TRUE(read(with_content(members + nested(61, '[', ']') + "}")).empty());
  EXPECT_TRUE(read(with_content(members + nested(61, '{', '}') + "}")).empty());
  for (const std::string& deep : {nested(62, '[', ']'), nested(62, '{', '}'), nested(63, '[', ']'),
                                  nested(64, '{', '}'), nested(1000, '[', ']')}) {
    const Faults faults = read(with_content(members + deep + "}"));
    ASSERT_EQ(faults.size(), 1U);
    EXPECT_EQ(faults[0].code, base::ErrorCode::kInvalid);
    EXPECT_THAT(faults[0].message, HasSubstr("nested"));
  }
}

TEST(JsonReader, a_very_deep_document_is_refused_without_recursion) {
  EXPECT_EQ(read(std::string(100'000, '[')).size(), 1U);
  std::string pairs;
  for (int i = 0; i < 500'000; ++i) pairs += "[{";
  EXPECT_EQ(read(pairs.substr(0, 1'000'000)).size(), 1U);
}

TEST(JsonReader, names_that_stand_twice_are_refused_at_every_level) {
  for (const char* body : {R"({"event_name":"A_v1","event_name":"B_v1"})",
                           R"({"event_name":"A_v1","event\u005fname":"B_v1"})",
                           R"({"event_name":"A_v1","unknown":1,"unknown":2})",
                           R"({"event_name":"A_v1","content":{"a":1,"\u0061":2}})",
                           R"({"event_name":"A_v1","content":{"x":[[{"y":{"k":1,"l":2,"k":3}}]]}})",
                           R"([{"event_name":"A_v1"},{"event_name":"A_v1","":1,"":2}])"}) {
    const Faults faults = read(body);
    ASSERT_EQ(faults.size(), 1U) << body;
    EXPECT_THAT(faults[0].message, HasSubstr("twice"));
  }
}

TEST(JsonReader, one_name_twice_among_many_is_found_wherever_it_stands) {
  for (const std::size_t count : {7U, 8U, 9U, 10U, 100U, 5000U}) {
    for (const std::size_t first : {std::size_t{0}, count / 2, count - 2}) {
      std::string members;
      for (std::size_t i = 0; i < count; ++i) {
        members += "\"k" + std::to_string(i == count - 1 ? first : i) + "\":" + std::to_string(i);
        members += i + 1 < count ? "," : "";
      }
      EXPECT_EQ(read(with_content("{" + members + "}")).size(), 1U) << count << " " << first;
    }
    std::string members = "\"only\":1";
    for (std::size_t i = 0; i < count; ++i) members += ",\"k" + std::to_string(i) + "\":1";
    EXPECT_TRUE(read(with_content("{" + members + "}")).empty()) << count;
  }
}

TEST(JsonReader, the_same_name_in_different_objects_is_fine) {
  EXPECT_TRUE(
      read(with_content(R"({"a":{"a":[{"a":1},{"a":2}]},"content":{"content":1}})")).empty());
}

TEST(JsonReader, a_document_cut_anywhere_is_refused_at_its_end) {
  const std::string body =
      "[{\"event_name\":\"A_v1\",\"content\":{\"s\":\"\\ud83d\\ude00 caf\xc3\xa9\",\"n\":-1.5e+3,"
      "\"l\":[true,false,null,{}]},\"is_test_event\":true}]";
  ASSERT_TRUE(read(body).empty());
  for (std::size_t bytes = 0; bytes < body.size(); ++bytes) {
    const Faults faults = read(body.substr(0, bytes));
    ASSERT_EQ(faults.size(), 1U) << bytes;
    EXPECT_EQ(faults[0].code, base::ErrorCode::kInvalid);
    EXPECT_THAT(faults[0].message, HasSubstr("malformed JSON at byte "));
  }
  for (const char* tail : {"x", "{}", ",", "]", "\"", "\x01", "//", "\xef\xbb\xbf"}) {
    const Faults faults = read(body + tail);
    ASSERT_EQ(faults.size(), 1U) << tail;
    EXPECT_THAT(faults[0].message,
                HasSubstr("malformed JSON at byte " + std::to_string(body.size())));
  }
  EXPECT_TRUE(read(body + " \n\t\r ").empty());
}

struct Malformed {
  const char* body;
  std::size_t offset;
};

TEST(JsonReader, the_offset_of_a_fault_is_that_of_the_first_wrong_byte) {
  const Malformed cases[] = {
      {"", 0},
      {"   ", 3},
      {"\xef\xbb\xbf{}", 0},
      {"{'a':1}", 1},
      {"{\"a\" 1}", 5},
      {"{\"a\":1,}", 7},
      {"[1,]", 3},
      {"[1 2]", 3},
      {"[01]", 2},
      {"[1.]", 3},
      {"[.5]", 1},
      {"[+1]", 1},
      {"[1e]", 3},
      {"[-]", 2},
      {"[tru]", 4},
      {"[NaN]", 1},
      {"[nul", 4},
      {"[\"\x01\"]", 2},
      {"[\"\t\"]", 2},
      {"[\"\\x\"]", 2},
      {"[\"\\u12G4\"]", 6},
      {"[\"a\xff\"]", 3},
      {"[\"\xc0\x80\"]", 2},
      {"[\"\xed\xa0\x80\"]", 2},
      {"[\"\xf4\x90\x80\x80\"]", 2},
      {"[\"\xc3\"]", 2},
      {"[\"\\ud800\"]", 2},
      {"[\"\\udc00\"]", 2},
      {"[\"\\ud800\\u0041\"]", 2},
      {"[1e400]", 1},
      {"[18446744073709551616]", 1},
      {"[-9223372036854775809]", 1},
      {"{\"a\":{\"b\":[}}", 11},
      {"{}}", 2},
      {"[\"abc", 5},
      {"{\"a\":1", 6},
      {"[1}", 2},
  };
  for (const Malformed& row : cases) {
    const Faults faults = read(row.body);
    ASSERT_EQ(faults.size(), 1U) << row.body;
    EXPECT_THAT(faults[0].message,
                HasSubstr("malformed JSON at byte " + std::to_string(row.offset) + ":"))
        << row.body;
  }
}

TEST(JsonReader, numbers_that_fit_are_taken) {
  for (const char* number : {"18446744073709551615", "-9223372036854775808", "1e308", "1e-400",
                             "-0", "0.1000", "123456789012345678901234567890.5", "0e99999"}) {
    EXPECT_TRUE(read(with_content(std::string("{\"n\":") + number + "}")).empty()) << number;
  }
}

TEST(JsonReader, text_with_json_inside_stays_text) {
  std::vector<model::NewEvent> events;
  ASSERT_TRUE(read(R"({"ordering_key":"\",\"event_name\":\"B_v1","event_name":"A_v1",)"
                   R"("content":{"s":"},\"event_metadata\":{"}})",
                   &events)
                  .empty());
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].name, "A_v1");
  EXPECT_EQ(events[0].ordering_key, R"(","event_name":"B_v1)");
  EXPECT_FALSE(json::find_json_fault(events[0].content, 64));
}

TEST(JsonReader, a_name_with_quotes_cannot_break_out_of_the_metadata) {
  std::vector<model::NewEvent> events;
  ASSERT_TRUE(
      read(R"({"event_name":"x\",\"organization_id\":\"evil\u0000\\_v1"})", &events).empty());
  ASSERT_EQ(events.size(), 1U);
  EXPECT_FALSE(json::find_json_fault(events[0].content, 64));
  EXPECT_THAT(events[0].content, HasSubstr(R"("event_name":"x\",\"organization_id\":\"evil)"));
}

TEST(JsonReader, every_size_around_the_powers_of_two_is_read_within_its_memory) {
  for (std::size_t power = 1; power <= 65536; power *= 2) {
    for (std::size_t bytes = power > 70 ? power - 70 : 1; bytes <= power + 70; ++bytes) {
      const std::string text(bytes, 'x');
      std::vector<model::NewEvent> events;
      ASSERT_TRUE(read(with_content("{\"s\":\"" + text + "\"}"), &events).empty());
      ASSERT_EQ(events[0].content.size() - events[0].own_members_at, bytes + 7);
      // Cut at the end, so that strings and brackets run into it.
      ASSERT_FALSE(read("{\"a\":\"" + text).empty());
      ASSERT_FALSE(read(std::string(bytes, '[')).empty());
      ASSERT_FALSE(read(std::string(bytes, ' ')).empty());
    }
  }
}

TEST(JsonReader, a_body_over_the_limit_is_too_large) {
  const Faults faults = read(std::string(model::kBodyBytesMax + 1, ' '));
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].code, base::ErrorCode::kTooLarge);
}

TEST(JsonReader, a_body_of_the_full_size_is_read) {
  std::string body = "[";
  const std::string event = with_content("{\"s\":\"" + std::string(250'000, 'y') + "\"}");
  while (body.size() + event.size() + 1 < model::kBodyBytesMax) body += event + ",";
  body.back() = ']';
  body.resize(model::kBodyBytesMax, ' ');
  std::vector<model::NewEvent> events;
  EXPECT_TRUE(read(body, &events).empty());
  EXPECT_EQ(events.size(), 16U);
}

// A random JSON value as text, with whitespace and escapes of all kinds.
std::string random_value(int depth) {
  switch (*rc::gen::inRange(0, depth > 0 ? 8 : 6)) {
    case 0:
      return *rc::gen::element<std::string>("0", "-0", "1E+2", "0.1000", "-12.5e-3",
                                            "18446744073709551615");
    case 1:
      return *rc::gen::element<std::string>("true", "false", "null", "{}", "[]", "{ }", "[\n]");
    case 2:
    case 3:
    case 4:
    case 5:
      return "\"" +
             *rc::gen::container<std::string>(rc::gen::element('a', ' ', '{', '}', '[', ',', ':')) +
             *rc::gen::element<std::string>("", "\\\"", "\\\\", "\\u0041", "\\ud83d\\ude00",
                                            "\xc3\xa9", "\\/") +
             "\"";
    case 6: {
      std::string list = "[";
      const int count = *rc::gen::inRange(0, 4);
      for (int i = 0; i < count; ++i) list += (i > 0 ? " , " : "") + random_value(depth - 1);
      return list + "]";
    }
    default: {
      std::string object = "{ ";
      const int count = *rc::gen::inRange(0, 4);
      for (int i = 0; i < count; ++i) {
        object +=
            (i > 0 ? "," : "") + ("\"k" + std::to_string(i) + "\" :") + random_value(depth - 1);
      }
      return object + "\t}";
    }
  }
}

RC_GTEST_PROP(JsonReader, any_content_comes_through_byte_for_byte, ()) {
  const std::string content =
      "{\"first\":" + random_value(4) + " , \"second\" :" + random_value(4) + "}";
  std::vector<model::NewEvent> events;
  RC_ASSERT(read("[" + with_content(content) + "," + with_content(content) + "]", &events).empty());
  RC_ASSERT(events.size() == 2U);
  for (const model::NewEvent& event : events) {
    RC_ASSERT("{" + event.content.substr(event.own_members_at) == content);
    RC_ASSERT(!json::find_json_fault(event.content, 64));
  }
}

// simdjson and the fault finder are two readers of one grammar: they must not disagree.
RC_GTEST_PROP(JsonReader, what_is_refused_has_an_offset_and_what_is_taken_has_no_fault, ()) {
  std::string body = with_content("{\"a\":" + random_value(3) + "}");
  const int changes = *rc::gen::inRange(1, 3);
  for (int i = 0; i < changes; ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, body.size());
    switch (*rc::gen::inRange(0, 3)) {
      case 0:
        body[at] = *rc::gen::element('"', '\\', '{', '}', '[', ']', ',', ':', '0', '9', '.', 'e',
                                     '-', ' ', '\x01', '\xc3', '\xed', 'u');
        break;
      case 1:
        body.erase(at, 1);
        break;
      default:
        body.insert(at, 1, *rc::gen::element('"', '\\', '{', ']', ',', '0', '\x80', 'n'));
    }
  }
  const Faults faults = read(body);
  bool malformed = false;
  for (const base::Error& fault : faults) {
    malformed = malformed || fault.message.rfind("malformed JSON", 0) == 0;
    RC_ASSERT(fault.message.rfind("malformed JSON:", 0) != 0);
  }
  RC_ASSERT(malformed == json::find_json_fault(body, model::kJsonDepthMax).has_value());
}

}  // namespace
}  // namespace triggerd::api
