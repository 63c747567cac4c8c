#include "app/nearest_word.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace triggerd::app {
namespace {

std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t above = row[j];
      const std::size_t replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      row[j] = std::min({above + 1, row[j - 1] + 1, replaced});
      diagonal = above;
    }
  }
  return row[right.size()];
}

}  // namespace

std::string_view nearest_word(std::string_view typed, const std::vector<std::string_view>& known) {
  return *std::min_element(known.begin(), known.end(), [typed](auto left, auto right) {
    return edit_distance(typed, left) < edit_distance(typed, right);
  });
}

}  // namespace triggerd::app
