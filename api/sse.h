// Messages of Server-Sent Events: the HTML standard, section 9.2.6.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace triggerd::api {

// Appends a message without its id: "event: NAME", a "data: " for each line of `data`, and the
// empty line that ends it. Line ends of `data` (LF, CR, CR LF) reach the client as LF.
// Requires: no line end in `event`.
void append_sse(std::string& out, std::string_view event, std::string_view data);

// Says where the client is from here on, also without a message behind it.
void append_sse_id(std::string& out, std::uint64_t id);

}  // namespace triggerd::api
