// Organizations, their API keys, and the keys that sign, for the holder of the admin token
// (CONTRACT A7).
#pragma once

#include "api/router.h"

namespace triggerd::api {

[[nodiscard]] Step create_organization(Call& call);
[[nodiscard]] Step list_organizations(Call& call);
[[nodiscard]] Step get_organization(Call& call);
[[nodiscard]] Step delete_organization(Call& call);
[[nodiscard]] Step create_api_key(Call& call);
[[nodiscard]] Step list_api_keys(Call& call);
[[nodiscard]] Step delete_api_key(Call& call);
[[nodiscard]] Step rotate_signing_key(Call& call);
[[nodiscard]] Step list_signing_keys(Call& call);

[[nodiscard]] HttpResponse show_created_organization(const model::Reply& reply,
                                                     const Audience& audience);
[[nodiscard]] HttpResponse show_organization(const model::Reply& reply, const Audience& audience);
[[nodiscard]] HttpResponse show_organizations(const model::Reply& reply, const Audience& audience);
// The only answer that shows the text of the key.
[[nodiscard]] HttpResponse show_created_api_key(const model::Reply& reply,
                                                const Audience& audience);
[[nodiscard]] HttpResponse show_api_keys(const model::Reply& reply, const Audience& audience);
[[nodiscard]] HttpResponse show_new_signing_key(const model::Reply& reply,
                                                const Audience& audience);
[[nodiscard]] HttpResponse show_signing_keys(const model::Reply& reply, const Audience& audience);

}  // namespace triggerd::api
