#include "api/cloud_event_reader.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <openssl/sha.h>

#include "api/event_list.h"
#include "api/json_document.h"
#include "api/media_type.h"
#include "api/percent.h"
#include "api/trace_context.h"
#include "engine/base/assert.h"
#include "engine/json/json_text.h"
#include "engine/model/event_content.h"
#include "engine/model/event_types.h"
#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

using base::ErrorCode;

constexpr std::string_view kJsonDataOnly = "only JSON data is taken";

bool is_attribute_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

// Of the type system's String: neither C0 nor C1 controls. `text` is UTF-8.
bool has_control_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return true;
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      return true;
    }
  }
  return false;
}

// The characters of a URI-reference (RFC 3986); what it is made of is the publisher's affair.
bool is_uri_reference(std::string_view text) {
  constexpr std::string_view others = "-._~:/?#[]@!$&'()*+,;=%";
  const auto is_hex = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!plain && others.find(c) == std::string_view::npos) return false;
    if (c == '%' && (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2]))) {
      return false;
    }
  }
  return true;
}

// One CloudEvent, whatever its attributes were carried in.
class CloudEvent {
 public:
  // `where` stands before the name of an attribute in messages.
  CloudEvent(const EventDefaults& defaults, std::string_view where, Faults& faults)
      : defaults_(defaults), faults_(faults), before_(faults.size()), reader_(where, faults) {
    event_.traceparent = defaults.traceparent;
    event_.timestamp = defaults.now;
  }

  [[nodiscard]] FieldReader& reader() { return reader_; }

  void attribute(std::string_view name, std::string_view value) {
    if (!check_name(name)) return;
    if (has_control_character(value)) {
      return reader_.refuse(name, "must not have control characters");
    }
    if (name == "specversion") {
      has_specversion_ = true;
      if (value != "1.0") reader_.refuse(name, "must be 1.0");
    } else if (name == "id") {
      has_id_ = true;
      if (check_text(name, value, model::kCloudEventIdBytesMax)) id_ = value;
    } else if (name == "source") {
      has_source_ = true;
      if (!check_text(name, value, model::kCloudEventSourceBytesMax)) return;
      if (!is_uri_reference(value)) return reader_.refuse(name, "must be a URI-reference");
      event_.source = value;
    } else if (name == "type") {
      has_type_ = true;
      type(value);
    } else if (name == "subject") {
      if (check_text(name, value, model::kCloudEventSubjectBytesMax)) event_.subject = value;
    } else if (name == "time") {
      time(value);
    } else if (name == "datacontenttype") {
      if (!is_json_media_type(value)) {
        reader_.refuse(name, fmt::format("{}: must be application/json", kJsonDataOnly));
      }
    } else {
      extension(name, value);
    }
  }

  // False, and a fault, when it is none.
  bool check_name(std::string_view name) {
    if (is_attribute_name(name)) return true;
    reader_.refuse(name.substr(0, model::kNameBytesMax),
                   "an attribute's name has only lower-case letters and digits");
    return false;
  }

  // `raw` is the object as it was sent; `field` is what messages call it.
  void data(std::string_view field, dom::object object, std::string_view raw) {
    if (raw.size() > model::kEventContentBytesMax) {
      faults_.push_back(
          {ErrorCode::kTooLarge, fmt::format("{}: has {} bytes, at most {} are taken", field,
                                             raw.size(), model::kEventContentBytesMax)});
    }
    if (object.at_key("event_metadata").error() == simdjson::SUCCESS) {
      faults_.push_back(
          {ErrorCode::kInvalid,
           fmt::format("{}.event_metadata: is built by the engine; leave it out", field)});
    }
    own_members_ = model::members_of(raw);
  }

  // When there are faults the event is what could be read, without content.
  model::NewEvent finish() {
    if (!has_specversion_) reader_.refuse_missing("specversion");
    if (!has_id_) reader_.refuse_missing("id");
    if (!has_source_) reader_.refuse_missing("source");
    if (!has_type_) reader_.refuse_missing("type");
    if (faults_.size() > before_) return std::move(event_);
    const std::optional<model::EventId> id = model::EventId::parse(id_);
    event_.id = id ? *id : derived_event_id(defaults_.org, event_.source, id_);
    event_.id_from_client = true;
    if (event_.ordering_key.empty()) event_.ordering_key = std::move(partition_key_);
    model::build_content(event_, defaults_.org, *name_, own_members_);
    return std::move(event_);
  }

 private:
  bool check_text(std::string_view name, std::string_view value, std::size_t bytes_max) {
    if (value.empty()) {
      reader_.refuse(name, "must not be empty");
    } else if (value.size() > bytes_max) {
      reader_.refuse(name, fmt::format("at most {} bytes", bytes_max));
    } else {
      return true;
    }
    return false;
  }

  void type(std::string_view value) {
    if (value.empty()) return reader_.refuse("type", "must not be empty");
    event_.name = value;
    name_ = model::split_event_name(event_.name);
    if (!name_) {
      reader_.refuse("type",
                     "must be an event name, with _v and a number at its end, as in "
                     "PersonCreated_v1");
      event_.name.clear();
    }
  }

  void time(std::string_view value) {
    const std::optional<base::WallTime> time = base::parse_rfc3339(value);
    if (!time) {
      return reader_.refuse("time",
                            "must be an RFC 3339 time, as in 2024-03-03T02:12:00.074366572Z");
    }
    event_.timestamp = *time;
  }

  void extension(std::string_view name, std::string_view value) {
    if (name == "traceparent") {
      // One that is malformed is ignored, as the recommendation asks.
      if (is_traceparent(value)) event_.traceparent = value;
    } else if (name == "orderingkey" || name == "partitionkey") {
      if (!check_text(name, value, model::kOrderingKeyBytesMax)) return;
      (name == "orderingkey" ? event_.ordering_key : partition_key_) = value;
    }
  }

  const EventDefaults& defaults_;
  Faults& faults_;
  std::size_t before_;
  FieldReader reader_;
  model::NewEvent event_;
  std::string id_;
  std::string partition_key_;
  std::optional<model::VersionedName> name_;  // views into event_.name
  std::string_view own_members_;
  bool has_specversion_ = false;
  bool has_id_ = false;
  bool has_source_ = false;
  bool has_type_ = false;
};

// --- Structured -------------------------------------------------------------------------------

bool must_be_text(std::string_view name) {
  constexpr std::array<std::string_view, 8> named = {
      "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema"};
  return std::find(named.begin(), named.end(), name) != named.end();
}

void read_member(CloudEvent& event, const dom::key_value_pair& member) {
  if (member.key == "data_base64") {
    event.reader().refuse("data_base64", fmt::format("{}: send an object as data", kJsonDataOnly));
    return;
  }
  if (!event.check_name(member.key)) return;
  switch (member.value.type()) {
    case dom::element_type::NULL_VALUE:
      return;  // as absent
    case dom::element_type::STRING:
      return event.attribute(member.key, member.value.get_string().value_unsafe());
    case dom::element_type::BOOL:
      if (must_be_text(member.key)) break;
      return event.attribute(member.key, member.value.get_bool().value_unsafe() ? "true" : "false");
    case dom::element_type::INT64:
      if (must_be_text(member.key)) break;
      return event.attribute(member.key, fmt::to_string(member.value.get_int64().value_unsafe()));
    default:
      break;
  }
  event.reader().refuse_type(
      member.key, must_be_text(member.key) ? "a string" : "a string, a boolean or a whole number",
      member.value);
}

// RawJson walks along with the DOM, so that data is cut out as it was sent.
model::NewEvent read_one(dom::object object, json::RawJson& raw, const EventDefaults& defaults,
                         Faults& faults) {
  CloudEvent event(defaults, "", faults);
  raw.enter();
  for (const dom::key_value_pair member : object) {
    TRIGGERD_ASSERT(raw.next());
    raw.skip_name();
    const std::string_view text = raw.value();
    if (member.key != "data") {
      read_member(event, member);
    } else if (!member.value.is_null()) {
      const std::optional<dom::object> data = event.reader().object("data", member.value);
      if (data) event.data("data", *data, text);
    }
  }
  TRIGGERD_ASSERT(!raw.next());
  return event.finish();
}

// --- Binary -----------------------------------------------------------------------------------

constexpr std::string_view kFieldPrefix = "ce-";

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return lower;
}

void read_fields(const HttpRequest& request, CloudEvent& event) {
  std::vector<std::string> seen;
  for (const HttpField& field : request.fields) {
    std::string name = in_lower_case(field.name);
    if (name.compare(0, kFieldPrefix.size(), kFieldPrefix) != 0) continue;
    name.erase(0, kFieldPrefix.size());
    const bool twice = std::find(seen.begin(), seen.end(), name) != seen.end();
    seen.push_back(name);
    if (twice) {
      event.reader().refuse(name, "send it once");
    } else if (name == "datacontenttype") {
      event.reader().refuse(name, "is the field Content-Type here");
    } else if (const std::optional<std::string> value = decode_cloud_event_field(field.value)) {
      event.attribute(name, *value);
    } else {
      event.reader().refuse(name, "must be percent-encoded UTF-8");
    }
  }
}

}  // namespace

Faults read_cloud_event(std::string& body, const EventDefaults& defaults,
                        std::vector<model::NewEvent>& events) {
  Document document(body);
  const std::optional<dom::object> object = document.object();
  if (!object) return document.take_faults();
  Faults faults;
  json::RawJson raw(body);
  model::NewEvent event = read_one(*object, raw, defaults, faults);
  if (faults.empty()) events.push_back(std::move(event));
  return faults;
}

Faults read_cloud_event_batch(std::string& body, const EventDefaults& defaults,
                              std::vector<model::NewEvent>& events) {
  Document document(body);
  if (!document.ok()) return document.take_faults();
  dom::array list;
  if (document.root().get_array().get(list) != simdjson::SUCCESS) {
    return {wrong_type("body", "a list of CloudEvents", document.root())};
  }
  json::RawJson raw(body);
  return read_event_list(list, raw, events, [&](dom::object object, Faults& faults) {
    return read_one(object, raw, defaults, faults);
  });
}

Faults read_binary_cloud_event(HttpRequest& request, const EventDefaults& defaults,
                               std::vector<model::NewEvent>& events) {
  Faults faults;
  CloudEvent event(defaults, kFieldPrefix, faults);
  read_fields(request, event);
  if (request.body.empty()) {
    model::NewEvent read = event.finish();
    if (faults.empty()) events.push_back(std::move(read));
    return faults;
  }
  Document document(request.body);
  const std::optional<dom::object> object = document.object();
  json::RawJson raw(request.body);
  if (object) event.data("body", *object, raw.value());
  model::NewEvent read = event.finish();
  Faults of_body = document.take_faults();
  std::move(of_body.begin(), of_body.end(), std::back_inserter(faults));
  if (faults.empty()) events.push_back(std::move(read));
  return faults;
}

std::optional<std::string> decode_cloud_event_field(std::string_view value) {
  std::string plain;
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    for (std::size_t i = 1; i + 1 < value.size(); ++i) {
      if (value[i] == '\\' && i + 2 < value.size()) ++i;
      plain += value[i];
    }
    value = plain;
  }
  std::optional<std::string> decoded = percent_decode(value, Plus::kIsPlus);
  if (!decoded || !simdjson::validate_utf8(decoded->data(), decoded->size())) return std::nullopt;
  return decoded;
}

model::EventId derived_event_id(const model::OrgId& org, std::string_view source,
                                std::string_view id) {
  // Drawn once; with another one every id would be another.
  constexpr std::array<std::uint8_t, 16> name_space = {0x8f, 0x3c, 0x51, 0x0a, 0x6d, 0x1e,
                                                       0x5b, 0x27, 0x9e, 0x44, 0x02, 0xd8,
                                                       0x73, 0xb6, 0xaf, 0x19};
  // The source cannot hold a zero byte: where it ends is certain.
  std::string name(name_space.begin(), name_space.end());
  name.append(org.value().bytes.begin(), org.value().bytes.end());
  name.append(source).push_back('\0');
  name.append(id);
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(name.data()), name.size(), digest.data());
  base::Uuid uuid;
  std::copy_n(digest.begin(), uuid.bytes.size(), uuid.bytes.begin());
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0fU) | 0x80U);
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3fU) | 0x80U);
  return model::EventId(uuid);
}

}  // namespace triggerd::api
