// The delivery log: lists of deliveries and of events, and one delivery with all its attempts
// (CONTRACT A6). Each pair asks and shows.
#pragma once

#include "api/router.h"

namespace triggerd::api {

// Query: limit, cursor, status, event_name, since, until.
[[nodiscard]] Step list_deliveries(Call& call);
[[nodiscard]] Step list_events(Call& call);
[[nodiscard]] Step get_delivery(Call& call);

[[nodiscard]] HttpResponse show_deliveries(const model::Reply& reply, const Audience& audience);
[[nodiscard]] HttpResponse show_events(const model::Reply& reply, const Audience& audience);
[[nodiscard]] HttpResponse show_delivery(const model::Reply& reply, const Audience& audience);

}  // namespace triggerd::api
