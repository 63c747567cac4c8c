// The check of a chunked body before the HTTP parser sees it, for the same reason as head_check:
// sizes, line ends and trailers are judged here byte by byte, and llhttp is given the plain form
// alone (size, data, end), without extensions and trailers. RFC 9112 section 7.1.
//
// Pure: bytes in, pieces out. The verdict does not depend on how the bytes were cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/head_check.h"

namespace triggerd::api {

class ChunkCheck {
 public:
  enum class Piece : std::uint8_t {
    kMore,     // all input is taken
    kSize,     // a chunk of chunk_bytes() begins; never 0
    kData,     // some of its data: data()
    kDataEnd,  // all of its data came, and the CRLF behind it
    kEnd,      // the body is complete, trailers included
    kRefused,
  };

  explicit ChunkCheck(const ParserLimits& limits) : limits_(limits) {}

  // Takes bytes from the front of `input` up to the next piece. Requires: not refused, not at end.
  Piece feed(std::string_view& input);
  [[nodiscard]] std::uint64_t chunk_bytes() const { return size_; }
  [[nodiscard]] std::string_view data() const { return data_; }
  // Requires: refused.
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }
  void restart();

 private:
  enum class State : std::uint8_t {
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerBegin,
    kTrailerName,
    kTrailerValue,
    kTrailerLf,
    kEndLf,
  };

  Piece refuse(int status, const char* message);
  Piece take(char c);
  Piece take_size(char c);
  Piece take_trailer(char c);

  const ParserLimits& limits_;
  std::uint64_t size_ = 0;
  std::uint64_t left_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::string_view data_;
  Refusal refusal_;
  State state_ = State::kSize;
  std::uint8_t digits_ = 0;
};

}  // namespace triggerd::api
