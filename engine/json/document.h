// A whole JSON document out of a text that nobody vouches for. It is validated before anything of
// it is believed: grammar, UTF-8, nesting of at most model::kJsonDepthMax, no name twice in one
// object, numbers that fit into a double or 64 bits.
//
// Any thread; one parser for each: what a document gives is valid until the thread makes the next.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "engine/base/status.h"

namespace triggerd::json {

// Spare bytes that the parser may read behind the end of a text.
inline constexpr std::size_t kPadding = 64;
static_assert(simdjson::SIMDJSON_PADDING <= kPadding);

class Document {
 public:
  // `text` gets kPadding spare bytes behind its end if it has none, and outlives this.
  Document(std::string& text, std::size_t bytes_max);

  [[nodiscard]] bool ok() const { return !fault_; }
  // Requires: !ok(). kTooLarge: more than bytes_max; kInvalid, with the place, for the rest.
  [[nodiscard]] const base::Error& fault() const { return *fault_; }
  // Requires: ok().
  [[nodiscard]] simdjson::dom::element root() const { return root_; }

 private:
  simdjson::dom::element root_;
  std::optional<base::Error> fault_;
};

}  // namespace triggerd::json
