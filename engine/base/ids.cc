#include "engine/base/ids.h"

namespace triggerd::base {
namespace {

constexpr std::size_t kTextBytes = 36;

bool is_hyphen_position(std::size_t position) {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

// Returns 16 for a character that is no hexadecimal digit.
unsigned hex_value(char character) {
  if (character >= '0' && character <= '9') return static_cast<unsigned>(character - '0');
  if (character >= 'a' && character <= 'f') return static_cast<unsigned>(character - 'a') + 10;
  if (character >= 'A' && character <= 'F') return static_cast<unsigned>(character - 'A') + 10;
  return 16;
}

}  // namespace

void Uuid::write_to(char* out) const {
  static constexpr char digits[] = "0123456789abcdef";
  std::size_t position = 0;
  for (const std::uint8_t byte : bytes) {
    if (is_hyphen_position(position)) out[position++] = '-';
    out[position++] = digits[byte >> 4];
    out[position++] = digits[byte & 15];
  }
}

std::string Uuid::to_string() const {
  std::string text(kTextBytes, '\0');
  write_to(text.data());
  return text;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != kTextBytes) return std::nullopt;
  Uuid uuid;
  std::size_t position = 0;
  for (std::uint8_t& byte : uuid.bytes) {
    if (is_hyphen_position(position) && text[position++] != '-') return std::nullopt;
    const unsigned high = hex_value(text[position++]);
    const unsigned low = hex_value(text[position++]);
    if (high > 15 || low > 15) return std::nullopt;
    byte = static_cast<std::uint8_t>((high << 4) | low);
  }
  return uuid;
}

}  // namespace triggerd::base
