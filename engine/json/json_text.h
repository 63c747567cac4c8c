// JSON as bytes: cutting values out of a document unchanged, and saying where a broken one breaks.
// RFC 8259.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace triggerd::json {

// Walks a document that has been validated, and gives values as they were sent, byte for byte.
// Touches each byte once. Requires: `text` is one whole valid JSON document and outlives this.
class RawJson {
 public:
  explicit RawJson(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  // Steps into the object or list that comes next.
  void enter();
  // Is there another member or element? If so it comes next; if not, the container is left behind.
  [[nodiscard]] bool next();
  // Over the name and the colon of a member.
  void skip_name();
  // Over the value that comes next, which is returned.
  std::string_view value();

 private:
  void skip_whitespace();
  void skip_string();
  void skip_container();

  const char* at_;
  const char* end_;
};

struct JsonFault {
  std::size_t offset = 0;  // of the first byte that is wrong, or of the end of the text
  std::string what;
};

// The first fault of a document, in the order of its bytes: grammar, UTF-8, escapes, nesting
// deeper than `depth_max`, numbers that a double or 64-bit integer cannot hold. Nothing when there
// is none. Not fast: for documents that were refused. The stack is bounded by depth_max.
[[nodiscard]] std::optional<JsonFault> find_json_fault(std::string_view text,
                                                       std::size_t depth_max);

}  // namespace triggerd::json
