// Who is asking, and may they: keys of organizations and the admin token (CONTRACT A1, A7, B1.1).
#pragma once

#include <cstdint>
#include <variant>

#include "api/backend.h"
#include "api/http.h"

namespace triggerd::api {

// What a route asks of its caller.
enum class Access : std::uint8_t {
  kOpen,          // nothing
  kOrganization,  // SlashID-OrgID, no key
  kPublish,       // these three: SlashID-OrgID, and a key of that organization with the scope
  kRead,          // manage includes it
  kManage,
  kAdmin,   // the admin token; organization keys are refused
  kScrape,  // the admin token, unless ApiOptions::metrics_public
};

// The caller of an admitted request. Zero where the route does not ask.
struct Caller {
  model::OrgId org;
  std::uint8_t scopes = 0;
  model::ApiKeyId key{};
};

// A caller, or the answer that refuses: 400 for a request that says it wrongly, 401 for an unknown
// caller, 403 for a known one who may not.
[[nodiscard]] std::variant<Caller, HttpResponse> admit(Access access, const HttpRequest& head,
                                                       Backend& backend);

}  // namespace triggerd::api
