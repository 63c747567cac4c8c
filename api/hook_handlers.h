// Calling a sync hook (CONTRACT A5).
//
//   POST /organizations/sync-hooks/{trigger_name}     scope publish; body: a JSON object, at most
//                                                     kEventContentBytesMax; Prefer: wait=1..20;
//                                                     traceparent
//   200 {"result":{"decision":"continue"|"deny","reason":"…" (deny only),"claims":{…},
//        "conflicts":["…"],"dropped":["…"],
//        "webhooks":[{"webhook_id":"…","outcome":"…","status":N (0: no answer),"duration_ms":N}]}}
//        Preference-Applied: wait=N when it was asked for
//   400  the body is not such an object, or Prefer's wait is not such a number
//   404  there is no such hook
//   413  the body is too large
//   503  with Retry-After: too many calls are under way
#pragma once

#include "api/router.h"

namespace triggerd::api {

[[nodiscard]] Step call_hook(Call& call);
[[nodiscard]] HttpResponse show_hook(const model::Reply& reply, const Audience& audience);

}  // namespace triggerd::api
