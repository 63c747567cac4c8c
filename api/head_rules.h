// What a request's head says about its body and about waiting: media type and consistency headers
// (CONTRACT A1, B7). RFC 9110, sections 8.3 and 8.4.
#pragma once

#include <cstdint>
#include <optional>

#include "api/http.h"
#include "engine/base/status.h"
#include "engine/base/time.h"

namespace triggerd::api {

// A browser sends JSON as text/plain where it wants to spare the preflight (navigator.sendBeacon).
enum class PlainText : std::uint8_t { kRefused, kIsJson };
// The answer (415) to a body that is not plain JSON in UTF-8; nothing when it may come. An absent
// Content-Type is accepted.
[[nodiscard]] std::optional<HttpResponse> refuse_media_type(const HttpRequest& head,
                                                            PlainText plain = PlainText::kRefused);

// The answer (415) to events in a format that is not taken (event_format.h); it lists those that
// are.
[[nodiscard]] std::optional<HttpResponse> refuse_event_format(const HttpRequest& head);

// The answer (413) to a Content-Length above `bytes_max`.
[[nodiscard]] std::optional<HttpResponse> refuse_length(const HttpRequest& head,
                                                        std::size_t bytes_max);

// How long a write waits for its consistency level; `unless_said` when the client does not say.
// One node has one region, so both levels wait for the same thing.
[[nodiscard]] base::Result<base::Duration> consistency_timeout(const HttpRequest& head,
                                                               base::Duration unless_said);

}  // namespace triggerd::api
