#include "api/chunk_check.h"

#include <algorithm>

namespace triggerd::api {
namespace {

// 15 digits are below 2^60: more is no size that anybody sends.
constexpr std::uint8_t kSizeDigitsMax = 15;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void ChunkCheck::restart() {
  size_ = left_ = 0;
  extension_bytes_ = trailer_bytes_ = 0;
  data_ = {};
  state_ = State::kSize;
  digits_ = 0;
}

ChunkCheck::Piece ChunkCheck::refuse(int status, const char* message) {
  refusal_ = {status, message};
  return Piece::kRefused;
}

ChunkCheck::Piece ChunkCheck::feed(std::string_view& input) {
  while (!input.empty()) {
    if (state_ == State::kData) {
      data_ =
          input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size())));
      input.remove_prefix(data_.size());
      left_ -= data_.size();
      if (left_ == 0) state_ = State::kDataCr;
      return Piece::kData;
    }
    const char c = input.front();
    input.remove_prefix(1);
    const Piece piece = take(c);
    if (piece != Piece::kMore) return piece;
  }
  return Piece::kMore;
}

ChunkCheck::Piece ChunkCheck::take(char c) {
  switch (state_) {
    case State::kSize:
      return take_size(c);
    case State::kExtension:
      if (c == '\r') {
        state_ = State::kSizeLf;
      } else if (!is_field_byte(c) || static_cast<unsigned char>(c) >= 0x80) {
        return refuse(400, "forbidden byte in a chunk extension");
      } else if (++extension_bytes_ > limits_.chunk_extension_bytes) {
        return refuse(400, "the chunk extensions are too long");
      }
      return Piece::kMore;
    case State::kSizeLf:
      if (c != '\n') return refuse(400, "CR without LF behind a chunk size");
      state_ = size_ == 0 ? State::kTrailerBegin : State::kData;
      left_ = size_;
      return size_ == 0 ? Piece::kMore : Piece::kSize;
    case State::kDataCr:
      if (c != '\r') return refuse(400, "the data of a chunk must be followed by CRLF");
      state_ = State::kDataLf;
      return Piece::kMore;
    case State::kDataLf:
      if (c != '\n') return refuse(400, "the data of a chunk must be followed by CRLF");
      state_ = State::kSize;
      size_ = 0;
      digits_ = 0;
      return Piece::kDataEnd;
    case State::kEndLf:
      if (c != '\n') return refuse(400, "CR without LF at the end of the body");
      return Piece::kEnd;
    default:
      return take_trailer(c);
  }
}

ChunkCheck::Piece ChunkCheck::take_size(char c) {
  const int digit = hex_value(c);
  if (digit >= 0) {
    if (++digits_ > kSizeDigitsMax) return refuse(400, "the size of a chunk is too large");
    size_ = size_ * 16 + static_cast<std::uint64_t>(digit);
    return Piece::kMore;
  }
  if (digits_ == 0 || (c != ';' && c != '\r')) {
    return refuse(400, "the size of a chunk must be hexadecimal digits");
  }
  state_ = c == ';' ? State::kExtension : State::kSizeLf;
  return Piece::kMore;
}

ChunkCheck::Piece ChunkCheck::take_trailer(char c) {
  if (state_ == State::kTrailerLf) {
    if (c != '\n') return refuse(400, "CR without LF in a trailer field");
    state_ = State::kTrailerBegin;
    return Piece::kMore;
  }
  if (state_ == State::kTrailerBegin && c == '\r') {
    state_ = State::kEndLf;
    return Piece::kMore;
  }
  if (state_ == State::kTrailerValue && c == '\r') {
    state_ = State::kTrailerLf;
    return Piece::kMore;
  }
  if (++trailer_bytes_ > limits_.trailer_bytes)
    return refuse(431, "the trailer fields are too long");
  if (state_ == State::kTrailerValue) {
    return is_field_byte(c) ? Piece::kMore : refuse(400, "forbidden byte in a trailer field");
  }
  if (state_ == State::kTrailerName && c == ':') {
    state_ = State::kTrailerValue;
    return Piece::kMore;
  }
  if (!is_token_byte(c)) return refuse(400, "a trailer field must be a name followed by ':'");
  state_ = State::kTrailerName;
  return Piece::kMore;
}

}  // namespace triggerd::api
