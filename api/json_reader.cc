#include "api/json_reader.h"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/delivery_reader.h"
#include "api/json_document.h"
#include "engine/json/json_text.h"
#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

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

}  // namespace

Faults read_webhook(std::string& body, model::WebhookDraft& draft) {
  Document document(body);
  const std::optional<dom::object> object = document.object();
  if (!object) return document.take_faults();
  Faults& faults = draft.faults;
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
      draft.delivery = read_delivery(member.value, faults);
    }
  }
  return {};
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

Faults read_hook_content(std::string& body, std::string& content) {
  Document document(body);
  if (!document.object()) return document.take_faults();
  const std::string_view object = json::RawJson(body).value();
  if (object.size() > model::kEventContentBytesMax) {
    return {{base::ErrorCode::kTooLarge, fmt::format("body: has {} bytes, at most {} are taken",
                                                     object.size(), model::kEventContentBytesMax)}};
  }
  content = object;
  return {};
}

}  // namespace triggerd::api
