#include "api/mending_reader.h"

#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "api/json_document.h"
#include "engine/model/event_types.h"
#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

class RecoveryReader {
 public:
  RecoveryReader(model::StartRecovery& request, Faults& faults)
      : request_(request), reader_("", faults) {}

  void read(dom::object object) {
    bool has_since = false;
    for (const dom::key_value_pair member : object) {
      if (member.key == "since") {
        has_since = true;
        request_.since = time("since", member.value).value_or(model::WallTime());
      } else if (member.key == "until") {
        request_.until = time("until", member.value);
      } else if (member.key == "states") {
        states(member.value);
      } else if (member.key == "rate") {
        rate(member.value);
      } else {
        reader_.refuse(member.key.substr(0, model::kNameBytesMax),
                       "is unknown; use since, until, states and rate");
      }
    }
    if (!has_since) {
      reader_.refuse("since",
                     "is missing; give the time from which on events are to be given again, such "
                     "as \"2024-03-03T02:12:00Z\"");
    }
  }

 private:
  std::optional<model::WallTime> time(std::string_view field, dom::element value) {
    const std::optional<std::string_view> text = reader_.text(field, value);
    if (!text) return std::nullopt;
    std::optional<model::WallTime> parsed = base::parse_rfc3339(*text);
    if (!parsed) {
      reader_.refuse(field, "must be a time as RFC 3339 writes it, such as 2024-03-03T02:12:00Z");
    }
    return parsed;
  }
  void states(dom::element value) {
    constexpr std::string_view expected = R"(a list of "dead" and "cancelled", or one of them)";
    const std::optional<dom::array> list = reader_.list("states", value, expected);
    if (!list) return;
    request_.states = 0;
    for (const dom::element element : *list) {
      std::string_view word;
      const bool is_text = element.get_string().get(word) == simdjson::SUCCESS;
      if (is_text && word == "dead") {
        request_.states |= model::kRecoverDead;
      } else if (is_text && word == "cancelled") {
        request_.states |= model::kRecoverCancelled;
      } else {
        return reader_.refuse("states", fmt::format("must be {}", expected));
      }
    }
    if (request_.states == 0) reader_.refuse("states", fmt::format("must be {}", expected));
  }
  void rate(dom::element value) {
    const std::optional<std::int64_t> number = whole_number(value);
    if (!number || *number < 1 || *number > model::kRecoverPerSecondMax) {
      const std::string expected = fmt::format(
          "a whole number from 1 to {}, of deliveries a second", model::kRecoverPerSecondMax);
      if (value.is_number()) return reader_.refuse("rate", "must be " + expected);
      return reader_.refuse_type("rate", expected, value);
    }
    request_.per_second = static_cast<std::uint32_t>(*number);
  }

  model::StartRecovery& request_;
  FieldReader reader_;
};

}  // namespace

Faults read_recovery(std::string& body, model::StartRecovery& request) {
  Document document(body);
  const std::optional<dom::object> object = document.object();
  if (!object) return document.take_faults();
  Faults faults;
  RecoveryReader(request, faults).read(*object);
  return faults;
}

Faults read_webhook_test(std::string& body, std::string& event_name) {
  Document document(body);
  const std::optional<dom::object> object = document.object();
  if (!object) return document.take_faults();
  Faults faults;
  FieldReader reader("", faults);
  bool has_name = false;
  for (const dom::key_value_pair member : *object) {
    if (member.key != "event_name") continue;
    has_name = true;
    const std::optional<std::string_view> text = reader.text("event_name", member.value);
    if (!text) continue;
    event_name = *text;
    if (text->size() > model::kNameBytesMax || !model::split_event_name(*text)) {
      reader.refuse("event_name",
                    fmt::format("\"{}\" is not an event name of the catalogue; use one, such as "
                                "PersonCreated_v1",
                                text->substr(0, model::kNameBytesMax)));
    }
  }
  if (!has_name) reader.refuse_missing("event_name");
  return faults;
}

}  // namespace triggerd::api
