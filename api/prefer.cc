#include "api/prefer.h"

#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "api/head_check.h"

namespace triggerd::api {
namespace {

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The value of the preference `wait` in one field's list, if it is there.
std::optional<std::string_view> find_wait(std::string_view list) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view preference = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    preference = preference.substr(0, preference.find(';'));  // parameters mean nothing here
    const std::size_t equals = preference.find('=');
    if (!same_text(trim(preference.substr(0, equals)), "wait")) continue;
    if (equals == std::string_view::npos) return std::string_view();
    std::string_view value = trim(preference.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    return value;
  }
  return std::nullopt;
}

}  // namespace

base::Result<base::Duration> preferred_wait(const HttpRequest& head, int seconds_max) {
  for (const HttpField& field : head.fields) {
    if (!same_text(field.name, "Prefer")) continue;
    const std::optional<std::string_view> value = find_wait(field.value);
    if (!value) continue;
    int seconds = 0;
    const char* const end = value->data() + value->size();
    const std::from_chars_result read = std::from_chars(value->data(), end, seconds);
    if (read.ec != std::errc() || read.ptr != end || seconds < 1 || seconds > seconds_max) {
      return base::Error{
          base::ErrorCode::kInvalid,
          fmt::format("Prefer: wait must be a whole number of seconds from 1 to {}", seconds_max)};
    }
    return base::Duration(std::chrono::seconds(seconds));
  }
  return base::Duration(0);
}

void add_preference_applied(base::Duration wait, HttpResponse& response) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait).count();
  response.fields.push_back({"Preference-Applied", fmt::format("wait={}", seconds)});
}

}  // namespace triggerd::api
