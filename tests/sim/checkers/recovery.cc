#include "tests/sim/checkers/recovery.h"

#include <algorithm>
#include <string>

namespace triggerd::sim {
namespace {

// The line of `text` around `at`.
std::string line_at(const std::string& text, std::size_t at) {
  const std::size_t before = text.rfind('\n', at == 0 ? 0 : at - 1);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  return text.substr(begin, text.find('\n', std::min(at, text.size())) - begin);
}

}  // namespace

void Recovery::restarted(const Restarted& seen) {
  if (!seen.expected_state || *seen.expected_state == seen.recovered_state) return;
  const std::string& expected = *seen.expected_state;
  const auto differs = std::mismatch(expected.begin(), expected.end(), seen.recovered_state.begin(),
                                     seen.recovered_state.end());
  const auto at = static_cast<std::size_t>(differs.first - expected.begin());
  scene_.verdict.object("recovery", "the recovered engine differs: it has\n    " +
                                        line_at(seen.recovered_state, at) + "\n  instead of\n    " +
                                        line_at(expected, at));
}

}  // namespace triggerd::sim
