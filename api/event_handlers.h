// Publishing events and looking one up (CONTRACT A3, A6).
#pragma once

#include <string_view>

#include "api/router.h"

namespace triggerd::api {

[[nodiscard]] Step publish_events(Call& call);
[[nodiscard]] Step get_event(Call& call);

[[nodiscard]] HttpResponse show_published(const model::Reply& reply, const Audience& audience);
[[nodiscard]] HttpResponse show_event(const model::Reply& reply, const Audience& audience);

// Version 00 of W3C Trace Context, level 1, section 3.2: lower-case hexadecimal, no id all zeros.
[[nodiscard]] bool is_traceparent(std::string_view text);

}  // namespace triggerd::api
