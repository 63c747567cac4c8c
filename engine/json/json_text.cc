#include "engine/json/json_text.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <system_error>

#include "engine/base/assert.h"

namespace triggerd::json {
namespace {

bool is_whitespace(char character) {
  return character == ' ' || character == '\n' || character == '\r' || character == '\t';
}

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

// Value of a hexadecimal digit, or -1.
int hex_value(char character) {
  if (is_digit(character)) return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

// Bytes of the UTF-8 sequence that begins here, 0 when there is none (RFC 3629).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t index) -> unsigned {
    return index < text.size() ? static_cast<unsigned char>(text[index]) : 0U;
  };
  const auto continues = [&](std::size_t index) { return (byte(index) & 0xc0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (!continues(1) || !continues(2)) return 0;
    if (first == 0xe0 && byte(1) < 0xa0) return 0;   // overlong
    if (first == 0xed && byte(1) >= 0xa0) return 0;  // surrogate
    return 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (first == 0xf0 && byte(1) < 0x90) return 0;   // overlong
    if (first == 0xf4 && byte(1) >= 0x90) return 0;  // above U+10FFFF
    return 4;
  }
  return 0;
}

// A plain recursive descent; false means that fault_ is set.
class FaultFinder {
 public:
  FaultFinder(std::string_view text, std::size_t depth_max) : text_(text), depth_max_(depth_max) {}

  std::optional<JsonFault> run() {
    if (value(0)) {
      skip_whitespace();
      if (at_ < text_.size()) fail(at_, "something follows the end of the document");
    }
    return fault_;
  }

 private:
  bool fail(std::size_t offset, const char* what) {
    if (!fault_) fault_ = JsonFault{offset, what};
    return false;
  }
  bool fail_here(const char* what) {
    return fail(at_, at_ < text_.size() ? what : "the document ends too early");
  }

  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char character) {
    if (at_ >= text_.size() || text_[at_] != character) return false;
    ++at_;
    return true;
  }
  void skip_whitespace() {
    while (at_ < text_.size() && is_whitespace(text_[at_])) ++at_;
  }

  bool value(std::size_t depth) {
    skip_whitespace();
    switch (peek()) {
      case '{':
        return container(depth, '}');
      case '[':
        return container(depth, ']');
      case '"':
        return string();
      case 't':
        return literal("true");
      case 'f':
        return literal("false");
      case 'n':
        return literal("null");
      default:
        if (peek() == '-' || is_digit(peek())) return number();
        return fail_here("a value is expected");
    }
  }

  bool container(std::size_t depth, char closing) {
    if (depth == depth_max_) return fail(at_, "nested too deeply");
    ++at_;
    skip_whitespace();
    if (take(closing)) return true;
    while (true) {
      if (closing == '}' && !name()) return false;
      if (!value(depth + 1)) return false;
      skip_whitespace();
      if (take(closing)) return true;
      if (!take(',')) {
        return fail_here(closing == '}' ? "',' or '}' is expected" : "',' or ']' is expected");
      }
    }
  }

  bool name() {
    skip_whitespace();
    if (peek() != '"') return fail_here("a member's name in quotes is expected");
    if (!string()) return false;
    skip_whitespace();
    if (!take(':')) return fail_here("':' is expected");
    return true;
  }

  bool string() {
    ++at_;
    while (at_ < text_.size()) {
      const auto byte = static_cast<unsigned char>(text_[at_]);
      if (byte == '"') {
        ++at_;
        return true;
      }
      if (byte < 0x20) return fail(at_, "a control character in a string must be escaped");
      if (byte == '\\') {
        if (!escape()) return false;
        continue;
      }
      const std::size_t length = utf8_length(text_.substr(at_));
      if (length == 0) return fail(at_, "not UTF-8");
      at_ += length;
    }
    return fail_here("");
  }

  bool escape() {
    const std::size_t start = at_++;
    if (at_ >= text_.size()) return fail_here("");
    const char kind = text_[at_++];
    if (kind != 'u') {
      if (std::string_view("\"\\/bfnrt").find(kind) != std::string_view::npos) return true;
      return fail(start, "no such escape");
    }
    unsigned unit = 0;
    if (!hex4(unit)) return false;
    if (unit >= 0xdc00 && unit <= 0xdfff) return fail(start, "half of a surrogate pair");
    if (unit < 0xd800 || unit > 0xdbff) return true;
    unsigned low = 0;
    if (!take('\\') || !take('u')) {
      if (at_ >= text_.size()) return fail_here("");
      return fail(start, "half of a surrogate pair");
    }
    if (!hex4(low)) return false;
    if (low < 0xdc00 || low > 0xdfff) return fail(start, "half of a surrogate pair");
    return true;
  }

  bool hex4(unsigned& unit) {
    for (int i = 0; i < 4; ++i) {
      const int digit = hex_value(peek());
      if (digit < 0) return fail_here("four hexadecimal digits are expected");
      unit = unit * 16 + static_cast<unsigned>(digit);
      ++at_;
    }
    return true;
  }

  bool literal(std::string_view word) {
    for (const char character : word) {
      if (!take(character)) return fail_here("a value is expected");
    }
    return true;
  }

  bool digits() {
    if (!is_digit(peek())) return fail_here("a digit is expected");
    while (is_digit(peek())) ++at_;
    return true;
  }

  bool number() {
    const std::size_t start = at_;
    bool whole = true;
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.')) {
      whole = false;
      if (!digits()) return false;
    }
    if (take('e') || take('E')) {
      whole = false;
      if (!take('-')) take('+');
      if (!digits()) return false;
    }
    if (!fits(std::string(text_.substr(start, at_ - start)), whole)) {
      return fail(start, "the number is too large: send it as a string");
    }
    return true;
  }

  static bool fits(const std::string& number, bool whole) {
    if (!whole) return std::isfinite(std::strtod(number.c_str(), nullptr));
    const char* const end = number.data() + number.size();
    if (number.front() == '-') {
      std::int64_t integer = 0;
      return std::from_chars(number.data(), end, integer).ec == std::errc();
    }
    std::uint64_t integer = 0;
    return std::from_chars(number.data(), end, integer).ec == std::errc();
  }

  std::string_view text_;
  std::size_t depth_max_;
  std::size_t at_ = 0;
  std::optional<JsonFault> fault_;
};

}  // namespace

void RawJson::skip_whitespace() {
  while (at_ < end_ && is_whitespace(*at_)) ++at_;
}

void RawJson::enter() {
  skip_whitespace();
  TRIGGERD_ASSERT(at_ < end_ && (*at_ == '{' || *at_ == '['));
  ++at_;
}

bool RawJson::next() {
  skip_whitespace();
  if (at_ < end_ && *at_ == ',') {
    ++at_;
    skip_whitespace();
  }
  TRIGGERD_ASSERT(at_ < end_);
  if (*at_ != '}' && *at_ != ']') return true;
  ++at_;
  return false;
}

void RawJson::skip_name() {
  skip_string();
  skip_whitespace();
  TRIGGERD_ASSERT(at_ < end_ && *at_ == ':');
  ++at_;
}

std::string_view RawJson::value() {
  skip_whitespace();
  TRIGGERD_ASSERT(at_ < end_);
  const char* const start = at_;
  if (*at_ == '"') {
    skip_string();
  } else if (*at_ == '{' || *at_ == '[') {
    skip_container();
  } else {
    while (at_ < end_ && *at_ != ',' && *at_ != '}' && *at_ != ']' && !is_whitespace(*at_)) ++at_;
  }
  return {start, static_cast<std::size_t>(at_ - start)};
}

void RawJson::skip_string() {
  TRIGGERD_ASSERT(at_ < end_ && *at_ == '"');
  ++at_;
  while (at_ < end_ && *at_ != '"') at_ += *at_ == '\\' ? 2 : 1;
  TRIGGERD_ASSERT(at_ < end_);
  ++at_;
}

void RawJson::skip_container() {
  std::size_t depth = 0;
  do {
    TRIGGERD_ASSERT(at_ < end_);
    if (*at_ == '"') {
      skip_string();
      continue;
    }
    if (*at_ == '{' || *at_ == '[') ++depth;
    if (*at_ == '}' || *at_ == ']') --depth;
    ++at_;
  } while (depth > 0);
}

std::optional<JsonFault> find_json_fault(std::string_view text, std::size_t depth_max) {
  return FaultFinder(text, depth_max).run();
}

}  // namespace triggerd::json
