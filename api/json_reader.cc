#include "api/json_reader.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "api/json_text.h"
#include "engine/base/log.h"
#include "engine/model/event_types.h"
#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

namespace dom = simdjson::dom;
using base::Error;
using base::ErrorCode;

static_assert(simdjson::SIMDJSON_PADDING <= kJsonPadding);

std::string_view name_of(dom::element_type type) {
  switch (type) {
    case dom::element_type::ARRAY:
      return "a list";
    case dom::element_type::OBJECT:
      return "an object";
    case dom::element_type::STRING:
      return "a string";
    case dom::element_type::BOOL:
      return "a boolean";
    case dom::element_type::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

Error wrong_type(std::string_view field, std::string_view expected, dom::element value) {
  return {ErrorCode::kInvalid,
          fmt::format("{}: expected {}, got {}", field, expected, name_of(value.type()))};
}

Error missing(std::string_view field) {
  return {ErrorCode::kInvalid, fmt::format("{}: required, but missing", field)};
}

// Depth and names of a document that simdjson found well-formed (it accepts a name twice).
class StructureCheck {
 public:
  // Depth counts objects and lists, the outermost is 1.
  bool walk(dom::element value, std::size_t depth) {
    if (value.type() == dom::element_type::OBJECT) {
      const dom::object object = value.get_object().value_unsafe();
      if (depth >= model::kJsonDepthMax) return too_deep();
      if (!check_names(object)) return false;
      for (const dom::key_value_pair member : object) {
        if (!walk(member.value, depth + 1)) return false;
      }
    } else if (value.type() == dom::element_type::ARRAY) {
      const dom::array list = value.get_array().value_unsafe();
      if (depth >= model::kJsonDepthMax) return too_deep();
      for (const dom::element element : list) {
        if (!walk(element, depth + 1)) return false;
      }
    }
    return true;
  }
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  bool too_deep() {
    fault_ = fmt::format("JSON: nested deeper than {} levels", model::kJsonDepthMax);
    return false;
  }

  // Few names are compared with each other, many are sorted first: no input costs a square.
  bool check_names(dom::object object) {
    constexpr std::size_t few_names = 8;
    names_.clear();
    for (const dom::key_value_pair member : object) {
      if (names_.size() < few_names &&
          std::find(names_.begin(), names_.end(), member.key) != names_.end()) {
        return twice(member.key);
      }
      names_.push_back(member.key);
    }
    if (names_.size() <= few_names) return true;
    std::sort(names_.begin(), names_.end());
    const auto pair = std::adjacent_find(names_.begin(), names_.end());
    return pair == names_.end() || twice(*pair);
  }
  bool twice(std::string_view name) {
    fault_ = fmt::format("JSON: the name \"{}\" stands twice in one object",
                         name.substr(0, model::kNameBytesMax));
    return false;
  }

  std::vector<std::string_view> names_;
  std::string fault_;
};

std::string describe_malformed(const std::string& body, simdjson::error_code error) {
  if (const std::optional<JsonFault> fault = find_json_fault(body, model::kJsonDepthMax)) {
    return fmt::format("malformed JSON at byte {}: {}", fault->offset, fault->what);
  }
  return fmt::format("malformed JSON: {}", simdjson::error_message(error));
}

// A whole document. Views into it hold until the thread parses the next one.
class Document {
 public:
  explicit Document(std::string& body) {
    if (body.size() > model::kBodyBytesMax) {
      refuse(ErrorCode::kTooLarge,
             fmt::format("body: at most {} bytes are taken", model::kBodyBytesMax));
      return;
    }
    body.reserve(body.size() + kJsonPadding);
    dom::parser& parser = parser_of_this_thread();
    const simdjson::simdjson_result<dom::element> parsed =
        parser.parse(body.data(), body.size(), false);
    if (parsed.error() != simdjson::SUCCESS) {
      refuse(ErrorCode::kInvalid, describe_malformed(body, parsed.error()));
      return;
    }
    root_ = parsed.value_unsafe();
    StructureCheck check;
    if (!check.walk(root_, 0)) refuse(ErrorCode::kInvalid, check.fault());
  }

  // Empty: the document is good.
  [[nodiscard]] Faults take_faults() { return std::move(faults_); }
  [[nodiscard]] bool ok() const { return faults_.empty(); }
  // Requires: ok().
  [[nodiscard]] dom::element root() const { return root_; }
  // The document's object; nothing, and a fault, when it is something else.
  std::optional<dom::object> object() {
    if (!ok()) return std::nullopt;
    dom::object object;
    if (root_.get_object().get(object) == simdjson::SUCCESS) return object;
    faults_.push_back(wrong_type("body", "an object", root_));
    return std::nullopt;
  }

 private:
  static dom::parser& parser_of_this_thread() {
    thread_local dom::parser parser;
    // simdjson counts one level more than the contract; StructureCheck is exact.
    if (parser.max_depth() != kParserDepth) {
      TRIGGERD_ASSERT(parser.allocate(kParserCapacity, kParserDepth) == simdjson::SUCCESS);
    }
    return parser;
  }
  void refuse(ErrorCode code, std::string message) {
    faults_.push_back({code, std::move(message)});
  }

  static constexpr std::size_t kParserDepth = model::kJsonDepthMax + 2;
  static constexpr std::size_t kParserCapacity = std::size_t{16} * 1024;

  dom::element root_;
  Faults faults_;
};

// Takes typed values out of fields, and keeps the faults.
class FieldReader {
 public:
  // `where` stands before the field's name in every message.
  FieldReader(std::string_view where, Faults& faults) : where_(where), faults_(faults) {}

  std::optional<std::string_view> text(std::string_view field, dom::element value) {
    std::string_view text;
    if (value.get_string().get(text) == simdjson::SUCCESS) return text;
    refuse_type(field, "a string", value);
    return std::nullopt;
  }
  std::optional<bool> boolean(std::string_view field, dom::element value) {
    bool boolean = false;
    if (value.get_bool().get(boolean) == simdjson::SUCCESS) return boolean;
    refuse_type(field, "true or false", value);
    return std::nullopt;
  }
  std::optional<dom::object> object(std::string_view field, dom::element value) {
    dom::object object;
    if (value.get_object().get(object) == simdjson::SUCCESS) return object;
    refuse_type(field, "an object", value);
    return std::nullopt;
  }
  std::optional<dom::array> list(std::string_view field, dom::element value,
                                 std::string_view expected) {
    dom::array list;
    if (value.get_array().get(list) == simdjson::SUCCESS) return list;
    refuse_type(field, expected, value);
    return std::nullopt;
  }

  void refuse(std::string_view field, std::string_view what, ErrorCode code = ErrorCode::kInvalid) {
    faults_.push_back({code, fmt::format("{}{}: {}", where_, field, what)});
  }
  void refuse_type(std::string_view field, std::string_view expected, dom::element value) {
    faults_.push_back(wrong_type(fmt::format("{}{}", where_, field), expected, value));
  }
  void refuse_missing(std::string_view field) {
    faults_.push_back(missing(fmt::format("{}{}", where_, field)));
  }

 private:
  std::string_view where_;
  Faults& faults_;
};

void assign(std::optional<std::string>& into, std::optional<std::string_view> text) {
  if (text) into = std::string(*text);
}

std::vector<model::Header> read_headers(dom::element value, FieldReader& reader) {
  std::vector<model::Header> headers;
  const std::optional<dom::object> object = reader.object("custom_headers", value);
  if (!object) return headers;
  for (const dom::key_value_pair member : *object) {
    const std::string field =
        fmt::format("custom_headers.{}", member.key.substr(0, model::kNameBytesMax));
    const std::optional<dom::array> list = reader.list(field, member.value, "a list of strings");
    if (!list) continue;
    model::Header header{std::string(member.key), {}};
    for (const dom::element element : *list) {
      const std::optional<std::string_view> text = reader.text(field, element);
      if (!text) break;
      header.values.emplace_back(*text);
    }
    headers.push_back(std::move(header));
  }
  return headers;
}

// Not ignored like other unknown fields: who asks for it would be given something else.
void refuse_unsupported(std::string_view field, FieldReader& reader) {
  reader.refuse(field, "not supported by this version; leave it out");
}

// --- Events -----------------------------------------------------------------------------------

// `raw` is a whole object; what stands between its braces, empty when there is no member.
std::string_view members_of(std::string_view raw) {
  const std::string_view inside = raw.substr(1, raw.size() - 2);
  return inside.find('"') == std::string_view::npos ? std::string_view() : inside;
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  fmt::format_to(std::back_inserter(out), "\"{}\":\"", name);
  base::append_json_escaped(out, text);
  out += '"';
}

// Event::content: event_metadata first, keys sorted, zero values left out (CONTRACT B4.2).
void build_content(model::NewEvent& event, model::OrgId org, const model::VersionedName& name,
                   std::string_view own_members) {
  std::string& out = event.content;
  out.reserve(own_members.size() + event.name.size() * 2 + 320);
  out = "{\"event_metadata\":{";
  append_member(out, "event_id", event.id.to_string());
  out += ',';
  append_member(out, "event_name", event.name);
  out += ',';
  append_member(out, "event_type", name.type);
  if (name.version != 0) {
    fmt::format_to(std::back_inserter(out), ",\"event_version\":{}", name.version);
  }
  if (event.is_test) out += ",\"is_test_event\":true";
  out += ',';
  append_member(out, "organization_id", org.to_string());
  const auto source = static_cast<unsigned>(model::source_of(event.name));
  if (source != 0) fmt::format_to(std::back_inserter(out), ",\"source\":{}", source);
  out += ',';
  append_member(out, "timestamp", base::to_rfc3339(event.timestamp));
  out += '}';
  if (!own_members.empty()) out += ',';
  event.own_members_at = static_cast<std::uint32_t>(out.size());
  out += own_members;
  out += '}';
}

// Reads one event; RawJson walks along with the DOM, so that content is cut out as it was sent.
class EventReader {
 public:
  EventReader(const EventDefaults& defaults, std::string_view where, Faults& faults)
      : defaults_(defaults), faults_(faults), before_(faults.size()), reader_(where, faults) {}

  void read(dom::object object, RawJson& raw, std::vector<model::NewEvent>& events) {
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
    }
    if (faults_.size() > before_ || !name) return;
    if (!event_.id_from_client) event_.id = model::EventId(defaults_.random.uuid_v4());
    if (!has_timestamp_) event_.timestamp = defaults_.now;
    event_.traceparent = defaults_.traceparent;
    build_content(event_, defaults_.org, *name, own_members_);
    events.push_back(std::move(event_));
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
        event_.ordering_key = *text;
        if (text->size() > model::kOrderingKeyBytesMax) {
          reader_.refuse("ordering_key",
                         fmt::format("at most {} bytes", model::kOrderingKeyBytesMax));
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
    own_members_ = members_of(raw);
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

Faults read_event_list(dom::array list, RawJson& raw, const EventDefaults& defaults,
                       std::vector<model::NewEvent>& events) {
  const std::size_t count = list.size();
  if (count == 0 || count > model::kEventsPerBatchMax) {
    return {{ErrorCode::kInvalid, fmt::format("body: a list of 1 to {} events is expected, got {}",
                                              model::kEventsPerBatchMax, count)}};
  }
  Faults faults;
  events.reserve(count);
  raw.enter();
  std::size_t index = 0;
  for (const dom::element element : list) {
    TRIGGERD_ASSERT(raw.next());
    const std::string where = fmt::format("[{}]", index++);
    dom::object object;
    if (element.get_object().get(object) != simdjson::SUCCESS) {
      faults.push_back(wrong_type(where, "an event object", element));
      raw.value();
      continue;
    }
    EventReader(defaults, where + ".", faults).read(object, raw, events);
  }
  return faults;
}

}  // namespace

Faults read_webhook(std::string& body, model::WebhookDraft& draft) {
  Document document(body);
  const std::optional<dom::object> object = document.object();
  if (!object) return document.take_faults();
  Faults faults;
  FieldReader reader("", faults);
  for (const dom::key_value_pair member : *object) {
    if (member.key == "name") {
      assign(draft.name, reader.text("name", member.value));
    } else if (member.key == "target_url") {
      assign(draft.target_url, reader.text("target_url", member.value));
    } else if (member.key == "description") {
      assign(draft.description, reader.text("description", member.value));
    } else if (member.key == "timeout") {
      assign(draft.timeout, reader.text("timeout", member.value));
    } else if (member.key == "custom_headers") {
      draft.custom_headers = read_headers(member.value, reader);
    } else if (member.key == "delivery") {
      refuse_unsupported("delivery", reader);
    }
  }
  return faults;
}

Faults read_trigger(std::string& body, TriggerText& trigger) {
  Document document(body);
  const std::optional<dom::object> object = document.object();
  if (!object) return document.take_faults();
  Faults faults;
  FieldReader reader("", faults);
  bool has_type = false;
  bool has_name = false;
  for (const dom::key_value_pair member : *object) {
    if (member.key == "trigger_type") {
      has_type = true;
      trigger.type = reader.text("trigger_type", member.value).value_or("");
    } else if (member.key == "trigger_name") {
      has_name = true;
      trigger.name = reader.text("trigger_name", member.value).value_or("");
    } else if (member.key == "filter") {
      refuse_unsupported("filter", reader);
    }
  }
  if (!has_type) reader.refuse_missing("trigger_type");
  if (!has_name) reader.refuse_missing("trigger_name");
  return faults;
}

Faults read_organization(std::string& body, model::CreateOrganization& request) {
  Document document(body);
  const std::optional<dom::object> object = document.object();
  if (!object) return document.take_faults();
  Faults faults;
  FieldReader reader("", faults);
  bool has_name = false;
  for (const dom::key_value_pair member : *object) {
    if (member.key == "name") {
      has_name = true;
      request.name = reader.text("name", member.value).value_or("");
    } else if (member.key == "id") {
      const std::optional<std::string_view> text = reader.text("id", member.value);
      if (!text) continue;
      request.id = model::OrgId::parse(*text);
      if (!request.id) reader.refuse("id", "must be a UUID (8-4-4-4-12 hexadecimal digits)");
    }
  }
  if (!has_name) reader.refuse_missing("name");
  return faults;
}

Faults read_api_key(std::string& body, ApiKeyDraft& draft) {
  Document document(body);
  const std::optional<dom::object> object = document.object();
  if (!object) return document.take_faults();
  Faults faults;
  FieldReader reader("", faults);
  for (const dom::key_value_pair member : *object) {
    if (member.key == "name") {
      draft.name = reader.text("name", member.value).value_or("");
    } else if (member.key == "scopes") {
      constexpr std::string_view expected = "a list of \"publish\", \"read\", \"manage\"";
      const std::optional<dom::array> list = reader.list("scopes", member.value, expected);
      if (!list) continue;
      unsigned scopes = 0;
      for (const dom::element element : *list) {
        const std::string_view scope = reader.text("scopes", element).value_or("read");
        if (scope == "publish") {
          scopes |= model::kScopePublish;
        } else if (scope == "read") {
          scopes |= model::kScopeRead;
        } else if (scope == "manage") {
          scopes |= model::kScopeManage;
        } else {
          reader.refuse("scopes", fmt::format("\"{}\" is none of publish, read, manage",
                                              scope.substr(0, model::kNameBytesMax)));
        }
      }
      if (list->size() == 0) reader.refuse("scopes", "must not be empty; leave it out for all");
      draft.scopes = static_cast<std::uint8_t>(scopes);
    }
  }
  return faults;
}

Faults read_events(std::string& body, const EventDefaults& defaults,
                   std::vector<model::NewEvent>& events) {
  Document document(body);
  if (!document.ok()) return document.take_faults();
  RawJson raw(body);
  dom::array list;
  if (document.root().get_array().get(list) == simdjson::SUCCESS) {
    return read_event_list(list, raw, defaults, events);
  }
  dom::object object;
  if (document.root().get_object().get(object) != simdjson::SUCCESS) {
    return {wrong_type("body", "an event object or a list of them", document.root())};
  }
  Faults faults;
  EventReader(defaults, "", faults).read(object, raw, events);
  return faults;
}

}  // namespace triggerd::api
