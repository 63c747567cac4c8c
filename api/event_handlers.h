// Publishing events and looking one up (CONTRACT A3, A6).
#pragma once

#include "api/router.h"

namespace triggerd::api {

[[nodiscard]] Step publish_events(Call& call);
[[nodiscard]] Step get_event(Call& call);

[[nodiscard]] HttpResponse show_published(const model::Reply& reply, const Audience& audience);
[[nodiscard]] HttpResponse show_event(const model::Reply& reply, const Audience& audience);

}  // namespace triggerd::api
