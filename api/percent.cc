#include "api/percent.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

namespace triggerd::api {
namespace {

int hex_value(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == Plus::kIsSpace) {
      decoded += ' ';
    } else if (text[i] == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

namespace {

base::Error invalid_parameter(std::string_view name, std::string_view what) {
  return {base::ErrorCode::kInvalid, fmt::format("query parameter {}: {}", name, what)};
}

}  // namespace

base::Result<std::optional<std::string>> optional_parameter(std::string_view query,
                                                            std::string_view name) {
  std::optional<std::string> found;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (percent_decode(pair.substr(0, equals), Plus::kIsSpace) != name) continue;
    if (found) return invalid_parameter(name, "stands more than once");
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    found = percent_decode(value, Plus::kIsSpace);
    if (!found) return invalid_parameter(name, "a % must be followed by two hexadecimal digits");
  }
  if (found && found->empty()) return invalid_parameter(name, "must not be empty");
  return found;
}

base::Result<std::string> required_parameter(std::string_view query, std::string_view name) {
  base::Result<std::optional<std::string>> found = optional_parameter(query, name);
  if (!found.ok()) return found.error();
  if (!found.value()) return invalid_parameter(name, "required, but missing");
  return *std::move(found.value());
}

}  // namespace triggerd::api
