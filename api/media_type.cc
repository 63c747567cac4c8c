#include "api/media_type.h"

#include <cstddef>

#include "api/head_check.h"

namespace triggerd::api {
namespace {

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Is `parameter` of a media type a charset other than UTF-8?
bool other_charset(std::string_view parameter) {
  constexpr std::string_view charset = "charset=";
  if (!same_text(parameter.substr(0, charset.size()), charset)) return false;
  std::string_view value = parameter.substr(charset.size());
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  return !same_text(value, "utf-8");
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

MediaType parse_media_type(std::string_view content_type) {
  std::size_t end = content_type.find(';');
  MediaType media_type{std::string(trim(content_type.substr(0, end))), true};
  for (char& c : media_type.essence) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  while (end != std::string_view::npos) {
    content_type.remove_prefix(end + 1);
    end = content_type.find(';');
    if (other_charset(trim(content_type.substr(0, end)))) media_type.is_utf8 = false;
  }
  return media_type;
}

bool is_json_media_type(std::string_view content_type) {
  const MediaType media_type = parse_media_type(content_type);
  return media_type.is_utf8 &&
         (ends_with(media_type.essence, "/json") || ends_with(media_type.essence, "+json"));
}

}  // namespace triggerd::api
