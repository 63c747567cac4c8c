#include "engine/core/lane.h"

#include <utility>

#include "engine/base/assert.h"

namespace triggerd::core {

namespace {

constexpr std::size_t kRingMin = 4;
// A ring not larger than this is kept when it runs empty: most lanes come and go.
constexpr std::size_t kRingKept = 16;

}  // namespace

void DeliveryQueue::make_room() {
  if (size_ < ring_.size()) return;
  std::vector<DeliveryRef> wider(ring_.empty() ? kRingMin : ring_.size() * 2);
  for (std::size_t i = 0; i < size_; ++i) wider[i] = ring_[(first_ + i) & (ring_.size() - 1)];
  ring_ = std::move(wider);
  first_ = 0;
}

void DeliveryQueue::push_back(DeliveryRef delivery) {
  make_room();
  ring_[(first_ + size_) & (ring_.size() - 1)] = delivery;
  ++size_;
}

void DeliveryQueue::push_front(DeliveryRef delivery) {
  make_room();
  first_ = (first_ + ring_.size() - 1) & (ring_.size() - 1);
  ring_[first_] = delivery;
  ++size_;
}

DeliveryRef DeliveryQueue::pop_front() {
  TRIGGERD_ASSERT(size_ > 0);
  const DeliveryRef delivery = ring_[first_];
  first_ = (first_ + 1) & (ring_.size() - 1);
  --size_;
  if (size_ == 0 && ring_.size() > kRingKept) {
    ring_ = std::vector<DeliveryRef>();
    first_ = 0;
  }
  return delivery;
}

}  // namespace triggerd::core
