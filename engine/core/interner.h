// Gives each distinct key a small number, so that everything behind it compares and stores 32 bits.
// Open addressing over (hash, number) pairs; the keys stand apart, by number. A number that was
// erased is given out again.
//
// Thread: one. Limit: 2^31 keys; the owner bounds them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "engine/base/assert.h"

namespace triggerd::core {

// 64 bits in, 64 well mixed bits out (the finalizer of splitmix64).
[[nodiscard]] constexpr std::uint64_t mix_bits(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ULL;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebULL;
  return bits ^ (bits >> 31);
}

// View: what is looked up; comparable with Key and convertible to it. Hash: View → 64 bits.
// Seeded, because keys are chosen by tenants.
template <class Key, class View, class Hash>
class Interner {
 public:
  using Number = std::uint32_t;
  static constexpr Number kNone = std::numeric_limits<Number>::max();

  explicit Interner(std::uint64_t seed) : seed_(seed) {}

  // kNone when it is not there.
  [[nodiscard]] Number find(const View& view) const {
    if (slots_.empty()) return kNone;
    const std::uint32_t tag = tag_of(view);
    for (std::size_t at = tag & mask();; at = (at + 1) & mask()) {
      const Slot& slot = slots_[at];
      if (slot.number == kNone) return kNone;
      if (slot.tag == tag && keys_[slot.number] == view) return slot.number;
    }
  }

  // The number of the key, a new one if need be.
  Number intern(const View& view) {
    const Number there = find(view);
    if (there != kNone) return there;
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
    Number number = kNone;
    if (free_.empty()) {
      TRIGGERD_ASSERT(keys_.size() < (std::size_t{1} << 31));
      number = static_cast<Number>(keys_.size());
      keys_.emplace_back(view);
    } else {
      number = free_.back();
      free_.pop_back();
      keys_[number] = Key(view);
    }
    insert(Slot{tag_of(view), number});
    ++size_;
    return number;
  }

  // Requires: `number` was given out and not erased since.
  void erase(Number number) {
    std::size_t at = tag_of(View(keys_[number])) & mask();
    while (slots_[at].number != number) {
      TRIGGERD_ASSERT(slots_[at].number != kNone);
      at = (at + 1) & mask();
    }
    // Close the gap: an entry moves back unless it stands at or behind its home beyond the gap.
    for (std::size_t next = (at + 1) & mask(); slots_[next].number != kNone;
         next = (next + 1) & mask()) {
      const std::size_t home = slots_[next].tag & mask();
      if (((next - home) & mask()) >= ((next - at) & mask())) {
        slots_[at] = slots_[next];
        at = next;
      }
    }
    slots_[at] = Slot{};
    keys_[number] = Key();
    free_.push_back(number);
    --size_;
  }

  [[nodiscard]] const Key& at(Number number) const { return keys_[number]; }
  [[nodiscard]] std::size_t size() const { return size_; }
  // Memory held, that of the keys' own allocations left out.
  [[nodiscard]] std::size_t bytes() const {
    return slots_.capacity() * sizeof(Slot) + keys_.capacity() * sizeof(Key) +
           free_.capacity() * sizeof(Number);
  }

 private:
  struct Slot {
    std::uint32_t tag = 0;
    Number number = kNone;
  };

  [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }
  [[nodiscard]] std::uint32_t tag_of(const View& view) const {
    return static_cast<std::uint32_t>(mix_bits(Hash()(view) ^ seed_));
  }
  void insert(Slot slot) {
    std::size_t at = slot.tag & mask();
    while (slots_[at].number != kNone) at = (at + 1) & mask();
    slots_[at] = slot;
  }
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 16 : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.number != kNone) insert(slot);
    }
  }

  std::uint64_t seed_;
  std::vector<Slot> slots_;  // a power of two, at most three quarters full
  std::vector<Key> keys_;    // by number
  std::vector<Number> free_;
  std::size_t size_ = 0;
};

}  // namespace triggerd::core
