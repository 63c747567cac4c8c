#include "api/sdk_event_reader.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "api/json_document.h"
#include "engine/base/assert.h"
#include "engine/base/log.h"
#include "engine/json/json_text.h"
#include "engine/model/event_content.h"
#include "engine/model/event_types.h"
#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

// --- The six forms ----------------------------------------------------------------------------

enum class Kind : std::uint8_t { kText, kTexts, kHandle };
enum class Need : std::uint8_t { kRequired, kOptional };

struct Field {
  std::string_view name;
  Kind kind;
  Need need;
};
struct Form {
  std::string_view event_name;
  std::span<const Field> fields;
};

// The SDK leaves the method out where it does not know it.
constexpr Field kSucceeded[] = {{"person_id", Kind::kText, Need::kRequired},
                                {"success_authn_method", Kind::kText, Need::kOptional},
                                {"authenticated_methods", Kind::kTexts, Need::kRequired},
                                {"handle", Kind::kHandle, Need::kOptional}};
constexpr Field kFailed[] = {{"failed_authn_method", Kind::kText, Need::kOptional},
                             {"failure_reason", Kind::kText, Need::kRequired},
                             {"person_id", Kind::kText, Need::kOptional},
                             {"authenticated_methods", Kind::kTexts, Need::kOptional},
                             {"failure_detail", Kind::kText, Need::kOptional},
                             {"handle", Kind::kHandle, Need::kOptional},
                             {"challenge_id", Kind::kText, Need::kOptional}};
constexpr Field kOfPerson[] = {{"person_id", Kind::kText, Need::kRequired}};
constexpr Field kOfPage[] = {{"person_id", Kind::kText, Need::kOptional}};

constexpr Form kForms[] = {
    {"AuthenticationSucceeded_v1", kSucceeded},
    {"AuthenticationFailed_v1", kFailed},
    {"PersonIdentified_v1", kOfPerson},
    {"PersonLoggedOut_v1", kOfPerson},
    {"SlashIDSDKLoaded_v1", {}},
    {"VirtualPageLoaded_v1", kOfPage},
};

const Form* find_form(std::string_view event_name) {
  const auto* const found =
      std::find_if(std::begin(kForms), std::end(kForms),
                   [event_name](const Form& form) { return form.event_name == event_name; });
  return found == std::end(kForms) ? nullptr : found;
}

// --- Content ----------------------------------------------------------------------------------

void append_text(std::string& out, std::string_view text) {
  out += '"';
  base::append_json_escaped(out, text);
  out += '"';
}

// An object of texts, without the empty ones; not at all when all are empty.
void append_metadata(std::string& out, std::string_view name,
                     std::span<const std::pair<std::string_view, std::string_view>> members) {
  const auto is_empty = [](const auto& member) { return member.second.empty(); };
  if (std::all_of(members.begin(), members.end(), is_empty)) return;
  if (!out.empty()) out += ',';
  fmt::format_to(std::back_inserter(out), "\"{}\":{{", name);
  for (const auto& [key, value] : members) {
    if (value.empty()) continue;
    if (out.back() != '{') out += ',';
    fmt::format_to(std::back_inserter(out), "\"{}\":", key);
    append_text(out, value);
  }
  out += '}';
}

class SdkEventReader {
 public:
  SdkEventReader(const SdkDefaults& defaults, Faults& faults)
      : defaults_(defaults), reader_("", faults), data_reader_("event_data.", faults) {}

  void read(dom::object object, std::string_view body) {
    json::RawJson raw(body);
    raw.enter();
    for (const dom::key_value_pair member : object) {
      TRIGGERD_ASSERT(raw.next());
      raw.skip_name();
      field(member, raw.value());
    }
    require(organization_id_, "organization_id");
    require(correlation_id_, "analytics_correlation_id");
    require(window_location_, "window_location");
    require(user_agent_, "user_agent");
    if (!has_data_) reader_.refuse_missing("event_data");
  }

  // Requires: no fault was found.
  void take(model::OrgId& org, model::NewEvent& event) {
    org = org_;
    event.id = model::EventId(defaults_.random.uuid_v4());
    event.name = form_->event_name;
    event.timestamp = defaults_.now;
    const bool told = defaults_.client != model::IpAddress{false, {}};
    const std::string client = told ? defaults_.client.to_string() : std::string();
    const std::pair<std::string_view, std::string_view> analytics[] = {
        {"analytics_correlation_id", *correlation_id_}, {"client_ip_address", client}};
    const std::pair<std::string_view, std::string_view> browser[] = {
        {"slashid_sdk_version", sdk_version_},
        {"user_agent", *user_agent_},
        {"window_location", *window_location_}};
    std::string members;
    append_metadata(members, "analytics_metadata", analytics);
    append_metadata(members, "browser_metadata", browser);
    if (!members.empty() && !own_members_.empty()) members += ',';
    members += own_members_;
    model::build_content(event, org, *model::split_event_name(event.name), members);
  }

 private:
  void field(const dom::key_value_pair& member, std::string_view raw) {
    if (member.key == "organization_id") {
      organization_id_ = text_or_empty("organization_id", member.value);
      const std::optional<model::OrgId> org = model::OrgId::parse(*organization_id_);
      if (org) {
        org_ = *org;
      } else if (member.value.is_string()) {
        reader_.refuse("organization_id", "must be the UUID of an organization");
      }
    } else if (member.key == "analytics_correlation_id") {
      correlation_id_ = text_or_empty("analytics_correlation_id", member.value);
    } else if (member.key == "window_location") {
      window_location_ = text_or_empty("window_location", member.value);
    } else if (member.key == "user_agent") {
      user_agent_ = text_or_empty("user_agent", member.value);
    } else if (member.key == "slashid_sdk_version") {
      sdk_version_ = text_or_empty("slashid_sdk_version", member.value);
    } else if (member.key == "event_data") {
      has_data_ = true;
      if (const auto object = reader_.object("event_data", member.value)) data(*object, raw);
    }
  }

  void data(dom::object object, std::string_view text) {
    dom::element named;
    if (object.at_key("event_name").get(named) != simdjson::SUCCESS) {
      return data_reader_.refuse_missing("event_name");
    }
    const std::optional<std::string_view> name = data_reader_.text("event_name", named);
    if (!name) return;
    form_ = find_form(*name);
    if (form_ == nullptr) return refuse_name(*name);
    for (const Field& wanted : form_->fields) {
      dom::element value;
      if (object.at_key(wanted.name).get(value) == simdjson::SUCCESS) {
        check(wanted, value);
      } else if (wanted.need == Need::kRequired) {
        data_reader_.refuse_missing(wanted.name);
      }
    }
    take_members(object, text);
  }

  void take_members(dom::object object, std::string_view text) {
    json::RawJson raw(text);
    raw.enter();
    for (const dom::key_value_pair member : object) {
      TRIGGERD_ASSERT(raw.next());
      raw.skip_name();
      const std::string_view value = raw.value();
      if (member.key == "event_name") continue;
      if (member.key == "event_metadata" || member.key == "analytics_metadata" ||
          member.key == "browser_metadata") {
        data_reader_.refuse(member.key, "is built by the engine; leave it out");
      }
      if (!own_members_.empty()) own_members_ += ',';
      append_text(own_members_, member.key);
      own_members_ += ':';
      own_members_ += value;
    }
  }

  void check(const Field& wanted, dom::element value) {
    switch (wanted.kind) {
      case Kind::kText: {
        const std::optional<std::string_view> text = data_reader_.text(wanted.name, value);
        if (text && text->empty() && wanted.need == Need::kRequired) {
          data_reader_.refuse(wanted.name, "must not be empty");
        }
        break;
      }
      case Kind::kTexts: {
        constexpr std::string_view expected = "a list of strings";
        const auto list = data_reader_.list(wanted.name, value, expected);
        if (!list) break;
        const bool all_texts = std::all_of(
            list->begin(), list->end(), [](dom::element element) { return element.is_string(); });
        if (!all_texts) data_reader_.refuse(wanted.name, "must be a list of strings");
        break;
      }
      case Kind::kHandle:
        handle(value);
    }
  }
  void handle(dom::element value) {
    const std::optional<dom::object> object = data_reader_.object("handle", value);
    if (!object) return;
    for (const std::string_view part : {"type", "value"}) {
      const std::string field = fmt::format("handle.{}", part);
      dom::element found;
      if (object->at_key(part).get(found) != simdjson::SUCCESS) {
        data_reader_.refuse_missing(field);
      } else {
        static_cast<void>(data_reader_.text(field, found));
      }
    }
  }

  void refuse_name(std::string_view name) {
    std::string names;
    for (const Form& form : kForms) {
      if (!names.empty()) names += ", ";
      names += form.event_name;
    }
    data_reader_.refuse("event_name", fmt::format("\"{}\" is not sent by SDKs; only {} are",
                                                  name.substr(0, model::kNameBytesMax), names));
  }
  std::string_view text_or_empty(std::string_view field, dom::element value) {
    return reader_.text(field, value).value_or(std::string_view());
  }
  void require(const std::optional<std::string_view>& value, std::string_view field) {
    if (!value) reader_.refuse_missing(field);
  }

  const SdkDefaults& defaults_;
  FieldReader reader_;
  FieldReader data_reader_;
  model::OrgId org_;
  std::optional<std::string_view> organization_id_;
  std::optional<std::string_view> correlation_id_;
  std::optional<std::string_view> window_location_;
  std::optional<std::string_view> user_agent_;
  std::string_view sdk_version_;
  bool has_data_ = false;
  const Form* form_ = nullptr;
  std::string own_members_;
};

}  // namespace

Faults read_sdk_event(std::string& body, const SdkDefaults& defaults, model::OrgId& org,
                      model::NewEvent& event) {
  Document document(body);
  const std::optional<dom::object> object = document.object();
  if (!object) return document.take_faults();
  Faults faults;
  SdkEventReader reader(defaults, faults);
  reader.read(*object, body);
  if (faults.empty()) reader.take(org, event);
  return faults;
}

}  // namespace triggerd::api
