// A binary min-heap whose items know where they stand, so that one from the middle is taken out in
// O(log n): the due times of deliveries. Equal keys come out in the order they were pushed.
//
// Thread: one. The owner bounds how many items it pushes (hard limit: 2^32 - 2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "engine/base/assert.h"

namespace triggerd::base {

// Where an item stands; changes with every call that changes the heap.
using HeapPosition = std::uint32_t;
inline constexpr HeapPosition kNotInHeap = std::numeric_limits<HeapPosition>::max();

// Key: copyable, ordered by <. Value: movable; usually an id or an index.
// OnMove: void operator()(const Value&, HeapPosition), called each time the item gets a place, and
// with kNotInHeap when it leaves. It must not touch the heap.
template <class Key, class Value, class OnMove>
class Heap {
 public:
  explicit Heap(OnMove on_move = OnMove()) : on_move_(std::move(on_move)) {}

  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] std::size_t size() const { return items_.size(); }

  // The smallest key, and of equal ones the first pushed. Requires: !empty().
  [[nodiscard]] const Key& top_key() const { return item_at(0).key; }
  [[nodiscard]] const Value& top() const { return item_at(0).value; }
  // Requires: position < size().
  [[nodiscard]] const Key& key_at(HeapPosition position) const { return item_at(position).key; }
  [[nodiscard]] const Value& at(HeapPosition position) const { return item_at(position).value; }

  void push(Key key, Value value) {
    TRIGGERD_ASSERT(items_.size() < kNotInHeap - 1);
    items_.push_back(Item{std::move(key), next_sequence_++, std::move(value)});
    rise(static_cast<HeapPosition>(items_.size() - 1));
  }

  // Takes out the top. Requires: !empty().
  Value pop() { return erase(0); }

  // Takes out the item at `position`. Requires: position < size().
  Value erase(HeapPosition position) {
    Item taken = std::move(item_at(position));
    const auto last = static_cast<HeapPosition>(items_.size() - 1);
    if (position != last) items_[position] = std::move(items_[last]);
    items_.pop_back();
    if (position != last) settle(position);
    on_move_(taken.value, kNotInHeap);
    return std::move(taken.value);
  }

  // Gives the item another key; among equals it is then the last. Requires: position < size().
  void update(HeapPosition position, Key key) {
    Item& item = item_at(position);
    item.key = std::move(key);
    item.sequence = next_sequence_++;
    settle(position);
  }

 private:
  struct Item {
    Key key;
    std::uint64_t sequence;
    Value value;
  };

  [[nodiscard]] const Item& item_at(HeapPosition position) const {
    TRIGGERD_ASSERT(position < items_.size());
    return items_[position];
  }
  [[nodiscard]] Item& item_at(HeapPosition position) {
    TRIGGERD_ASSERT(position < items_.size());
    return items_[position];
  }

  [[nodiscard]] static bool before(const Item& left, const Item& right) {
    if (left.key < right.key) return true;
    if (right.key < left.key) return false;
    return left.sequence < right.sequence;
  }

  void settle(HeapPosition position) {
    if (position > 0 && before(items_[position], items_[(position - 1) / 2])) {
      rise(position);
    } else {
      sink(position);
    }
  }

  void rise(HeapPosition position) {
    Item item = std::move(items_[position]);
    while (position > 0) {
      const HeapPosition parent = (position - 1) / 2;
      if (!before(item, items_[parent])) break;
      place(position, std::move(items_[parent]));
      position = parent;
    }
    place(position, std::move(item));
  }

  void sink(HeapPosition position) {
    Item item = std::move(items_[position]);
    const std::size_t count = items_.size();
    for (;;) {
      // In size_t: twice a position may not fit into 32 bits.
      std::size_t child = 2 * static_cast<std::size_t>(position) + 1;
      if (child >= count) break;
      if (child + 1 < count && before(items_[child + 1], items_[child])) ++child;
      if (!before(items_[child], item)) break;
      place(position, std::move(items_[child]));
      position = static_cast<HeapPosition>(child);
    }
    place(position, std::move(item));
  }

  void place(HeapPosition position, Item item) {
    items_[position] = std::move(item);
    on_move_(items_[position].value, position);
  }

  std::vector<Item> items_;
  std::uint64_t next_sequence_ = 0;
  OnMove on_move_;
};

}  // namespace triggerd::base
