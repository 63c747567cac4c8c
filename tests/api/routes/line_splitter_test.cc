#include "api/line_splitter.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace triggerd::api {
namespace {

using Lines = std::vector<std::string>;

// The lines of `text`, given in pieces of `piece_bytes`; "!" is one that is too long.
Lines split(const std::string& text, std::size_t piece_bytes, std::size_t bytes_max = 4) {
  Lines lines;
  LineSplitter splitter(bytes_max);
  const auto note = [&](LineSplitter::Piece piece) {
    if (piece == LineSplitter::Piece::kMore) return false;
    lines.push_back(piece == LineSplitter::Piece::kLine ? splitter.line() : "!");
    EXPECT_EQ(splitter.number(), lines.size());
    return true;
  };
  for (std::size_t at = 0; at < text.size(); at += piece_bytes) {
    std::string_view input = std::string_view(text).substr(at, piece_bytes);
    while (note(splitter.feed(input))) {
    }
    EXPECT_TRUE(input.empty());
  }
  note(splitter.finish());
  return lines;
}

TEST(LineSplitter, lines_do_not_depend_on_the_pieces) {
  const std::string text = "a\n\nabcd\r\nabcde\nxyz\r\n\r\nabcdefghijkl\nabcd\rx\ny";
  const Lines expected = {"a", "", "abcd", "!", "xyz", "", "!", "!", "y"};
  for (std::size_t bytes = 1; bytes <= text.size(); ++bytes) {
    EXPECT_EQ(split(text, bytes), expected) << bytes;
  }
}

TEST(LineSplitter, the_last_line_needs_no_end) {
  EXPECT_EQ(split("", 1), Lines{});
  EXPECT_EQ(split("a\n", 1), Lines{"a"});
  EXPECT_EQ(split("abcd", 1), Lines{"abcd"});
  EXPECT_EQ(split("abcde", 1), Lines{"!"});
  EXPECT_EQ(split("abcd\r", 2), Lines{"abcd"});
}

TEST(LineSplitter, an_unfinished_line_is_counted) {
  LineSplitter splitter(4);
  std::string_view input = "abc";
  EXPECT_EQ(splitter.feed(input), LineSplitter::Piece::kMore);
  EXPECT_EQ(splitter.unfinished_bytes(), 3U);
  input = "\n";
  EXPECT_EQ(splitter.feed(input), LineSplitter::Piece::kLine);
  EXPECT_EQ(splitter.unfinished_bytes(), 0U);
}

}  // namespace
}  // namespace triggerd::api
