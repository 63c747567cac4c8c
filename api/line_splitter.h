// Lines out of bytes that come in any pieces, with a bound on the length of a line. A line ends in
// LF, or in CR LF, or with the text.
//
// Pure. What it gives does not depend on how the bytes were cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace triggerd::api {

class LineSplitter {
 public:
  enum class Piece : std::uint8_t {
    kMore,     // all input is taken
    kLine,     // line() is there, until the next call
    kTooLong,  // a line passed the limit; the rest of it is skipped
  };

  explicit LineSplitter(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  // Takes bytes from the front of `input` up to the next piece.
  Piece feed(std::string_view& input);
  // The text has ended: its last line, if it has bytes.
  Piece finish();

  // Without its end. The caller may change it.
  [[nodiscard]] std::string& line() { return line_; }
  // Of the line given last, from 1; lines that are too long and empty ones count.
  [[nodiscard]] std::uint64_t number() const { return number_; }
  // Bytes of a line whose end has not come.
  [[nodiscard]] std::size_t unfinished_bytes() const {
    return given_ ? 0 : line_.size() + skipped_;
  }

 private:
  Piece give();

  std::size_t line_bytes_max_;
  std::string line_;
  std::uint64_t number_ = 0;
  std::size_t skipped_ = 0;  // of a line that is too long
  bool given_ = false;       // line_ is that of the last piece
  bool skipping_ = false;
};

}  // namespace triggerd::api
