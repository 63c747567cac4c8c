#include "api/auth.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "api/head_check.h"
#include "api/problem.h"

namespace triggerd::api {
namespace {

constexpr std::string_view kKeyField = "SlashID-API-Key";
constexpr std::string_view kBearerField = "Authorization";
constexpr std::string_view kOrgField = "SlashID-OrgID";

template <class Good>
using Or = std::variant<Good, HttpResponse>;

HttpResponse unauthorized(std::string_view message) {
  HttpResponse response = problem(401, message);
  response.fields.push_back({"WWW-Authenticate", "Bearer"});  // RFC 9110, 11.6.1 asks for one
  return response;
}

// The token of "Authorization: Bearer TOKEN"; empty for other schemes.
std::string_view bearer_token(std::string_view value) {
  constexpr std::string_view scheme = "Bearer";
  if (value.size() <= scheme.size() || value[scheme.size()] != ' ' ||
      !same_text(value.substr(0, scheme.size()), scheme)) {
    return {};
  }
  value.remove_prefix(scheme.size());
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return value;
}

// The one credential of a request; empty when there is none.
Or<std::string_view> find_credential(const HttpRequest& head) {
  const std::size_t keys = head.count_fields(kKeyField);
  const std::size_t bearers = head.count_fields(kBearerField);
  if (keys + bearers > 1) {
    return problem(400, "SlashID-API-Key, Authorization: send one of them, once");
  }
  if (keys == 1) return std::string_view(*head.find_field(kKeyField));
  if (bearers == 1) return bearer_token(*head.find_field(kBearerField));
  return std::string_view();
}

Or<model::OrgId> find_organization(const HttpRequest& head) {
  if (head.count_fields(kOrgField) > 1) return problem(400, "SlashID-OrgID: send it once");
  const std::string* const text = head.find_field(kOrgField);
  if (text == nullptr) {
    return problem(400, "SlashID-OrgID: this header with the organization's ID is required");
  }
  const std::optional<model::OrgId> org = model::OrgId::parse(*text);
  if (!org) return problem(400, "SlashID-OrgID: must be the UUID of an organization");
  return *org;
}

Or<Caller> admit_admin(const HttpRequest& head, Backend& backend) {
  const Or<std::string_view> credential = find_credential(head);
  if (const auto* refusal = std::get_if<HttpResponse>(&credential)) return *refusal;
  const std::string_view token = std::get<std::string_view>(credential);
  if (!token.empty() && head.count_fields(kBearerField) == 1 && backend.is_admin_token(token)) {
    return Caller{};
  }
  if (!token.empty() && backend.authenticate(token)) {
    return problem(403, "an organization's API key may not do this; use the admin token");
  }
  return unauthorized("the admin token is required, as Authorization: Bearer TOKEN");
}

// Does a key with `scopes` open this door?
bool allows(std::uint8_t scopes, Access access) {
  switch (access) {
    case Access::kPublish:
      return (scopes & model::kScopePublish) != 0;
    case Access::kRead:
      return (scopes & (model::kScopeRead | model::kScopeManage)) != 0;
    default:
      return (scopes & model::kScopeManage) != 0;
  }
}

std::string_view missing_scope(Access access) {
  switch (access) {
    case Access::kPublish:
      return "the API key lacks the scope publish";
    case Access::kRead:
      return "the API key lacks the scope read";
    default:
      return "the API key lacks the scope manage";
  }
}

Or<Caller> admit_key(Access access, const HttpRequest& head, Backend& backend) {
  const Or<std::string_view> credential = find_credential(head);
  if (const auto* refusal = std::get_if<HttpResponse>(&credential)) return *refusal;
  const std::string_view key = std::get<std::string_view>(credential);
  if (key.empty()) {
    return unauthorized(
        "an API key is required, as SlashID-API-Key: KEY or Authorization: Bearer KEY");
  }
  const std::optional<Principal> principal = backend.authenticate(key);
  if (!principal) return unauthorized("the API key is not known");
  const Or<model::OrgId> org = find_organization(head);
  if (const auto* refusal = std::get_if<HttpResponse>(&org)) return *refusal;
  if (std::get<model::OrgId>(org) != principal->org) {
    return problem(403, "the API key belongs to another organization than SlashID-OrgID says");
  }
  if (!allows(principal->scopes, access)) return problem(403, missing_scope(access));
  return Caller{principal->org, principal->scopes, principal->key};
}

}  // namespace

std::variant<Caller, HttpResponse> admit(Access access, const HttpRequest& head, Backend& backend) {
  switch (access) {
    case Access::kOpen:
      return Caller{};
    case Access::kOrganization: {
      const Or<model::OrgId> org = find_organization(head);
      if (const auto* refusal = std::get_if<HttpResponse>(&org)) return *refusal;
      return Caller{std::get<model::OrgId>(org), 0, {}};
    }
    case Access::kAdmin:
    case Access::kScrape:
      return admit_admin(head, backend);
    case Access::kPublish:
    case Access::kRead:
    case Access::kManage:
      break;
  }
  return admit_key(access, head, backend);
}

}  // namespace triggerd::api
