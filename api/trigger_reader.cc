#include "api/trigger_reader.h"

#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "api/filter_reader.h"
#include "api/json_document.h"
#include "api/json_schema.h"
#include "engine/base/assert.h"
#include "engine/json/json_text.h"
#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

// The members of an object, each with the text that it was sent as.
template <class Each>
void for_each_member(dom::object object, json::RawJson& raw, Each each) {
  raw.enter();
  for (const dom::key_value_pair member : object) {
    TRIGGERD_ASSERT(raw.next());
    raw.skip_name();
    each(member.key, member.value, raw.value());
  }
  TRIGGERD_ASSERT(!raw.next());
}

class TriggerReader {
 public:
  TriggerReader(TriggerText& trigger, Faults& faults)
      : trigger_(trigger), faults_(faults), reader_("", faults) {}

  // False when it is not a field of a trigger.
  bool field(std::string_view name, dom::element value, std::string_view raw) {
    if (name == "trigger_type") {
      has_type_ = true;
      trigger_.type = reader_.text(name, value).value_or("");
    } else if (name == "trigger_name") {
      has_name_ = true;
      trigger_.name = reader_.text(name, value).value_or("");
    } else if (name == "filter") {
      // null is the same as none, as for other fields of an object that may be left out.
      if (value.is_null()) return true;
      Faults found = read_filter(value, raw, trigger_.filter.emplace());
      std::move(found.begin(), found.end(), std::back_inserter(faults_));
    } else {
      return false;
    }
    return true;
  }
  void check_complete() {
    if (!has_type_) reader_.refuse_missing("trigger_type");
    if (!has_name_) reader_.refuse_missing("trigger_name");
  }

 private:
  TriggerText& trigger_;
  Faults& faults_;
  FieldReader reader_;
  bool has_type_ = false;
  bool has_name_ = false;
};

void read_trial_event(dom::element value, json::RawJson& raw, const std::string& where,
                      Faults& faults, std::vector<model::TrialEvent>& events) {
  dom::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    raw.value();
    faults.push_back(wrong_type(where, "an object with content", value));
    return;
  }
  const std::string before = where + ".";
  FieldReader reader(before, faults);
  model::TrialEvent event;
  for_each_member(object, raw,
                  [&](std::string_view name, dom::element member, std::string_view text) {
                    if (name == "event_name") {
                      event.name = reader.text(name, member).value_or("");
                    } else if (name == "content" && reader.object(name, member)) {
                      event.content = text;
                    }
                  });
  if (event.content.empty()) {
    if (object.at_key("content").error() != simdjson::SUCCESS) reader.refuse_missing("content");
  } else if (event.content.size() > model::kEventContentBytesMax) {
    reader.refuse("content", fmt::format("at most {} bytes", model::kEventContentBytesMax));
  }
  events.push_back(std::move(event));
}

void read_trial_events(dom::element value, std::string_view raw_list, Faults& faults,
                       std::vector<model::TrialEvent>& events) {
  FieldReader reader("", faults);
  const std::optional<dom::array> list = reader.list("events", value, "a list of events");
  if (!list) return;
  if (list->size() > model::kTrialEventsMax) {
    reader.refuse("events", fmt::format("at most {} are tried at once", model::kTrialEventsMax));
    return;
  }
  json::RawJson raw(raw_list);
  raw.enter();
  std::size_t index = 0;
  for (const dom::element element : *list) {
    TRIGGERD_ASSERT(raw.next());
    read_trial_event(element, raw, fmt::format("events[{}]", index++), faults, events);
  }
}

}  // namespace

Faults read_trigger(std::string& body, TriggerText& trigger) {
  Document document(body);
  const std::optional<dom::object> object = document.object();
  if (!object) return document.take_faults();
  Faults faults;
  TriggerReader reader(trigger, faults);
  json::RawJson raw(body);
  for_each_member(*object, raw,
                  [&](std::string_view name, dom::element value, std::string_view text) {
                    reader.field(name, value, text);
                  });
  reader.check_complete();
  return faults;
}

Faults read_trial(std::string& body, TrialText& trial) {
  Document document(body);
  const std::optional<dom::object> object = document.object();
  if (!object) return document.take_faults();
  Faults faults;
  TriggerReader reader(trial.trigger, faults);
  FieldReader fields("", faults);
  json::RawJson raw(body);
  for_each_member(
      *object, raw, [&](std::string_view name, dom::element value, std::string_view text) {
        if (reader.field(name, value, text)) return;
        if (name == "events") {
          read_trial_events(value, text, faults, trial.events);
        } else if (name == "recent") {
          const std::optional<std::int64_t> recent = whole_number(value);
          if (!recent || *recent < 0 || *recent > std::int64_t{model::kTrialRecentMax}) {
            fields.refuse("recent", fmt::format("expected a number of stored events, 0 to {}",
                                                model::kTrialRecentMax));
          } else {
            trial.recent = static_cast<std::uint32_t>(*recent);
          }
        }
      });
  reader.check_complete();
  if (faults.empty() && trial.events.empty() && trial.recent == 0) {
    fields.refuse("events", "nothing to try; give events, or recent with a number");
  }
  return faults;
}

Faults read_event_type(std::string& body, EventTypeText& event_type) {
  Document document(body);
  const std::optional<dom::object> object = document.object();
  if (!object) return document.take_faults();
  Faults faults;
  FieldReader reader("", faults);
  json::RawJson raw(body);
  for_each_member(
      *object, raw, [&](std::string_view name, dom::element value, std::string_view text) {
        if (name == "description") {
          event_type.description = reader.text(name, value).value_or("");
        } else if (name == "schema" && !value.is_null() && reader.object(name, value)) {
          event_type.schema = compact_json(text);
          const base::Result<JsonSchema> schema = JsonSchema::compile(event_type.schema);
          if (!schema.ok()) faults.push_back(schema.error());
        }
      });
  return faults;
}

}  // namespace triggerd::api
