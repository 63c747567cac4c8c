// "Did you mean …": the known word with the fewest edits (Levenshtein) from what was typed.
#pragma once

#include <string_view>
#include <vector>

namespace triggerd::app {

// Requires: `known` is not empty.
[[nodiscard]] std::string_view nearest_word(std::string_view typed,
                                            const std::vector<std::string_view>& known);

}  // namespace triggerd::app
