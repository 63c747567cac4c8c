// What a Content-Type says. RFC 9110, section 8.3; CloudEvents 1.0.2, section 3.1 (JSON data).
#pragma once

#include <string>
#include <string_view>

namespace triggerd::api {

struct MediaType {
  std::string essence;  // "application/json": without parameters, in lower case
  bool is_utf8 = true;  // no charset, or this one
};
[[nodiscard]] MediaType parse_media_type(std::string_view content_type);

// Is it JSON in UTF-8: a subtype of json, or one that ends in +json?
[[nodiscard]] bool is_json_media_type(std::string_view content_type);

}  // namespace triggerd::api
