// How many deliveries are not over: in all, of an organization, of a webhook, and where those of a
// webhook stand. Kept by counting.
//
// Thread: the engine's. Memory: 40 bytes for each webhook that ever had a delivery.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/core/pending_events.h"
#include "engine/model/delivery_log.h"

namespace triggerd::core {

// Deliveries of a webhook by where they are; the others are in its lane, or parked.
struct PlaceCounts {
  std::uint32_t in_flight = 0;  // or waiting for their payload, with their slots
  std::uint32_t delayed = 0;
  std::uint32_t in_line = 0;
};

class PendingCounters {
 public:
  // A delivery became pending.
  void added(const model::OrgId& org, model::WebhookRef ref, model::EventSeq seq);
  // It is over. The webhook's count is as the store has it: it falls with settle().
  void concluded(const model::OrgId& org, model::WebhookRef ref);
  void moved(model::WebhookRef ref, DeliveryPlace from, DeliveryPlace to);
  // What was concluded is written down.
  void settle();

  [[nodiscard]] std::uint64_t pending() const { return pending_; }
  [[nodiscard]] std::uint64_t delayed() const { return delayed_; }
  // Webhooks with deliveries that wait in memory: in a lane, delayed or in line.
  [[nodiscard]] std::uint32_t backlogged() const { return backlogged_; }
  [[nodiscard]] std::uint64_t pending_of(const model::OrgId& org) const;
  [[nodiscard]] model::PendingOfWebhook pending_of(model::WebhookRef ref) const;
  [[nodiscard]] PlaceCounts places_of(model::WebhookRef ref) const;

  // The oldest pending event of an organization; nothing when it has none, or when it was not found
  // within kOldestLookedAtMax: the next call goes on from there.
  [[nodiscard]] std::optional<model::WallTime> oldest_of(const model::OrgId& org,
                                                         PendingEvents& events);

 private:
  struct OfWebhook {
    model::PendingOfWebhook pending;
    PlaceCounts places;
    std::uint32_t waiting = 0;  // in memory
  };
  struct OfOrganization {
    std::uint64_t pending = 0;
    model::EventSeq oldest_from;  // nothing of it is pending below
  };

  std::uint64_t pending_ = 0;
  std::uint64_t delayed_ = 0;
  std::uint32_t backlogged_ = 0;
  std::unordered_map<model::OrgId, OfOrganization> by_org_;  // never iterated
  std::vector<OfWebhook> by_webhook_;                        // by ref
  std::vector<model::WebhookRef> concluded_;                 // since settle(), one each time
};

}  // namespace triggerd::core
