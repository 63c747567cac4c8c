// THE INDEX: (organization, trigger type, trigger name) → webhooks, in order of registration.
// Organizations and names come as interned numbers (core/interner). One flat table of 16-byte
// slots, linear probing; a key with one webhook has it in its slot, a key with more has a block in
// a pool:
//
//   slot   org u32 | (name + 1) << 2 | type << 1 | many | webhook u32 | generation u32
//                                                  many: | offset u32  | count u32
//   pool   blocks of 2, 4, 8, … matches; free blocks of a size are chained through themselves
//
// 1 M triggers take 16 to 40 bytes each. Growing rehashes the whole table at once (about 20 ms per
// million keys); it doubles, so this is rare.
//
// Thread: one. Nothing is ever iterated in table order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/model/records.h"

namespace triggerd::core {

struct TriggerKey {
  std::uint32_t org = 0;
  std::uint32_t name = 0;  // below 2^30 - 1
  model::TriggerType type = model::TriggerType::kEvent;
};

class TriggerIndex {
 public:
  explicit TriggerIndex(std::uint64_t seed);

  // Valid until the next change. Empty when nothing matches.
  [[nodiscard]] std::span<const model::Match> match(const TriggerKey& key) const;

  // Requires: the generation is higher than all that the key has.
  void add(const TriggerKey& key, const model::Match& match);
  // Requires: it is there.
  void remove(const TriggerKey& key, model::Generation generation);

  [[nodiscard]] std::size_t triggers() const { return triggers_; }
  [[nodiscard]] std::size_t keys() const { return keys_; }
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Slot {
    std::uint32_t org = 0;
    std::uint32_t word = 0;  // 0: free
    model::Match match;      // many: offset and count
  };
  static constexpr std::uint32_t kMany = 1;
  static constexpr std::uint32_t kNoBlock = 0xffffffff;

  [[nodiscard]] static std::uint32_t word_of(const TriggerKey& key);
  [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }
  [[nodiscard]] std::size_t home_of(std::uint32_t org, std::uint32_t word) const;
  // The slot of the key, or the free one where it would go.
  [[nodiscard]] std::size_t find(std::uint32_t org, std::uint32_t word) const;
  void grow();
  void erase_slot(std::size_t at);
  [[nodiscard]] std::uint32_t take_block(std::uint32_t capacity);
  void free_block(std::uint32_t offset, std::uint32_t capacity);

  std::uint64_t seed_;
  std::vector<Slot> slots_;  // a power of two, at most three quarters full
  std::size_t keys_ = 0;
  std::size_t triggers_ = 0;
  std::vector<model::Match> pool_;
  std::array<std::uint32_t, 32> free_blocks_;  // by log2 of the capacity
};

}  // namespace triggerd::core
