#include "api/log_cursor.h"

#include <array>
#include <cstddef>

namespace triggerd::api {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kBytes = 1 + 3 * sizeof(std::uint64_t);

// FNV-1a, 64 bits: tells queries apart, protects nothing.
class Digest {
 public:
  void byte(std::uint8_t value) {
    value_ ^= value;
    value_ *= 0x100000001b3ULL;
  }
  void number(std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) byte(static_cast<std::uint8_t>(value >> shift));
  }
  void uuid(const base::Uuid& uuid) {
    for (const std::uint8_t each : uuid.bytes) byte(each);
  }
  void text(std::string_view value) {
    number(value.size());
    for (const char each : value) byte(static_cast<std::uint8_t>(each));
  }
  void time(const std::optional<model::WallTime>& value) {
    byte(value ? 1 : 0);
    if (value) number(static_cast<std::uint64_t>(value->time_since_epoch().count()));
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

std::uint64_t check_of(const model::LogPosition& position, std::uint64_t digest) {
  Digest check;
  check.byte(kVersion);
  check.number(position.before.value());
  check.number(position.pending_before.value());
  check.number(digest);
  return check.value();
}

void append_hex(std::string& text, std::uint64_t value, std::size_t bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  for (std::size_t shift = bytes * 8; shift > 0; shift -= 4) {
    text += digits[(value >> (shift - 4)) & 0xf];
  }
}

// Nothing when it is not hexadecimal as we write it.
std::optional<std::uint64_t> take_hex(std::string_view& text, std::size_t bytes) {
  std::uint64_t value = 0;
  for (const char digit : text.substr(0, bytes * 2)) {
    const bool is_letter = digit >= 'a' && digit <= 'f';
    if (!is_letter && (digit < '0' || digit > '9')) return std::nullopt;
    value = value << 4 | static_cast<std::uint64_t>(is_letter ? digit - 'a' + 10 : digit - '0');
  }
  text.remove_prefix(bytes * 2);
  return value;
}

}  // namespace

std::uint64_t query_digest(model::OrgId org, std::optional<model::WebhookId> webhook,
                           const model::LogFilter& filter) {
  Digest digest;
  digest.uuid(org.value());
  digest.byte(webhook ? 1 : 0);
  if (webhook) digest.uuid(webhook->value());
  digest.byte(filter.status ? static_cast<std::uint8_t>(*filter.status) : 0);
  digest.text(filter.event_name);
  digest.time(filter.since);
  digest.time(filter.until);
  return digest.value();
}

std::string write_cursor(const model::LogPosition& position, std::uint64_t digest) {
  std::string text;
  text.reserve(kBytes * 2);
  append_hex(text, kVersion, 1);
  append_hex(text, position.before.value(), sizeof(std::uint64_t));
  append_hex(text, position.pending_before.value(), sizeof(std::uint64_t));
  append_hex(text, check_of(position, digest), sizeof(std::uint64_t));
  return text;
}

std::optional<model::LogPosition> read_cursor(std::string_view text, std::uint64_t digest) {
  if (text.size() != kBytes * 2) return std::nullopt;
  const auto version = take_hex(text, 1);
  const auto before = take_hex(text, sizeof(std::uint64_t));
  const auto pending_before = take_hex(text, sizeof(std::uint64_t));
  const auto check = take_hex(text, sizeof(std::uint64_t));
  if (version != kVersion || !before || !pending_before || !check) return std::nullopt;
  const model::LogPosition position{model::EventSeq(*before), model::EventSeq(*pending_before)};
  if (*check != check_of(position, digest)) return std::nullopt;
  return position;
}

}  // namespace triggerd::api
