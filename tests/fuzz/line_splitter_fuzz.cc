// Lines of a stream: the splitter against a plain reading of the whole text, however the text is
// cut. The first byte is the limit of a line, the second and third say where it is cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/line_splitter.h"
#include "engine/base/assert.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

using triggerd::api::LineSplitter;
using Piece = LineSplitter::Piece;

struct Line {
  std::uint64_t number = 0;
  bool is_too_long = false;
  std::string text;
  bool operator==(const Line&) const = default;
};

// What stands between the line feeds; what stands behind the last one if it is anything.
std::vector<Line> read_plainly(std::string_view text, std::size_t bytes_max) {
  std::vector<Line> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool is_too_long = line.size() > bytes_max;
    lines.push_back({lines.size() + 1, is_too_long, std::string(is_too_long ? "" : line)});
  }
  return lines;
}

class Driver {
 public:
  explicit Driver(std::size_t bytes_max) : bytes_max_(bytes_max), splitter_(bytes_max) {}

  void feed(std::string_view input) {
    for (;;) {
      const std::size_t before = input.size();
      const Piece piece = splitter_.feed(input);
      TRIGGERD_ASSERT(splitter_.line().size() <= bytes_max_ + 1);
      if (piece == Piece::kMore) break;
      TRIGGERD_ASSERT(input.size() < before);
      take(piece);
    }
    TRIGGERD_ASSERT(input.empty());
  }
  std::vector<Line> finish() {
    const Piece piece = splitter_.finish();
    if (piece != Piece::kMore) take(piece);
    TRIGGERD_ASSERT(splitter_.finish() == Piece::kMore);
    return std::move(lines_);
  }

 private:
  void take(Piece piece) {
    const bool is_too_long = piece == Piece::kTooLong;
    lines_.push_back({splitter_.number(), is_too_long, is_too_long ? "" : splitter_.line()});
    // The caller may change it.
    if (!is_too_long) splitter_.line().assign("changed");
  }

  std::size_t bytes_max_;
  LineSplitter splitter_;
  std::vector<Line> lines_;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  triggerd::fuzz::Input input(bytes, size);
  const std::size_t bytes_max = 1 + input.take_byte() % 32U;
  const std::size_t first = input.take_byte();
  const std::size_t every = 1 + input.take_byte() % 16U;
  const std::string_view text = input.rest();
  const std::vector<Line> expected = read_plainly(text, bytes_max);

  Driver whole(bytes_max);
  whole.feed(text);
  TRIGGERD_ASSERT(whole.finish() == expected);

  Driver cut(bytes_max);
  cut.feed(text.substr(0, std::min(first, text.size())));
  for (std::size_t at = first; at < text.size(); at += every) cut.feed(text.substr(at, every));
  TRIGGERD_ASSERT(cut.finish() == expected);
  return 0;
}
