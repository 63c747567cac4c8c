// The trace that a request belongs to. W3C Trace Context, level 1, section 3.2.
#pragma once

#include <string_view>

#include "api/http.h"

namespace triggerd::api {

// Version 00: lower-case hexadecimal, no id all zeros.
[[nodiscard]] bool is_traceparent(std::string_view text);

// The request's traceparent; empty when there is none. One that is malformed, or there twice, is
// ignored, as the recommendation asks.
[[nodiscard]] std::string_view traceparent_of(const HttpRequest& request);

}  // namespace triggerd::api
