// Cross-origin requests of browsers, for the two paths where SDKs send events (CONTRACT B1.3):
// the origin is echoed and credentials are allowed, because older SDKs send them. Fetch standard,
// section 3.2.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http.h"

namespace triggerd::api {

// An origin as browsers write it: "https://shop.example", "http://localhost:3000", or "null" (a
// page from a file, a sandboxed frame).
[[nodiscard]] bool is_origin(std::string_view text);

// The answer that refuses: 400 to an Origin that is none, 403 to one that is not on the list.
// A request without Origin does not come from a page of another origin: nothing. An empty list
// admits every origin.
[[nodiscard]] std::optional<HttpResponse> refuse_origin(const HttpRequest& head,
                                                        const std::vector<std::string>& allowed);

// The answer to OPTIONS: what the browser may send. Headers that it asks for are echoed when each
// is the name of a header; else they are not allowed.
[[nodiscard]] HttpResponse answer_preflight(const HttpRequest& head);

// What lets the page that sent `head` see the answer: every answer needs it, also an error. For an
// origin that is refused, and without one, Vary alone.
[[nodiscard]] std::vector<HttpField> origin_fields(const HttpRequest& head,
                                                   const std::vector<std::string>& allowed);

}  // namespace triggerd::api
