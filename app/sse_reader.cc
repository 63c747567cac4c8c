#include "app/sse_reader.h"

#include <algorithm>
#include <utility>

namespace triggerd::app {

bool SseReader::feed(std::string_view& bytes) {
  while (!bytes.empty() && !too_long_) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const std::size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    if (line_.size() + building_.data.size() + end > bytes_max_) {
      too_long_ = true;
      return false;
    }
    line_.append(bytes.substr(0, end));
    if (end == bytes.size()) {
      bytes = {};
      return false;
    }
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    if (take_line()) return true;
  }
  return false;
}

bool SseReader::take_line() {
  const std::string line = std::exchange(line_, {});
  if (line.empty()) {
    whole_ = std::exchange(building_, {});
    any_data_ = false;
    return !whole_.event.empty() || !whole_.data.empty() || !whole_.id.empty();
  }
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view name = std::string_view(line).substr(0, colon);
  std::string_view value = std::string_view(line).substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "event") {
    building_.event = value;
  } else if (name == "id") {
    building_.id = value;
  } else if (name == "data") {
    if (std::exchange(any_data_, true)) building_.data += '\n';
    building_.data += value;
  }
  return false;
}

}  // namespace triggerd::app
