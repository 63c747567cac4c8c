// Webhooks and their triggers: endpoints 1 to 9 of CONTRACT B1.1. Each pair asks and shows.
#pragma once

#include "api/router.h"

namespace triggerd::api {

[[nodiscard]] Step create_webhook(Call& call);
[[nodiscard]] Step list_webhooks(Call& call);
[[nodiscard]] Step get_webhook(Call& call);
[[nodiscard]] Step patch_webhook(Call& call);
[[nodiscard]] Step delete_webhook(Call& call);
[[nodiscard]] Step rotate_secret(Call& call);
[[nodiscard]] Step get_secret(Call& call);
[[nodiscard]] Step list_triggers(Call& call);
[[nodiscard]] Step add_trigger(Call& call);
[[nodiscard]] Step remove_trigger(Call& call);
[[nodiscard]] Step get_jwks(Call& call);

[[nodiscard]] HttpResponse show_created_webhook(const model::Reply& reply,
                                                const Audience& audience);
[[nodiscard]] HttpResponse show_webhook(const model::Reply& reply, const Audience& audience);
[[nodiscard]] HttpResponse show_webhooks(const model::Reply& reply, const Audience& audience);
[[nodiscard]] HttpResponse show_triggers(const model::Reply& reply, const Audience& audience);
[[nodiscard]] HttpResponse show_added_trigger(const model::Reply& reply, const Audience& audience);
// The only answer that shows a secret.
[[nodiscard]] HttpResponse show_rotated_secret(const model::Reply& reply, const Audience& audience);
[[nodiscard]] HttpResponse show_secret(const model::Reply& reply, const Audience& audience);
// Bare, without the envelope: JWKS clients read it as it stands (CONTRACT B4.3).
[[nodiscard]] HttpResponse show_jwks(const model::Reply& reply, const Audience& audience);
// 204, for every delete.
[[nodiscard]] HttpResponse show_done(const model::Reply& reply, const Audience& audience);

}  // namespace triggerd::api
