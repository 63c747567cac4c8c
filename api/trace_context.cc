#include "api/trace_context.h"

#include <string>

namespace triggerd::api {

bool is_traceparent(std::string_view text) {
  // 00-<trace id, 32>-<parent id, 16>-<flags, 2>
  if (text.size() != 55 || text.substr(0, 3) != "00-" || text[35] != '-' || text[52] != '-') {
    return false;
  }
  const std::string_view trace_id = text.substr(3, 32);
  const std::string_view parent_id = text.substr(36, 16);
  const auto is_hex = [](std::string_view part) {
    return part.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  };
  const auto is_zero = [](std::string_view part) {
    return part.find_first_not_of('0') == std::string_view::npos;
  };
  return is_hex(trace_id) && !is_zero(trace_id) && is_hex(parent_id) && !is_zero(parent_id) &&
         is_hex(text.substr(53));
}

std::string_view traceparent_of(const HttpRequest& request) {
  const std::string* const value = request.find_field("traceparent");
  if (value == nullptr || request.count_fields("traceparent") > 1) return {};
  return is_traceparent(*value) ? std::string_view(*value) : std::string_view();
}

}  // namespace triggerd::api
