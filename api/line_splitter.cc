#include "api/line_splitter.h"

#include <algorithm>

namespace triggerd::api {
namespace {

// A buffer that grew for one long line is given back behind it.
constexpr std::size_t kCapacityKept = std::size_t{16} * 1024;

}  // namespace

LineSplitter::Piece LineSplitter::give() {
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  given_ = true;
  ++number_;
  return Piece::kLine;
}

LineSplitter::Piece LineSplitter::feed(std::string_view& input) {
  if (given_) {
    given_ = false;
    line_.clear();
    if (line_.capacity() > kCapacityKept) line_.shrink_to_fit();
  }
  if (skipping_) {
    const std::size_t end = input.find('\n');
    if (end == std::string_view::npos) {
      skipped_ += input.size();
      input = {};
      return Piece::kMore;
    }
    input.remove_prefix(end + 1);
    skipping_ = false;
    skipped_ = 0;
  }
  if (input.empty()) return Piece::kMore;
  // One byte more than the limit: it may be the CR of the end.
  const std::size_t room = line_bytes_max_ + 1 - line_.size();
  const std::size_t end = input.substr(0, std::min(input.size(), room + 1)).find('\n');
  if (end != std::string_view::npos) {
    line_.append(input.substr(0, end));
    input.remove_prefix(end + 1);
    if (line_.size() <= line_bytes_max_ || line_.back() == '\r') return give();
    ++number_;
    line_.clear();
    return Piece::kTooLong;
  }
  if (input.size() <= room) {
    line_.append(input);
    input = {};
    return Piece::kMore;
  }
  skipped_ = line_.size() + room + 1;
  input.remove_prefix(room + 1);
  line_.clear();
  skipping_ = true;
  ++number_;
  return Piece::kTooLong;
}

LineSplitter::Piece LineSplitter::finish() {
  skipping_ = false;
  skipped_ = 0;
  if (given_ || line_.empty()) return Piece::kMore;
  if (line_.size() <= line_bytes_max_ || line_.back() == '\r') return give();
  ++number_;
  line_.clear();
  return Piece::kTooLong;
}

}  // namespace triggerd::api
