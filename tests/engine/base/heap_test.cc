#include "engine/base/heap.h"

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace triggerd::base {
namespace {

// Where each item (its number) stands.
using Places = std::vector<HeapPosition>;

struct NotePlace {
  Places* places;
  void operator()(std::size_t item, HeapPosition position) const { (*places)[item] = position; }
};
using TestHeap = Heap<int, std::size_t, NotePlace>;

TEST(Heap, GivesItemsInOrderOfTheirKeys) {
  Places places(5, kNotInHeap);
  TestHeap heap(NotePlace{&places});
  const std::vector<int> keys{30, 10, 50, 20, 40};
  for (std::size_t i = 0; i < keys.size(); ++i) heap.push(keys[i], i);
  std::vector<int> taken;
  while (!heap.empty()) {
    taken.push_back(heap.top_key());
    heap.pop();
  }
  EXPECT_EQ(taken, (std::vector<int>{10, 20, 30, 40, 50}));
}

TEST(Heap, GivesEqualKeysInTheOrderTheyWerePushed) {
  Places places(100, kNotInHeap);
  TestHeap heap(NotePlace{&places});
  for (std::size_t i = 0; i < places.size(); ++i) heap.push(7, i);
  for (std::size_t i = 0; i < places.size(); ++i) EXPECT_EQ(heap.pop(), i);
}

TEST(Heap, PutsAnUpdatedItemBehindItsEquals) {
  Places places(3, kNotInHeap);
  TestHeap heap(NotePlace{&places});
  heap.push(1, 0);
  heap.push(2, 1);
  heap.push(2, 2);
  heap.update(places[0], 2);
  EXPECT_EQ(heap.pop(), 1U);
  EXPECT_EQ(heap.pop(), 2U);
  EXPECT_EQ(heap.pop(), 0U);
}

TEST(Heap, TellsAnItemThatItHasLeft) {
  Places places(2, 0);
  TestHeap heap(NotePlace{&places});
  heap.push(1, 0);
  heap.push(2, 1);
  heap.erase(places[1]);
  EXPECT_EQ(places[1], kNotInHeap);
  EXPECT_EQ(heap.pop(), 0U);
  EXPECT_EQ(places[0], kNotInHeap);
}

struct IgnorePlace {
  void operator()(const std::unique_ptr<int>&, HeapPosition) const {}
};

TEST(Heap, HoldsValuesThatOnlyMove) {
  Heap<int, std::unique_ptr<int>, IgnorePlace> heap;
  for (int i = 9; i >= 0; --i) heap.push(i, std::make_unique<int>(i));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(*heap.pop(), i);
}

TEST(HeapDeathTest, AbortsWhenAnItemIsTakenFromAnEmptyHeap) {
  Places places;
  TestHeap heap(NotePlace{&places});
  EXPECT_DEATH(heap.pop(), "position < items_.size");
}

// The heap beside a multimap, which keeps equal keys in order of insertion too.
class Twins {
 public:
  explicit Twins(std::size_t items_max)
      : places_(items_max, kNotInHeap), heap_(NotePlace{&places_}), model_of_(items_max) {}

  void push(int key) {
    if (next_ == places_.size()) return;
    heap_.push(key, next_);
    model_of_[next_] = model_.emplace(key, next_);
    ++next_;
  }
  void pop() {
    if (model_.empty()) return;
    RC_ASSERT(heap_.top_key() == model_.begin()->first);
    RC_ASSERT(heap_.top() == model_.begin()->second);
    RC_ASSERT(heap_.pop() == model_.begin()->second);
    model_.erase(model_.begin());
  }
  void erase(std::size_t choice) {
    if (next_ == 0 || places_[choice % next_] == kNotInHeap) return;
    const std::size_t item = choice % next_;
    RC_ASSERT(heap_.erase(places_[item]) == item);
    model_.erase(model_of_[item]);
  }
  void update(std::size_t choice, int key) {
    if (next_ == 0 || places_[choice % next_] == kNotInHeap) return;
    const std::size_t item = choice % next_;
    heap_.update(places_[item], key);
    model_.erase(model_of_[item]);
    model_of_[item] = model_.emplace(key, item);
  }
  void check() const {
    RC_ASSERT(heap_.size() == model_.size());
    std::size_t placed = 0;
    for (std::size_t item = 0; item < next_; ++item) {
      if (places_[item] == kNotInHeap) continue;
      ++placed;
      RC_ASSERT(heap_.at(places_[item]) == item);
      RC_ASSERT(heap_.key_at(places_[item]) == model_of_[item]->first);
    }
    RC_ASSERT(placed == model_.size());
  }
  [[nodiscard]] bool empty() const { return model_.empty(); }

 private:
  Places places_;
  TestHeap heap_;
  std::multimap<int, std::size_t> model_;
  std::vector<std::multimap<int, std::size_t>::iterator> model_of_;
  std::size_t next_ = 0;
};

RC_GTEST_PROP(Heap, BehavesAsAMultimap, ()) {
  const auto steps = *rc::gen::container<std::vector<std::pair<int, unsigned>>>(
      rc::gen::pair(rc::gen::inRange(0, 10), rc::gen::arbitrary<unsigned>()));
  Twins twins(steps.size());
  for (const auto& [what, number] : steps) {
    const int key = static_cast<int>(number % 8);
    if (what < 5) {
      twins.push(key);
    } else if (what < 7) {
      twins.pop();
    } else if (what < 9) {
      twins.erase(number);
    } else {
      twins.update(number / 8, key);
    }
    twins.check();
  }
  while (!twins.empty()) twins.pop();
}

}  // namespace
}  // namespace triggerd::base
