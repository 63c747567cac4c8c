#include "engine/core/validate.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "engine/model/event_types.h"
#include "engine/model/go_duration.h"
#include "engine/model/limits.h"

namespace triggerd::core {
namespace {

using base::Duration;
using base::Error;
using base::ErrorCode;
using base::Result;

// Written by the dispatcher or by HTTP itself (CONTRACT A2), in lower case. Content-Encoding would
// lie about the body, and a second traceparent makes both void.
constexpr std::array<std::string_view, 13> kRefusedHeaders{"connection",     "content-encoding",
                                                           "content-length", "content-type",
                                                           "expect",         "host",
                                                           "keep-alive",     "te",
                                                           "traceparent",    "trailer",
                                                           "upgrade",        "transfer-encoding",
                                                           "user-agent"};
constexpr std::array<std::string_view, 2> kRefusedPrefixes{"proxy-", "webhook-"};

Error invalid(std::string_view field, std::string_view why) {
  return Error{ErrorCode::kInvalid, std::string(field) + ": " + std::string(why)};
}

std::string at_most(std::size_t bytes) {
  return "is longer than " + std::to_string(bytes) + " bytes; shorten it";
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Takes one code point of well-formed UTF-8 (RFC 3629) from the front of `rest`.
std::optional<std::uint32_t> take_code_point(std::string_view& rest) {
  const auto byte_at = [&rest](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(rest[i]));
  };
  const std::uint32_t lead = byte_at(0);
  std::size_t length = 1;
  std::uint32_t value = lead;
  std::uint32_t smallest = 0;  // what needs this length; less is overlong
  if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4;
    value = lead & 0x07U;
    smallest = 0x10000;
  } else if (lead >= 0xe0 && lead < 0xf0) {
    length = 3;
    value = lead & 0x0fU;
    smallest = 0x800;
  } else if (lead >= 0xc2 && lead < 0xe0) {
    length = 2;
    value = lead & 0x1fU;
    smallest = 0x80;
  } else if (lead >= 0x80) {
    return std::nullopt;
  }
  if (rest.size() < length) return std::nullopt;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(i) & 0xc0U) != 0x80) return std::nullopt;
    value = (value << 6) | (byte_at(i) & 0x3fU);
  }
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < smallest || value > 0x10ffff || surrogate) return std::nullopt;
  rest.remove_prefix(length);
  return value;
}

enum class ControlCharacters : std::uint8_t { kAllowed, kRefused };

void check_text(std::string_view field, std::string_view text, ControlCharacters controls,
                Faults& faults) {
  bool has_control = false;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::optional<std::uint32_t> code_point = take_code_point(rest);
    if (!code_point) {
      faults.push_back(invalid(field, "is not valid UTF-8; send it as UTF-8"));
      return;
    }
    has_control = has_control || *code_point < 0x20 || (*code_point >= 0x7f && *code_point < 0xa0);
  }
  if (has_control && controls == ControlCharacters::kRefused) {
    faults.push_back(invalid(field, "has a control character; take it out"));
  }
}

// RFC 9110 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [marks](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

bool is_header_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); });
}

bool is_refused_header(std::string_view lower_name) {
  return std::find(kRefusedHeaders.begin(), kRefusedHeaders.end(), lower_name) !=
             kRefusedHeaders.end() ||
         std::any_of(
             kRefusedPrefixes.begin(), kRefusedPrefixes.end(),
             [lower_name](std::string_view prefix) { return lower_name.starts_with(prefix); });
}

// A name as it may stand in a message: bytes that are not printable ASCII become '?', and a long
// one is cut.
std::string shown(std::string_view text) {
  constexpr std::size_t shown_max = 64;
  std::string out(text.substr(0, shown_max));
  for (char& c : out) {
    if (c < ' ' || c > '~' || c == '"') c = '?';
  }
  if (text.size() > shown_max) out += "...";
  return "\"" + out + "\"";
}

void check_header(const model::Header& header, Faults& faults) {
  const std::string field = "custom_headers " + shown(header.name);
  if (!is_token(header.name)) {
    faults.push_back(
        invalid(field, "is not a header name; use letters, digits and -._~!#$%&'*+^`|"));
  } else if (is_refused_header(to_lower(header.name))) {
    faults.push_back(invalid(field, "is set by the engine; take another name"));
  }
  const auto bad =
      std::find_if_not(header.values.begin(), header.values.end(),
                       [](const std::string& value) { return is_header_value(value); });
  if (bad != header.values.end()) {
    faults.push_back(invalid(
        field, "has a value with a line break, control or non-ASCII character; take it out"));
  }
}

void check_timeout(const std::string& text, ValidWebhook& webhook, Faults& faults) {
  const Result<Duration> timeout = model::parse_go_duration(text);
  if (!timeout.ok()) {
    faults.push_back(invalid("timeout", timeout.error().message));
  } else if (timeout.value() < Duration(0)) {
    faults.push_back(invalid("timeout", "is negative; use 0s (the default) to 20s"));
  } else if (timeout.value() > model::kTimeoutMax) {
    faults.push_back(invalid("timeout", "is more than 20s; use 0s (the default) to 20s"));
  } else {
    webhook.timeout = timeout.value();
  }
}

void check_url(const std::string& text, const model::TargetPolicy& policy, ValidWebhook& webhook,
               Faults& faults) {
  Result<model::TargetUrl> url = model::parse_target_url(text, policy);
  if (!url.ok()) {
    faults.push_back(url.error());
    return;
  }
  webhook.target_url = text;
  webhook.url = std::move(url.value());
}

// Has the edge already complained about this field?
bool is_named(const Faults& faults, std::string_view start) {
  return std::any_of(faults.begin(), faults.end(),
                     [start](const Error& fault) { return fault.message.starts_with(start); });
}

void append(Faults& faults, Faults more) {
  for (Error& fault : more) faults.push_back(std::move(fault));
}

}  // namespace

void ValidWebhook::apply_to(model::Webhook& webhook) const {
  if (name) webhook.name = *name;
  if (target_url) webhook.target_url = *target_url;
  if (description) webhook.description = *description;
  if (timeout) webhook.timeout = *timeout;
  if (custom_headers) webhook.custom_headers = *custom_headers;
  if (delivery) delivery->apply_to(webhook);
}

WebhookVerdict validate_webhook(const model::WebhookDraft& draft, DraftKind kind,
                                const model::TargetPolicy& policy) {
  WebhookVerdict verdict;
  Faults& faults = verdict.faults;
  faults = draft.faults;
  if (draft.name) {
    append(faults, validate_name("name", *draft.name));
    verdict.webhook.name = draft.name;
  } else if (kind == DraftKind::kCreate && !is_named(draft.faults, "name:")) {
    faults.push_back(invalid("name", "is required; give the webhook a name"));
  }
  if (draft.target_url) {
    check_url(*draft.target_url, policy, verdict.webhook, faults);
  } else if (kind == DraftKind::kCreate && !is_named(draft.faults, "target_url:")) {
    faults.push_back(invalid("target_url", "is required; give an absolute https URL"));
  }
  if (draft.description) {
    if (draft.description->size() > model::kDescriptionBytesMax) {
      faults.push_back(invalid("description", at_most(model::kDescriptionBytesMax)));
    }
    check_text("description", *draft.description, ControlCharacters::kAllowed, faults);
    verdict.webhook.description = draft.description;
  }
  if (draft.timeout) check_timeout(*draft.timeout, verdict.webhook, faults);
  if (draft.custom_headers) {
    append(faults, validate_custom_headers(*draft.custom_headers));
    verdict.webhook.custom_headers = draft.custom_headers;
  }
  if (draft.delivery) {
    DeliveryVerdict delivery = validate_delivery(*draft.delivery);
    append(faults, std::move(delivery.faults));
    verdict.webhook.delivery = std::move(delivery.delivery);
  }
  return verdict;
}

Faults validate_custom_headers(const std::vector<model::Header>& headers) {
  Faults faults;
  // Too many are not looked at one by one: the answer stays small.
  if (headers.size() > model::kCustomHeadersMax) {
    faults.push_back(invalid(
        "custom_headers",
        "has more than " + std::to_string(model::kCustomHeadersMax) + " names; take some out"));
    return faults;
  }
  std::size_t bytes = 0;
  std::vector<std::string> names;
  for (const model::Header& header : headers) {
    // As on the wire, where each value repeats the name.
    for (const std::string& value : header.values) bytes += header.name.size() + value.size();
    if (header.values.empty()) bytes += header.name.size();
    check_header(header, faults);
    std::string lower = to_lower(header.name);
    if (std::find(names.begin(), names.end(), lower) != names.end()) {
      faults.push_back(invalid("custom_headers " + shown(header.name),
                               "is there twice (case does not count); put all values in one list"));
    }
    names.push_back(std::move(lower));
  }
  if (bytes > model::kCustomHeaderBytesMax) {
    faults.push_back(invalid("custom_headers", at_most(model::kCustomHeaderBytesMax)));
  }
  return faults;
}

TriggerVerdict validate_trigger(std::string_view type, std::string_view name,
                                const EventNames& names) {
  TriggerVerdict verdict;
  verdict.trigger.name = std::string(name);
  if (type == "event") {
    verdict.trigger.type = model::TriggerType::kEvent;
    if (!names.know(name)) {
      verdict.faults.push_back(
          invalid("trigger_name", shown(name) + " is not an event name of the catalogue; use one, "
                                                "such as PersonCreated_v1"));
    }
  } else if (type == "sync_hook") {
    verdict.trigger.type = model::TriggerType::kSyncHook;
    if (!EventCatalogue::knows_sync_hook(name)) {
      verdict.faults.push_back(invalid(
          "trigger_name", shown(name) + " is not a sync hook; use token_minted, identify_user, "
                                        "threat_detection or posture_detection"));
    }
  } else {
    verdict.faults.push_back(
        invalid("trigger_type", shown(type) + " is unknown; use event or sync_hook"));
  }
  return verdict;
}

Faults validate_name(std::string_view field, std::string_view name) {
  Faults faults;
  if (name.empty()) faults.push_back(invalid(field, "must not be empty; give a name"));
  if (name.size() > model::kNameBytesMax) {
    faults.push_back(invalid(field, at_most(model::kNameBytesMax)));
  }
  check_text(field, name, ControlCharacters::kRefused, faults);
  return faults;
}

Faults validate_event(const model::NewEvent& event, std::optional<std::size_t> index,
                      const EventNames& names) {
  Faults faults;
  const std::string entry = index ? "[" + std::to_string(*index) + "]" : std::string();
  const std::string at = index ? entry + "." : std::string();
  // Where the edge could not read the name it has said so.
  const bool has_name = !event.name.empty() || event.edge_faults.empty();
  if (model::is_operational(event.name) && !event.is_sample) {
    faults.push_back(invalid(at + "event_name", shown(event.name) +
                                                    " is the engine's own: names that begin with "
                                                    "triggerd. cannot be published; use another"));
  } else if (has_name && !names.know(event.name)) {
    faults.push_back(invalid(at + "event_name",
                             shown(event.name) + " is not in the catalogue; use one of its names, "
                                                 "such as PersonCreated_v1"));
  }
  // The limit is on what the publisher gave: event_metadata is ours.
  if (event.content.size() - event.own_members_at > model::kEventContentBytesMax) {
    faults.push_back(
        Error{ErrorCode::kTooLarge, at + "content: " + at_most(model::kEventContentBytesMax)});
  }
  if (event.ordering_key.size() > model::kOrderingKeyBytesMax) {
    faults.push_back(invalid(at + "ordering_key", at_most(model::kOrderingKeyBytesMax)));
  }
  check_text(at + "ordering_key", event.ordering_key, ControlCharacters::kAllowed, faults);
  for (const Error& fault : event.edge_faults) {
    // ": expected an object" is said of the entry, not of a field.
    faults.push_back(
        Error{fault.code, (fault.message.starts_with(':') ? entry : at) + fault.message});
  }
  return faults;
}

}  // namespace triggerd::core
