// Writing and reading the fields of a row. Both sides have the same verbs, so that one function
// names the fields of a record for both directions (store/codec.cc; the forms are drawn in
// codec.h). Used by the codec only; one thread.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/time.h"
#include "store/row_writer.h"

namespace triggerd::store {

// Takes from a view that it borrows. After the first fault everything reads as zero and ok() is
// false: callers check once, at the end.
class RowReader {
 public:
  explicit RowReader(std::string_view in) : in_(in) {}

  // No fault, and nothing left over.
  [[nodiscard]] bool ok() const { return ok_ && in_.empty(); }

  template <class Integer>
  void number(Integer& value) {
    static_assert(std::is_unsigned_v<Integer>);
    const std::uint64_t read = take_number();
    value = static_cast<Integer>(read);
    if (value != read) fail();
  }
  template <class Tag, class Integer>
  void number(base::IntegerId<Tag, Integer>& id) {
    Integer value = 0;
    number(value);
    id = base::IntegerId<Tag, Integer>(value);
  }
  void signed_number(std::int64_t& value) {
    const std::uint64_t zigzag = take_number();
    const std::uint64_t bits = (zigzag >> 1) ^ ((zigzag & 1) != 0 ? ~std::uint64_t{0} : 0);
    value = static_cast<std::int64_t>(bits);
  }
  void duration(base::Duration& value) {
    std::int64_t count = 0;
    signed_number(count);
    value = base::Duration(count);
  }
  void due(base::WallTime& value) {
    base::Duration since_epoch{0};
    duration(since_epoch);
    value = base::WallTime(since_epoch);
  }
  void time(base::WallTime& value) {
    std::uint64_t bits = 0;
    for (unsigned shift = 0; shift < 64; shift += 8) bits |= std::uint64_t{take()} << shift;
    value = base::WallTime(base::Duration(static_cast<std::int64_t>(bits)));
  }
  template <class Tag>
  void uuid(base::UuidId<Tag>& id) {
    base::Uuid read;
    bytes(read.bytes);
    id = base::UuidId<Tag>(read);
  }
  template <std::size_t N>
  void bytes(std::array<std::uint8_t, N>& value) {
    for (std::uint8_t& byte : value) byte = take();
  }
  template <class Enum>
  void enumerator(Enum& value, Enum first, Enum last) {
    enumerator_of(take(), value, first, last);
  }
  template <class Enum>
  void flagged_enumerator(Enum& value, Enum first, Enum last, bool& flag) {
    const std::uint8_t read = take();
    flag = (read & 0x80U) != 0;
    enumerator_of(static_cast<std::uint8_t>(read & 0x7fU), value, first, last);
  }
  void byte(std::uint8_t& value) { value = take(); }
  void flag(bool& value) {
    const std::uint8_t read = take();
    if (read > 1) fail();
    value = read == 1;
  }
  void text(std::string& value, std::size_t bytes_max);
  void real(double& value) {
    std::uint64_t bits = 0;
    for (unsigned shift = 0; shift < 64; shift += 8) bits |= std::uint64_t{take()} << shift;
    value = std::bit_cast<double>(bits);
    if (!std::isfinite(value)) {
      value = 0;
      fail();
    }
  }
  template <class... Kinds, class Each>
  void choice(std::variant<Kinds...>& value, Each each) {
    const std::uint8_t index = take();
    if (index >= sizeof...(Kinds)) {
      fail();
      return;
    }
    emplace_at(value, index, std::index_sequence_for<Kinds...>());
    std::visit([this, &each](auto& kind) { each(*this, kind); }, value);
  }
  // Of what a field may not be, or not so deep.
  void refuse_unless(bool good) {
    if (!good) fail();
  }
  template <class Element, class Each>
  void list(std::vector<Element>& elements, std::size_t count_max, Each each) {
    const std::uint64_t count = take_number();
    // An element takes a byte at least: a count beyond the row never allocates.
    if (count > count_max || count > in_.size()) {
      fail();
      return;
    }
    elements.resize(static_cast<std::size_t>(count));
    for (Element& element : elements) {
      if (!ok_) return;
      each(*this, element);
    }
  }
  template <class Value, class Each>
  void optional(std::optional<Value>& value, Each each) {
    bool there = false;
    flag(there);
    value.reset();
    if (there) each(*this, value.emplace());
  }

 private:
  template <class Variant, std::size_t... Indices>
  static void emplace_at(Variant& value, std::uint8_t index, std::index_sequence<Indices...>) {
    static_cast<void>(
        ((Indices == index ? (value.template emplace<Indices>(), true) : false) || ...));
  }
  template <class Enum>
  void enumerator_of(std::uint8_t read, Enum& value, Enum first, Enum last) {
    if (read < static_cast<std::uint8_t>(first) || read > static_cast<std::uint8_t>(last)) {
      fail();
      return;
    }
    value = static_cast<Enum>(read);
  }
  void fail() {
    ok_ = false;
    in_ = {};
  }
  std::uint8_t take() {
    if (in_.empty()) {
      fail();
      return 0;
    }
    const auto byte = static_cast<std::uint8_t>(in_.front());
    in_.remove_prefix(1);
    return byte;
  }
  // Refuses what is longer than it must be, and what passes 64 bits.
  std::uint64_t take_number();

  std::string_view in_;
  bool ok_ = true;
};

}  // namespace triggerd::store
