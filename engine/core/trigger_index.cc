#include "engine/core/trigger_index.h"

#include <algorithm>
#include <bit>

#include "engine/base/assert.h"
#include "engine/core/interner.h"

namespace triggerd::core {

using model::Generation;
using model::Match;
using model::WebhookRef;

namespace {

// Capacity follows from the count alone, so it is not stored.
std::uint32_t capacity_for(std::uint32_t count) {
  return std::bit_ceil(count);
}

std::size_t size_class(std::uint32_t capacity) {
  return static_cast<std::size_t>(std::countr_zero(capacity));
}

}  // namespace

TriggerIndex::TriggerIndex(std::uint64_t seed) : seed_(seed), slots_(16) {
  free_blocks_.fill(kNoBlock);
}

std::uint32_t TriggerIndex::word_of(const TriggerKey& key) {
  TRIGGERD_ASSERT(key.name < (1U << 30) - 1);
  const std::uint32_t type = key.type == model::TriggerType::kSyncHook ? 1 : 0;
  return ((key.name + 1) << 2) | (type << 1);
}

std::size_t TriggerIndex::home_of(std::uint32_t org, std::uint32_t word) const {
  const std::uint64_t bits = (std::uint64_t{org} << 32) | (word & ~kMany);
  return static_cast<std::size_t>(mix_bits(bits ^ seed_)) & mask();
}

std::size_t TriggerIndex::find(std::uint32_t org, std::uint32_t word) const {
  std::size_t at = home_of(org, word);
  while (slots_[at].word != 0 && (slots_[at].org != org || (slots_[at].word & ~kMany) != word)) {
    at = (at + 1) & mask();
  }
  return at;
}

std::span<const Match> TriggerIndex::match(const TriggerKey& key) const {
  const Slot& slot = slots_[find(key.org, word_of(key))];
  if (slot.word == 0) return {};
  if ((slot.word & kMany) == 0) return {&slot.match, 1};
  return {pool_.data() + slot.match.webhook.value(), slot.match.generation.value()};
}

void TriggerIndex::add(const TriggerKey& key, const Match& match) {
  if ((keys_ + 1) * 4 > slots_.size() * 3) grow();
  Slot& slot = slots_[find(key.org, word_of(key))];
  ++triggers_;
  if (slot.word == 0) {
    slot = Slot{key.org, word_of(key), match};
    ++keys_;
    return;
  }
  if ((slot.word & kMany) == 0) {
    TRIGGERD_ASSERT(slot.match.generation < match.generation);
    const std::uint32_t offset = take_block(2);
    pool_[offset] = slot.match;
    pool_[offset + 1] = match;
    slot.word |= kMany;
    slot.match = Match{WebhookRef(offset), Generation(2)};
    return;
  }
  std::uint32_t offset = slot.match.webhook.value();
  const std::uint32_t count = slot.match.generation.value();
  TRIGGERD_ASSERT(pool_[offset + count - 1].generation < match.generation);
  if (count == capacity_for(count)) {
    const std::uint32_t wider = take_block(count * 2);
    std::copy_n(pool_.begin() + offset, count, pool_.begin() + wider);
    free_block(offset, count);
    offset = wider;
  }
  pool_[offset + count] = match;
  slot.match = Match{WebhookRef(offset), Generation(count + 1)};
}

void TriggerIndex::remove(const TriggerKey& key, Generation generation) {
  const std::size_t at = find(key.org, word_of(key));
  Slot& slot = slots_[at];
  TRIGGERD_ASSERT(slot.word != 0);
  --triggers_;
  if ((slot.word & kMany) == 0) {
    TRIGGERD_ASSERT(slot.match.generation == generation);
    erase_slot(at);
    return;
  }
  const std::uint32_t offset = slot.match.webhook.value();
  const std::uint32_t count = slot.match.generation.value();
  Match* const first = pool_.data() + offset;
  Match* const last = first + count;
  Match* const gone = std::lower_bound(
      first, last, generation,
      [](const Match& match, const Generation& wanted) { return match.generation < wanted; });
  TRIGGERD_ASSERT(gone != last && gone->generation == generation);
  std::copy(gone + 1, last, gone);
  const std::uint32_t left = count - 1;
  if (left == 1) {
    slot.match = *first;
    slot.word &= ~kMany;
    free_block(offset, 2);
    return;
  }
  std::uint32_t place = offset;
  if (capacity_for(left) < capacity_for(count)) {
    place = take_block(capacity_for(left));
    std::copy_n(pool_.begin() + offset, left, pool_.begin() + place);
    free_block(offset, capacity_for(count));
  }
  slot.match = Match{WebhookRef(place), Generation(left)};
}

std::size_t TriggerIndex::bytes() const {
  return slots_.capacity() * sizeof(Slot) + pool_.capacity() * sizeof(Match);
}

void TriggerIndex::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.word != 0) slots_[find(slot.org, slot.word & ~kMany)] = slot;
  }
}

void TriggerIndex::erase_slot(std::size_t at) {
  // Close the gap: an entry moves back unless its home lies behind the gap.
  for (std::size_t next = (at + 1) & mask(); slots_[next].word != 0; next = (next + 1) & mask()) {
    const std::size_t home = home_of(slots_[next].org, slots_[next].word);
    if (((next - home) & mask()) >= ((next - at) & mask())) {
      slots_[at] = slots_[next];
      at = next;
    }
  }
  slots_[at] = Slot{};
  --keys_;
}

std::uint32_t TriggerIndex::take_block(std::uint32_t capacity) {
  std::uint32_t& head = free_blocks_[size_class(capacity)];
  if (head != kNoBlock) {
    const std::uint32_t offset = head;
    head = pool_[offset].webhook.value();
    return offset;
  }
  const std::size_t offset = pool_.size();
  TRIGGERD_ASSERT(offset + capacity < kNoBlock);
  pool_.resize(offset + capacity);
  return static_cast<std::uint32_t>(offset);
}

void TriggerIndex::free_block(std::uint32_t offset, std::uint32_t capacity) {
  std::uint32_t& head = free_blocks_[size_class(capacity)];
  pool_[offset] = Match{WebhookRef(head), Generation(0)};
  head = offset;
}

}  // namespace triggerd::core
