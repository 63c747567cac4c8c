// Which webhooks have deliveries parked in the store, how many, and whose turn it is to be read
// back. Knows no delivery by itself: the index in the store does (model::ParkedKey).
//
// Thread: the engine's. Owner: core/deliveries. Memory: about 250 bytes for each webhook with a
// parked delivery, however many it has.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/base/time.h"
#include "engine/model/limits.h"
#include "engine/model/output.h"

namespace triggerd::core {

// Where a delivery in this stored state is found from while it is parked.
[[nodiscard]] model::ParkedKey parked_key(model::WebhookRef ref, model::DeliveryState state,
                                          model::WallTime due, model::EventSeq seq);

// The parked deliveries of a webhook, of one kind.
struct ParkedPart {
  std::uint64_t count = 0;
  model::ParkedKey from;          // nothing is parked below
  model::WallTime accepted_from;  // no event of them was accepted earlier
};

class Parking {
 public:
  [[nodiscard]] bool is_empty() const { return lanes_.empty(); }
  [[nodiscard]] bool has(model::WebhookRef ref) const { return lanes_.contains(ref); }
  // Null: none of this kind.
  [[nodiscard]] const ParkedPart* part(model::WebhookRef ref, model::ParkedKind kind) const;
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t count(model::ParkedKind kind) const {
    return counts_[static_cast<std::size_t>(kind)];
  }
  // No sequence below has a parked delivery. Requires: !is_empty().
  [[nodiscard]] model::EventSeq first() const { return first_; }
  // Of one webhook or of all, about: when the oldest of them was accepted.
  [[nodiscard]] std::optional<model::WallTime> oldest() const;
  [[nodiscard]] std::optional<model::WallTime> oldest_of(model::WebhookRef ref) const;

  void parked(const model::ParkedKey& key, model::WallTime accepted_at);
  // Requires: it was parked. The webhook is forgotten with its last one.
  void unparked(const model::ParkedKey& key);

  // --- Whose turn it is -----------------------------------------------------------------------
  // It may have room, or something of it may be due: asked at the next call of take_wanted().
  void want(model::WebhookRef ref);
  void want_all();
  // The same, from this time on; an earlier one stands.
  void want_at(model::WebhookRef ref, base::MonoTime due);
  void wake(base::MonoTime now);
  [[nodiscard]] std::optional<base::MonoTime> next_wake() const;
  // The next that is wanted, in the order of asking; nothing: none is.
  [[nodiscard]] std::optional<model::WebhookRef> take_wanted();

  // --- Reads, one at a time -------------------------------------------------------------------
  struct Reading {
    model::ReadId id;
    std::uint64_t watch = 0;  // MendingWatch
    std::vector<model::ReadParked::Lane> lanes;
  };
  [[nodiscard]] const std::optional<Reading>& reading() const { return reading_; }
  void began(Reading reading);
  // One that fails may do so for one of its lanes: as many reads as it had lanes have one each.
  [[nodiscard]] Reading ended(bool failed);
  [[nodiscard]] std::size_t lanes_per_read() const {
    return reads_of_one_ > 0 ? 1 : model::kParkedLanesPerRead;
  }
  // What the read has seen: nothing of this webhook and kind is parked below `from`, but for what
  // was parked since it began. `accepted_from`: when the one before it was accepted, if known.
  void advance(const model::ParkedKey& from, std::optional<model::WallTime> accepted_from);
  // The same for all sequences.
  void advance(model::EventSeq first);

  // Appends one line for each webhook, in order.
  void append_durable_state(std::string& out) const;

 private:
  struct Lane {
    ParkedPart parts[2];  // by kind
    // The lowest key that was parked since the read under way began.
    std::optional<model::ParkedKey> parked_since[2];
    std::optional<base::MonoTime> wake_at;
    bool wanted = false;
  };

  [[nodiscard]] std::vector<model::WebhookRef> in_order() const;

  std::unordered_map<model::WebhookRef, Lane> lanes_;  // order never matters
  std::uint64_t count_ = 0;
  std::uint64_t counts_[2] = {0, 0};
  model::EventSeq first_;
  std::optional<model::EventSeq> first_since_;  // parked since the read under way began
  std::deque<model::WebhookRef> wanted_;        // each once; some may be gone
  std::set<std::pair<base::MonoTime, model::WebhookRef>> wakes_;
  std::optional<Reading> reading_;
  std::size_t reads_of_one_ = 0;  // to come
};

}  // namespace triggerd::core
