// Token buckets (GCRA): so many at once, so many a second. Pure: the time is an argument. A bucket
// is one time point, whatever its rate; who keeps it keeps the rate, and may change it.
//
// RateTable keeps many buckets by key (an organization, a client's address) within a fixed memory:
// a full bucket is the same as none and is forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/assert.h"
#include "engine/base/heap.h"
#include "engine/base/time.h"
#include "engine/core/interner.h"
#include "engine/model/delivery_settings.h"

namespace triggerd::core {

struct RateLimit {
  base::Duration interval{0};  // one token grows in this time; above 0
  std::uint32_t burst = 1;     // tokens of a full bucket; above 0

  // Requires: count > 0, per > 0.
  [[nodiscard]] static RateLimit of(std::uint32_t count, base::Duration per, std::uint32_t burst) {
    return {per / count, burst};
  }
  bool operator==(const RateLimit&) const = default;
};

[[nodiscard]] RateLimit rate_limit_of(const model::DeliveryRate& rate);

class RateBucket {
 public:
  // Takes `tokens` if all of them are there: nothing. Otherwise takes none, and says how long to
  // wait until they are, if nobody else takes some: above 0, Duration::max() when they never fit
  // (tokens above the burst).
  [[nodiscard]] std::optional<base::Duration> take(std::uint32_t tokens, const RateLimit& limit,
                                                   base::MonoTime now);
  // Gives tokens of a take() back, for what did not happen.
  void put_back(std::uint32_t tokens, const RateLimit& limit);
  // Another rate from now on: an empty bucket is the emptiest it can be.
  void fit(const RateLimit& limit, base::MonoTime now);
  // When take(1) succeeds: now or earlier, or a time to come.
  [[nodiscard]] base::MonoTime next_token(const RateLimit& limit) const {
    return full_at_ - limit.interval * (std::int64_t{limit.burst} - 1);
  }
  [[nodiscard]] bool is_full(base::MonoTime now) const { return full_at_ <= now; }
  [[nodiscard]] base::MonoTime full_at() const { return full_at_; }

 private:
  base::MonoTime full_at_{};  // the bucket is full from then on
};

// Buckets of one rate by key. When all places are taken by buckets that are not full, the one
// nearest to full is forgotten: its owner gains the fewest tokens, and a newcomer is never refused
// for want of memory.
//
// Hash: Key → 64 bits; mixed with the seed, because keys are chosen by clients.
// Thread: one.
template <class Key, class Hash>
class RateTable {
 public:
  // Requires: keys_max > 0.
  RateTable(RateLimit limit, std::size_t keys_max, std::uint64_t seed)
      : limit_(limit), keys_max_(keys_max), numbers_(seed), by_time_(OnMove{&buckets_}) {
    TRIGGERD_ASSERT(keys_max > 0);
  }
  RateTable(const RateTable&) = delete;
  RateTable& operator=(const RateTable&) = delete;

  // As RateBucket::take.
  [[nodiscard]] std::optional<base::Duration> take(const Key& key, std::uint32_t tokens,
                                                   base::MonoTime now) {
    // Two for each that comes: the table shrinks as fast as it grew.
    for (int i = 0; i < 2 && !by_time_.empty() && by_time_.top_key() <= now; ++i) forget_first();
    std::uint32_t number = numbers_.find(key);
    if (number == numbers_.kNone) {
      if (numbers_.size() >= keys_max_) forget_first();
      number = numbers_.intern(key);
      if (number >= buckets_.size()) buckets_.resize(std::size_t{number} + 1);
      buckets_[number].bucket = RateBucket();
      by_time_.push(buckets_[number].bucket.full_at(), number);
    }
    Entry& entry = buckets_[number];
    const std::optional<base::Duration> wait = entry.bucket.take(tokens, limit_, now);
    by_time_.update(entry.position, entry.bucket.full_at());
    return wait;
  }

  // Another rate from now on, for all that have asked.
  void use(RateLimit limit, base::MonoTime now) {
    limit_ = limit;
    for (Entry& entry : buckets_) {
      if (entry.position == base::kNotInHeap) continue;
      entry.bucket.fit(limit_, now);
      by_time_.update(entry.position, entry.bucket.full_at());
    }
  }

  [[nodiscard]] std::size_t size() const { return numbers_.size(); }
  [[nodiscard]] const RateLimit& limit() const { return limit_; }

 private:
  struct Entry {
    RateBucket bucket;
    base::HeapPosition position = base::kNotInHeap;
  };
  struct OnMove {
    std::vector<Entry>* buckets;
    void operator()(std::uint32_t number, base::HeapPosition position) const {
      (*buckets)[number].position = position;
    }
  };
  void forget_first() { numbers_.erase(by_time_.pop()); }

  RateLimit limit_;
  std::size_t keys_max_;
  Interner<Key, Key, Hash> numbers_;
  std::vector<Entry> buckets_;  // by number
  base::Heap<base::MonoTime, std::uint32_t, OnMove> by_time_;
};

}  // namespace triggerd::core
