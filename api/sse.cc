#include "api/sse.h"

#include <algorithm>
#include <cstddef>

namespace triggerd::api {

void append_sse(std::string& out, std::string_view event, std::string_view data) {
  out.append("event: ").append(event).append("\n");
  for (;;) {
    const std::size_t end = std::min(data.find_first_of("\r\n"), data.size());
    out.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == data.size()) break;
    data.remove_prefix(data.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
  }
  out += '\n';
}

void append_sse_id(std::string& out, std::uint64_t id) {
  out.append("id: ").append(std::to_string(id)).append("\n");
}

}  // namespace triggerd::api
