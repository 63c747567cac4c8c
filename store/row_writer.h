// The writing half of store/row_bytes.h, which says what both halves are for.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "engine/base/assert.h"
#include "engine/base/ids.h"
#include "engine/base/time.h"

namespace triggerd::store {

// Appends to a string that it borrows. Fields over their limit are our mistake.
class RowWriter {
 public:
  explicit RowWriter(std::string& out) : out_(out) {}

  template <class Integer>
  void number(const Integer& value) {
    static_assert(std::is_unsigned_v<Integer>);
    std::uint64_t rest = value;
    for (; rest >= 0x80; rest >>= 7) put(static_cast<std::uint8_t>(rest | 0x80));
    put(static_cast<std::uint8_t>(rest));
  }
  template <class Tag, class Integer>
  void number(const base::IntegerId<Tag, Integer>& id) {
    number(id.value());
  }
  void signed_number(const std::int64_t& value) {
    // Zigzag: small magnitudes of either sign become small numbers.
    const auto bits = static_cast<std::uint64_t>(value);
    number((bits << 1) ^ (value < 0 ? ~std::uint64_t{0} : std::uint64_t{0}));
  }
  void duration(const base::Duration& value) { signed_number(value.count()); }
  void due(const base::WallTime& value) { signed_number(value.time_since_epoch().count()); }
  void time(const base::WallTime& value) {
    const auto bits = static_cast<std::uint64_t>(value.time_since_epoch().count());
    for (unsigned shift = 0; shift < 64; shift += 8) put(static_cast<std::uint8_t>(bits >> shift));
  }
  template <class Tag>
  void uuid(const base::UuidId<Tag>& id) {
    bytes(id.value().bytes);
  }
  template <std::size_t N>
  void bytes(const std::array<std::uint8_t, N>& value) {
    for (const std::uint8_t byte : value) put(byte);
  }
  template <class Enum>
  void enumerator(const Enum& value, Enum first, Enum last) {
    TRIGGERD_ASSERT(value >= first && value <= last);
    put(static_cast<std::uint8_t>(value));
  }
  // An enumerator below 128, with a flag in its high bit.
  template <class Enum>
  void flagged_enumerator(const Enum& value, Enum first, Enum last, const bool& flag) {
    TRIGGERD_ASSERT(value >= first && value <= last);
    put(static_cast<std::uint8_t>(static_cast<unsigned>(value) | (flag ? 0x80U : 0U)));
  }
  void byte(const std::uint8_t& value) { put(value); }
  // For what the reader refuses: here it would be our mistake.
  void refuse_unless(bool good) { TRIGGERD_ASSERT(good); }
  void flag(const bool& value) { put(value ? 1 : 0); }
  void text(const std::string& value, std::size_t bytes_max) {
    TRIGGERD_ASSERT(value.size() <= bytes_max);
    number(value.size());
    out_ += value;
  }
  void real(const double& value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (unsigned shift = 0; shift < 64; shift += 8) put(static_cast<std::uint8_t>(bits >> shift));
  }
  // The index of the alternative, then its fields.
  template <class... Kinds, class Each>
  void choice(const std::variant<Kinds...>& value, Each each) {
    put(static_cast<std::uint8_t>(value.index()));
    std::visit([this, &each](const auto& kind) { each(*this, kind); }, value);
  }
  template <class Element, class Each>
  void list(const std::vector<Element>& elements, std::size_t count_max, Each each) {
    TRIGGERD_ASSERT(elements.size() <= count_max);
    number(elements.size());
    for (const Element& element : elements) each(*this, element);
  }
  template <class Value, class Each>
  void optional(const std::optional<Value>& value, Each each) {
    flag(value.has_value());
    if (value) each(*this, *value);
  }

 private:
  void put(std::uint8_t byte) { out_.push_back(static_cast<char>(byte)); }

  std::string& out_;
};

}  // namespace triggerd::store
