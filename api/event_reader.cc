#include "api/event_reader.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "api/event_list.h"
#include "api/json_document.h"
#include "engine/base/assert.h"
#include "engine/json/json_text.h"
#include "engine/model/event_content.h"
#include "engine/model/event_types.h"
#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

using base::ErrorCode;

// Reads one event; RawJson walks along with the DOM, so that content is cut out as it was sent.
class EventReader {
 public:
  EventReader(const EventDefaults& defaults, Faults& faults)
      : defaults_(defaults), faults_(faults), before_(faults.size()), reader_("", faults) {}

  // When there are faults the event is what could be read, without content.
  model::NewEvent read(dom::object object, json::RawJson& raw) {
    raw.enter();
    for (const dom::key_value_pair member : object) {
      TRIGGERD_ASSERT(raw.next());
      raw.skip_name();
      field(member, raw.value());
    }
    TRIGGERD_ASSERT(!raw.next());
    if (!has_name_) reader_.refuse_missing("event_name");
    const std::optional<model::VersionedName> name = model::split_event_name(event_.name);
    if (!event_.name.empty() && !name) {
      reader_.refuse("event_name", "must end in _v and a number, as in PersonCreated_v1");
      event_.name.clear();
    }
    if (faults_.size() > before_ || !name) return std::move(event_);
    if (!event_.id_from_client) event_.id = model::EventId(defaults_.random.uuid_v4());
    if (!has_timestamp_) event_.timestamp = defaults_.now;
    event_.traceparent = defaults_.traceparent;
    model::build_content(event_, defaults_.org, *name, own_members_);
    return std::move(event_);
  }

 private:
  void field(const dom::key_value_pair& member, std::string_view raw) {
    if (member.key == "event_name") {
      has_name_ = true;
      if (const auto text = reader_.text("event_name", member.value)) {
        event_.name = *text;
        if (text->empty()) reader_.refuse("event_name", "must not be empty");
      }
    } else if (member.key == "content") {
      content(member.value, raw);
    } else if (member.key == "event_id") {
      id(member.value);
    } else if (member.key == "timestamp") {
      timestamp(member.value);
    } else if (member.key == "ordering_key") {
      if (const auto text = reader_.text("ordering_key", member.value)) {
        if (text->size() > model::kOrderingKeyBytesMax) {
          reader_.refuse("ordering_key",
                         fmt::format("at most {} bytes", model::kOrderingKeyBytesMax));
        } else {
          event_.ordering_key = *text;
        }
      }
    } else if (member.key == "is_test_event") {
      event_.is_test = reader_.boolean("is_test_event", member.value).value_or(false);
    }
  }

  void content(dom::element value, std::string_view raw) {
    const std::optional<dom::object> object = reader_.object("content", value);
    if (!object) return;
    if (raw.size() > model::kEventContentBytesMax) {
      reader_.refuse("content",
                     fmt::format("has {} bytes, at most {} are taken", raw.size(),
                                 model::kEventContentBytesMax),
                     ErrorCode::kTooLarge);
    }
    if (object->at_key("event_metadata").error() == simdjson::SUCCESS) {
      reader_.refuse("content.event_metadata", "is built by the engine; leave it out");
    }
    own_members_ = model::members_of(raw);
  }

  void id(dom::element value) {
    const std::optional<std::string_view> text = reader_.text("event_id", value);
    if (!text) return;
    const std::optional<model::EventId> id = model::EventId::parse(*text);
    if (!id) return reader_.refuse("event_id", "must be a UUID (8-4-4-4-12 hexadecimal digits)");
    event_.id = *id;
    event_.id_from_client = true;
  }

  void timestamp(dom::element value) {
    has_timestamp_ = true;
    const std::optional<std::string_view> text = reader_.text("timestamp", value);
    if (!text) return;
    const std::optional<base::WallTime> time = base::parse_rfc3339(*text);
    if (!time) {
      return reader_.refuse("timestamp",
                            "must be an RFC 3339 time, as in 2024-03-03T02:12:00.074366572Z");
    }
    event_.timestamp = *time;
  }

  const EventDefaults& defaults_;
  Faults& faults_;
  std::size_t before_;
  FieldReader reader_;
  model::NewEvent event_;
  bool has_name_ = false;
  bool has_timestamp_ = false;
  std::string_view own_members_;
};

}  // namespace

Faults read_event(std::string& body, const EventDefaults& defaults,
                  std::vector<model::NewEvent>& events) {
  Document document(body);
  if (!document.ok()) return document.take_faults();
  json::RawJson raw(body);
  dom::object object;
  if (document.root().get_object().get(object) != simdjson::SUCCESS) {
    return {wrong_type("line", "an event object", document.root())};
  }
  Faults faults;
  model::NewEvent event = EventReader(defaults, faults).read(object, raw);
  if (faults.empty()) events.push_back(std::move(event));
  return faults;
}

Faults read_events(std::string& body, const EventDefaults& defaults,
                   std::vector<model::NewEvent>& events) {
  Document document(body);
  if (!document.ok()) return document.take_faults();
  json::RawJson raw(body);
  dom::array list;
  if (document.root().get_array().get(list) == simdjson::SUCCESS) {
    return read_event_list(list, raw, events, [&](dom::object object, Faults& faults) {
      return EventReader(defaults, faults).read(object, raw);
    });
  }
  dom::object object;
  if (document.root().get_object().get(object) != simdjson::SUCCESS) {
    return {wrong_type("body", "an event object or a list of them", document.root())};
  }
  Faults faults;
  model::NewEvent event = EventReader(defaults, faults).read(object, raw);
  if (faults.empty()) events.push_back(std::move(event));
  return faults;
}

Faults faults_of_entries(const std::vector<model::NewEvent>& events) {
  Faults faults;
  for (std::size_t i = 0; i < events.size(); ++i) {
    for (const base::Error& fault : events[i].edge_faults) {
      const char* separator = fault.message.starts_with(':') ? "" : ".";
      faults.push_back({fault.code, fmt::format("[{}]{}{}", i, separator, fault.message)});
    }
  }
  return faults;
}

}  // namespace triggerd::api
