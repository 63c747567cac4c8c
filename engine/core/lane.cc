#include "engine/core/lane.h"

#include <limits>
#include <utility>

#include "engine/base/assert.h"

namespace triggerd::core {

namespace {

constexpr std::uint32_t kRingMin = 4;
// A ring not larger than this is kept when it runs empty: most lanes come and go.
constexpr std::uint32_t kRingKept = 16;

}  // namespace

void DeliveryQueue::make_room() {
  if (size_ < capacity_) return;
  TRIGGERD_ASSERT(capacity_ <= std::numeric_limits<std::uint32_t>::max() / 4);
  const std::uint32_t wider = capacity_ == 0 ? kRingMin : capacity_ * 2;
  auto ring = std::make_unique<DeliveryRef[]>(wider);
  for (std::uint32_t i = 0; i < size_; ++i) ring[i] = at(first_ + i);
  ring_ = std::move(ring);
  capacity_ = wider;
  first_ = 0;
}

void DeliveryQueue::push_back(DeliveryRef delivery) {
  make_room();
  at(first_ + size_) = delivery;
  ++size_;
}

void DeliveryQueue::push_front(DeliveryRef delivery) {
  make_room();
  first_ = (first_ - 1) & (capacity_ - 1);
  ring_[first_] = delivery;
  ++size_;
}

DeliveryRef DeliveryQueue::pop_front() {
  TRIGGERD_ASSERT(size_ > 0);
  const DeliveryRef delivery = ring_[first_];
  first_ = (first_ + 1) & (capacity_ - 1);
  --size_;
  if (size_ == 0 && capacity_ > kRingKept) {
    ring_.reset();
    capacity_ = first_ = 0;
  }
  return delivery;
}

bool DeliveryQueue::remove(DeliveryRef delivery) {
  std::uint32_t place = 0;
  while (place < size_ && at(first_ + place) != delivery) ++place;
  if (place == size_) return false;
  for (; place > 0; --place) at(first_ + place) = at(first_ + place - 1);
  pop_front();
  return true;
}

}  // namespace triggerd::core
