// POST /test-events: events with made-up contents, through the same path as real ones (CONTRACT
// B1.1 row 10).
//
// A test event asked for with `duplicates` is accepted twice under one event id, and so delivered
// twice to each webhook; it is answered once, and costs one token of the rate. GET of the event
// shows the second of the two.
#pragma once

#include <string>

#include "api/router.h"

namespace triggerd::api {

// A synthetic event. Requires: a name with a version.
[[nodiscard]] model::NewEvent make_sample(const std::string& event_name, Call& call);

[[nodiscard]] Step send_test_events(Call& call);

[[nodiscard]] HttpResponse show_test_events(const model::Reply& reply, const Audience& audience);

}  // namespace triggerd::api
