// The event catalogue of an organization (CONTRACT A3) and dry runs of filters (A4).
//
//   GET    /organizations/event-types               200, result: list of event types
//   GET    /organizations/event-types/{name}        200, result: event type; 404
//   PUT    /organizations/event-types/{name}        201 when it is new, else 200; result: event
//   type DELETE /organizations/event-types/{name}        204; 404; 409 built in, or with triggers
//   POST   /organizations/webhooks/{id}/triggers/test   200, result: list, one for each event tried
#pragma once

#include "api/router.h"

namespace triggerd::api {

[[nodiscard]] Step list_event_types(Call& call);
[[nodiscard]] Step get_event_type(Call& call);
[[nodiscard]] Step put_event_type(Call& call);
[[nodiscard]] Step delete_event_type(Call& call);
[[nodiscard]] Step test_trigger(Call& call);

[[nodiscard]] HttpResponse show_event_types(const model::Reply& reply, const Audience& audience);
[[nodiscard]] HttpResponse show_event_type(const model::Reply& reply, const Audience& audience);
[[nodiscard]] HttpResponse show_trial(const model::Reply& reply, const Audience& audience);

}  // namespace triggerd::api
