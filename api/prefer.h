// The Prefer header (RFC 7240): how long a client would wait for an answer.
#pragma once

#include "api/http.h"
#include "engine/base/status.h"
#include "engine/base/time.h"

namespace triggerd::api {

// `wait=N`, whole seconds from 1 to `seconds_max`; 0 when the client does not say. Other
// preferences are ignored, as RFC 7240 asks; of several waits the first counts. A wait that is not
// such a number is a fault: who asks for 1h must not get a second.
[[nodiscard]] base::Result<base::Duration> preferred_wait(const HttpRequest& head, int seconds_max);

// Says in `response` that this wait was granted.
void add_preference_applied(base::Duration wait, HttpResponse& response);

}  // namespace triggerd::api
