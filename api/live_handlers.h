// The head of a live stream; what follows it is LiveStreams'.
#pragma once

#include "api/http.h"
#include "api/router.h"

namespace triggerd::api {

// Answers HEAD. A GET with this route is a stream, which ApiHandler sees to.
[[nodiscard]] Step open_live_stream(Call& call);

// 200, all but the body.
[[nodiscard]] HttpResponse live_stream_answer();

}  // namespace triggerd::api
