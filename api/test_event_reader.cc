#include "api/test_event_reader.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "api/json_document.h"
#include "engine/model/event_types.h"
#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

using base::ErrorCode;

bool is_built_in(std::string_view name) {
  const auto types = model::built_in_event_types();
  return std::any_of(types.begin(), types.end(),
                     [name](const model::BuiltInEventType& type) { return type.name == name; });
}

class SpecReader {
 public:
  SpecReader(std::string_view where, std::uint32_t events_max, Faults& faults)
      : events_max_(events_max), reader_(where, faults) {}

  TestEventsSpec read(dom::object object) {
    bool has_name = false;
    for (const dom::key_value_pair member : object) {
      if (member.key == "event_name") {
        has_name = true;
        name(member.value);
      } else if (member.key == "count") {
        count(member.value);
      } else if (member.key == "duplicates") {
        spec_.duplicates = reader_.boolean("duplicates", member.value).value_or(false);
      } else if (member.key == "analytics_correlation_id") {
        correlation_id(member.value);
      }
    }
    if (!has_name) reader_.refuse_missing("event_name");
    return std::move(spec_);
  }

 private:
  void name(dom::element value) {
    const std::optional<std::string_view> text = reader_.text("event_name", value);
    if (!text) return;
    spec_.event_name = *text;
    if (!is_built_in(*text)) {
      reader_.refuse(
          "event_name",
          fmt::format("\"{}\" is none of the {} built-in event types, such as "
                      "PersonCreated_v1",
                      text->substr(0, model::kNameBytesMax), model::built_in_event_types().size()));
    }
  }
  void count(dom::element value) {
    const std::optional<std::int64_t> number = whole_number(value);
    if (!number || *number < 1 || *number > events_max_) {
      const std::string expected = fmt::format("a whole number from 1 to {}", events_max_);
      if (value.is_number()) return reader_.refuse("count", "must be " + expected);
      return reader_.refuse_type("count", expected, value);
    }
    spec_.count = static_cast<std::uint32_t>(*number);
  }
  void correlation_id(dom::element value) {
    const std::optional<std::string_view> text = reader_.text("analytics_correlation_id", value);
    if (!text) return;
    spec_.analytics_correlation_id = *text;
    if (text->size() > model::kNameBytesMax) {
      reader_.refuse("analytics_correlation_id",
                     fmt::format("at most {} bytes", model::kNameBytesMax));
    }
  }

  std::uint32_t events_max_;
  FieldReader reader_;
  TestEventsSpec spec_;
};

}  // namespace

Faults read_test_events(std::string& body, std::uint32_t events_max,
                        std::vector<TestEventsSpec>& specs) {
  Document document(body);
  if (!document.ok()) return document.take_faults();
  dom::array list;
  if (document.root().get_array().get(list) != simdjson::SUCCESS) {
    return {wrong_type("body", R"(a list, as in [{"event_name":"PersonCreated_v1"}])",
                       document.root())};
  }
  Faults faults;
  std::uint64_t in_all = 0;
  std::size_t index = 0;
  for (const dom::element element : list) {
    const std::string where = fmt::format("[{}]", index++);
    dom::object object;
    if (element.get_object().get(object) != simdjson::SUCCESS) {
      faults.push_back(wrong_type(where, "an object", element));
      continue;
    }
    specs.push_back(SpecReader(where + ".", events_max, faults).read(object));
    in_all += specs.back().count;
  }
  if (index == 0) {
    faults.push_back({ErrorCode::kInvalid, "body: is empty; ask for at least one test event"});
  }
  if (faults.empty() && in_all > events_max) {
    faults.push_back({ErrorCode::kInvalid,
                      fmt::format("body: {} test events in all, at most {} can be sent at once; "
                                  "lower the counts",
                                  in_all, events_max)});
  }
  return faults;
}

}  // namespace triggerd::api
