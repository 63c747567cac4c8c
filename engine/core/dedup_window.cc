#include "engine/core/dedup_window.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/base/assert.h"

namespace triggerd::core {
namespace {

using base::EventId;
using base::OrgId;
using base::WallTime;

// Entry numbers wrap here; more than ids_max ever holds, and a number + 1 fits into a slot.
constexpr std::uint32_t kNumbers = std::uint32_t{1} << 31;
constexpr std::size_t kIdsMax = std::size_t{1} << 30;
// Dropped with each insert: more than one, so that the window shrinks; few, so that a turn is
// short.
constexpr std::size_t kDroppedPerInsert = 4;

// Both halves of the 128-bit product; an unknown seed in the factors makes collisions unguessable.
std::uint64_t fold(std::uint64_t left, std::uint64_t right) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(left) * right;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t hash_uuid(const base::Uuid& uuid, std::uint64_t seed) {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, uuid.bytes.data(), 8);
  std::memcpy(&low, uuid.bytes.data() + 8, 8);
  return fold(high ^ seed, low ^ std::rotl(seed, 32) ^ 0x9e3779b97f4a7c15ULL);
}

std::uint32_t number_after(std::uint32_t number, std::size_t steps) {
  return static_cast<std::uint32_t>((number + steps) % kNumbers);
}

}  // namespace

DedupWindow::DedupWindow(const DedupOptions& options) : options_(options) {
  TRIGGERD_ASSERT(options.ids_max >= 1 && options.ids_max <= kIdsMax);
  TRIGGERD_ASSERT(options.window > base::Duration(0));
  const std::size_t slots = std::bit_ceil(options.ids_max + options.ids_max / 2 + 1);
  slots_.reset(static_cast<std::uint32_t*>(std::calloc(slots, sizeof(std::uint32_t))));
  TRIGGERD_ASSERT(slots_ != nullptr);
  slot_mask_ = slots - 1;
}

std::size_t DedupWindow::home_of(const OrgId& org, const EventId& id) const {
  const std::uint64_t hash = hash_uuid(id.value(), hash_uuid(org.value(), options_.seed));
  return static_cast<std::size_t>(hash) & slot_mask_;
}

std::size_t DedupWindow::entry_index(std::uint32_t slot_value) const {
  return (slot_value - 1 - first_) % kNumbers;
}

// The slot of this id, or the free one where it would go.
std::size_t DedupWindow::slot_of(const OrgId& org, const EventId& id) const {
  std::size_t slot = home_of(org, id);
  while (slots_[slot] != 0) {
    const Entry& entry = entries_[entry_index(slots_[slot])];
    if (entry.id == id && entry.org == org) break;
    slot = (slot + 1) & slot_mask_;
  }
  return slot;
}

bool DedupWindow::is_past(WallTime accepted_at, WallTime now) const {
  return now - accepted_at >= options_.window;
}

DedupAnswer DedupWindow::find(const OrgId& org, const EventId& id, WallTime now) const {
  const std::uint32_t value = slots_[slot_of(org, id)];
  if (value != 0) {
    const SeenEvent& seen = entries_[entry_index(value)].seen;
    if (is_past(seen.accepted_at, now)) return {DedupVerdict::kNew, {}};
    return {DedupVerdict::kSeen, seen};
  }
  return {complete_ ? DedupVerdict::kNew : DedupVerdict::kUnknown, {}};
}

void DedupWindow::insert(const OrgId& org, const EventId& id, const SeenEvent& seen, WallTime now) {
  expire(now, kDroppedPerInsert);
  const std::uint32_t value = slots_[slot_of(org, id)];
  if (value != 0) {
    entries_[entry_index(value)].seen = seen;
    return;
  }
  if (entries_.size() == options_.ids_max) drop_oldest();
  // Looked up after the drop, which may have moved slots.
  const std::size_t slot = slot_of(org, id);
  slots_[slot] = number_after(first_, entries_.size()) + 1;
  entries_.push_back(Entry{org, id, seen});
}

std::size_t DedupWindow::expire(WallTime now, std::size_t budget) {
  std::size_t dropped = 0;
  while (dropped < budget && !entries_.empty() && is_past(entries_.front().seen.accepted_at, now)) {
    drop_oldest();
    ++dropped;
  }
  return dropped;
}

void DedupWindow::drop_oldest() {
  const Entry& oldest = entries_.front();
  complete_ = false;
  free_slot(slot_of(oldest.org, oldest.id));
  entries_.pop_front();
  ++forgotten_;
  first_ = number_after(first_, 1);
}

// Closes the gap that a freed slot leaves, so that no tombstones gather: each id behind it moves up
// unless its home lies behind the gap.
void DedupWindow::free_slot(std::size_t slot) {
  std::size_t gap = slot;
  std::size_t next = (gap + 1) & slot_mask_;
  while (slots_[next] != 0) {
    const Entry& entry = entries_[entry_index(slots_[next])];
    const std::size_t home = home_of(entry.org, entry.id);
    if (((next - home) & slot_mask_) >= ((next - gap) & slot_mask_)) {
      slots_[gap] = slots_[next];
      gap = next;
    }
    next = (next + 1) & slot_mask_;
  }
  slots_[gap] = 0;
}

}  // namespace triggerd::core
