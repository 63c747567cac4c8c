#include "api/name_patterns.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

// Goes back to the last star alone: at most as many steps as both lengths multiplied.
bool matches_one(std::string_view pattern, std::string_view name) {
  std::size_t at = 0;
  std::size_t in_name = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_takes_to = 0;
  while (in_name < name.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      star_takes_to = in_name;
    } else if (at < pattern.size() && pattern[at] == name[in_name]) {
      ++at;
      ++in_name;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in_name = ++star_takes_to;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

}  // namespace

base::Result<NamePatterns> NamePatterns::parse(std::string_view text) {
  const auto invalid = [](std::string message) {
    return base::Error{base::ErrorCode::kInvalid, std::move(message)};
  };
  NamePatterns patterns;
  for (bool more = true; more;) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view pattern = text.substr(0, comma);
    more = comma < text.size();
    text.remove_prefix(more ? comma + 1 : comma);
    if (pattern.empty()) {
      return invalid("has an empty name; write names with a comma in between, as Person*,Token*");
    }
    if (pattern.size() > model::kNameBytesMax) {
      return invalid(fmt::format("a name has at most {} bytes", model::kNameBytesMax));
    }
    if (patterns.patterns_.size() == model::kNamePatternsMax) {
      return invalid(fmt::format("has at most {} names; use * to say more with less",
                                 model::kNamePatternsMax));
    }
    patterns.patterns_.emplace_back(pattern);
  }
  return patterns;
}

bool NamePatterns::matches(std::string_view name) const {
  return patterns_.empty() ||
         std::any_of(patterns_.begin(), patterns_.end(),
                     [name](const std::string& each) { return matches_one(each, name); });
}

}  // namespace triggerd::api
