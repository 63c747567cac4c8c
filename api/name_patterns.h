// Patterns of event names, as a comma list: "Authentication*,PersonCreated_v1". A '*' stands for
// any characters, or none. Names are compared with case.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace triggerd::api {

class NamePatterns {
 public:
  // Matches every name.
  NamePatterns() = default;
  // kInvalid: an empty pattern, one over model::kNameBytesMax, or more than
  // model::kNamePatternsMax.
  [[nodiscard]] static base::Result<NamePatterns> parse(std::string_view text);

  [[nodiscard]] bool matches(std::string_view name) const;

 private:
  std::vector<std::string> patterns_;  // any of them; none: all names
};

}  // namespace triggerd::api
