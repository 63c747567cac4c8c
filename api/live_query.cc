#include "api/live_query.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "api/percent.h"

namespace triggerd::api {
namespace {

constexpr std::string_view kPositionField = "Last-Event-ID";

base::Error invalid(std::string message) {
  return {base::ErrorCode::kInvalid, std::move(message)};
}

void read_topics(std::string_view text, LiveQuery& query, Faults& faults) {
  query.events = query.deliveries = false;
  for (bool more = true; more;) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view topic = text.substr(0, comma);
    more = comma < text.size();
    text.remove_prefix(more ? comma + 1 : comma);
    if (topic == "events") {
      query.events = true;
    } else if (topic == "deliveries") {
      query.deliveries = true;
    } else {
      faults.push_back(
          invalid("query parameter topics: must be events, deliveries, or both with a "
                  "comma in between"));
      return;
    }
  }
}

std::optional<model::EventSeq> position_of(std::string_view text) {
  std::uint64_t number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc() || end != last) return std::nullopt;
  return model::EventSeq(number);
}

// A browser that connects again sends the same query and a newer header.
void read_position(const HttpRequest& head, LiveQuery& query, Faults& faults) {
  const base::Result<std::optional<std::string>> parameter =
      optional_parameter(head.query(), "last_event_id");
  if (!parameter.ok()) {
    faults.push_back(parameter.error());
    return;
  }
  if (head.count_fields(kPositionField) > 1) {
    faults.push_back(invalid("Last-Event-ID: send it once"));
    return;
  }
  const std::string* const field = head.find_field(kPositionField);
  const bool by_field = field != nullptr && !field->empty();
  if (!by_field && !parameter.value()) return;
  query.after = position_of(by_field ? *field : *parameter.value());
  if (!query.after) {
    faults.push_back(invalid(fmt::format(
        "{}: must be the id of a message of this stream, a whole number",
        by_field ? kPositionField : std::string_view("query parameter last_event_id"))));
  }
}

}  // namespace

std::variant<LiveQuery, Faults> read_live_query(const HttpRequest& head) {
  LiveQuery query;
  Faults faults;
  const base::Result<std::optional<std::string>> topics =
      optional_parameter(head.query(), "topics");
  if (!topics.ok()) {
    faults.push_back(topics.error());
  } else if (topics.value()) {
    read_topics(*topics.value(), query, faults);
  }
  const base::Result<std::optional<std::string>> names = optional_parameter(head.query(), "on");
  if (!names.ok()) {
    faults.push_back(names.error());
  } else if (names.value()) {
    base::Result<NamePatterns> patterns = NamePatterns::parse(*names.value());
    if (patterns.ok()) {
      query.names = std::move(patterns.value());
    } else {
      faults.push_back(invalid("query parameter on: " + patterns.error().message));
    }
  }
  read_position(head, query, faults);
  if (!faults.empty()) return faults;
  return query;
}

}  // namespace triggerd::api
