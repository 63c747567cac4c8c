#include "engine/core/parking.h"

#include <algorithm>

#include "engine/base/assert.h"

namespace triggerd::core {

using base::MonoTime;
using model::EventSeq;
using model::ParkedKey;
using model::ParkedKind;
using model::WallTime;
using model::WebhookRef;

namespace {

std::size_t index_of(ParkedKind kind) {
  return static_cast<std::size_t>(kind);
}

template <class Value>
void lower(std::optional<Value>& lowest, const Value& value) {
  if (!lowest || value < *lowest) lowest = value;
}

}  // namespace

ParkedKey parked_key(WebhookRef ref, model::DeliveryState state, WallTime due, EventSeq seq) {
  if (state != model::DeliveryState::kDelayed) return {ref, ParkedKind::kFresh, WallTime(), seq};
  return {ref, ParkedKind::kDelayed, std::max(due, WallTime()), seq};
}

const ParkedPart* Parking::part(WebhookRef ref, ParkedKind kind) const {
  const auto at = lanes_.find(ref);
  if (at == lanes_.end()) return nullptr;
  const ParkedPart& part = at->second.parts[index_of(kind)];
  return part.count == 0 ? nullptr : &part;
}

std::optional<WallTime> Parking::oldest_of(WebhookRef ref) const {
  std::optional<WallTime> oldest;
  for (const ParkedKind kind : {ParkedKind::kFresh, ParkedKind::kDelayed}) {
    if (const ParkedPart* found = part(ref, kind)) lower(oldest, found->accepted_from);
  }
  return oldest;
}

std::optional<WallTime> Parking::oldest() const {
  std::optional<WallTime> oldest;
  for (const auto& [ref, lane] : lanes_) {
    for (const ParkedPart& part : lane.parts) {
      if (part.count > 0) lower(oldest, part.accepted_from);
    }
  }
  return oldest;
}

void Parking::parked(const ParkedKey& key, WallTime accepted_at) {
  Lane& lane = lanes_[key.webhook];
  ParkedPart& part = lane.parts[index_of(key.kind)];
  if (part.count == 0) {
    part.from = key;
    part.accepted_from = accepted_at;
  }
  part.from = std::min(part.from, key);
  part.accepted_from = std::min(part.accepted_from, accepted_at);
  if (count_ == 0) first_ = key.seq;
  first_ = std::min(first_, key.seq);
  ++part.count;
  ++counts_[index_of(key.kind)];
  ++count_;
  if (!reading_) return;
  lower(lane.parked_since[index_of(key.kind)], key);
  lower(first_since_, key.seq);
}

void Parking::unparked(const ParkedKey& key) {
  const auto at = lanes_.find(key.webhook);
  TRIGGERD_ASSERT(at != lanes_.end());
  Lane& lane = at->second;
  ParkedPart& part = lane.parts[index_of(key.kind)];
  TRIGGERD_ASSERT(part.count > 0);
  --part.count;
  --counts_[index_of(key.kind)];
  --count_;
  if (lane.parts[0].count > 0 || lane.parts[1].count > 0) return;
  if (lane.wake_at) wakes_.erase({*lane.wake_at, key.webhook});
  // Its place in wanted_ goes with the next take_wanted().
  lanes_.erase(at);
}

std::vector<WebhookRef> Parking::in_order() const {
  std::vector<WebhookRef> refs;
  refs.reserve(lanes_.size());
  for (const auto& [ref, lane] : lanes_) refs.push_back(ref);
  std::sort(refs.begin(), refs.end());
  return refs;
}

// --- Whose turn it is -------------------------------------------------------------------------

void Parking::want(WebhookRef ref) {
  const auto at = lanes_.find(ref);
  if (at == lanes_.end() || at->second.wanted) return;
  at->second.wanted = true;
  wanted_.push_back(ref);
}

void Parking::want_all() {
  for (const WebhookRef ref : in_order()) want(ref);
}

void Parking::want_at(WebhookRef ref, MonoTime due) {
  const auto at = lanes_.find(ref);
  if (at == lanes_.end()) return;
  std::optional<MonoTime>& wake_at = at->second.wake_at;
  if (wake_at && *wake_at <= due) return;
  if (wake_at) wakes_.erase({*wake_at, ref});
  wake_at = due;
  wakes_.emplace(due, ref);
}

void Parking::wake(MonoTime now) {
  while (!wakes_.empty() && wakes_.begin()->first <= now) {
    const WebhookRef ref = wakes_.begin()->second;
    wakes_.erase(wakes_.begin());
    lanes_.at(ref).wake_at.reset();
    want(ref);
  }
}

std::optional<MonoTime> Parking::next_wake() const {
  if (wakes_.empty()) return std::nullopt;
  return wakes_.begin()->first;
}

std::optional<WebhookRef> Parking::take_wanted() {
  while (!wanted_.empty()) {
    const WebhookRef ref = wanted_.front();
    wanted_.pop_front();
    const auto at = lanes_.find(ref);
    // It may have gone, and come again: then it is in the queue a second time.
    if (at == lanes_.end() || !at->second.wanted) continue;
    at->second.wanted = false;
    return ref;
  }
  return std::nullopt;
}

// --- Reads ------------------------------------------------------------------------------------

void Parking::began(Reading reading) {
  TRIGGERD_ASSERT(!reading_);
  for (const model::ReadParked::Lane& lane : reading.lanes) {
    const auto at = lanes_.find(lane.from.webhook);
    if (at != lanes_.end()) at->second.parked_since[index_of(lane.from.kind)].reset();
  }
  first_since_.reset();
  reading_ = std::move(reading);
}

Parking::Reading Parking::ended(bool failed) {
  TRIGGERD_ASSERT(reading_);
  if (reads_of_one_ > 0) {
    --reads_of_one_;
  } else if (failed) {
    reads_of_one_ = reading_->lanes.size();
  }
  Reading reading = *std::move(reading_);
  reading_.reset();
  return reading;
}

void Parking::advance(const ParkedKey& from, std::optional<WallTime> accepted_from) {
  const auto at = lanes_.find(from.webhook);
  if (at == lanes_.end()) return;
  ParkedPart& part = at->second.parts[index_of(from.kind)];
  const std::optional<ParkedKey>& since = at->second.parked_since[index_of(from.kind)];
  part.from = since ? std::min(*since, from) : from;
  // In order of acceptance: what is parked later was accepted later, but for what comes back.
  if (from.kind == ParkedKind::kFresh && !since && accepted_from) {
    part.accepted_from = *accepted_from;
  }
}

void Parking::advance(EventSeq first) {
  first_ = first_since_ ? std::min(*first_since_, first) : first;
}

void Parking::append_durable_state(std::string& out) const {
  for (const WebhookRef ref : in_order()) {
    const Lane& lane = lanes_.at(ref);
    out += "parked of webhook " + std::to_string(ref.value()) + " fresh " +
           std::to_string(lane.parts[0].count) + " delayed " + std::to_string(lane.parts[1].count) +
           "\n";
  }
}

}  // namespace triggerd::core
