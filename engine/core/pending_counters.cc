#include "engine/core/pending_counters.h"

#include <algorithm>

#include "engine/model/limits.h"

namespace triggerd::core {

using model::EventSeq;
using model::OrgId;
using model::WebhookRef;

namespace {

bool waits(DeliveryPlace place) {
  return place == DeliveryPlace::kLane || place == DeliveryPlace::kDelayed ||
         place == DeliveryPlace::kInLine;
}

}  // namespace

void PendingCounters::added(const OrgId& org, WebhookRef ref, EventSeq seq) {
  ++pending_;
  OfOrganization& of_org = by_org_[org];
  if (++of_org.pending == 1) of_org.oldest_from = seq;
  // One that was over, and is given again, may be older than all.
  of_org.oldest_from = std::min(of_org.oldest_from, seq);
  if (ref.value() >= by_webhook_.size()) by_webhook_.resize(std::size_t{ref.value()} + 1);
  model::PendingOfWebhook& pending = by_webhook_[ref.value()].pending;
  ++pending.count;
  pending.newest = std::max(pending.newest, seq);
}

void PendingCounters::concluded(const OrgId& org, WebhookRef ref) {
  --pending_;
  concluded_.push_back(ref);
  const auto of_org = by_org_.find(org);
  if (--of_org->second.pending == 0) by_org_.erase(of_org);
}

void PendingCounters::moved(WebhookRef ref, DeliveryPlace from, DeliveryPlace to) {
  OfWebhook& of_webhook = by_webhook_[ref.value()];
  if (waits(to) && of_webhook.waiting++ == 0) ++backlogged_;
  if (waits(from) && --of_webhook.waiting == 0) --backlogged_;
  PlaceCounts& places = of_webhook.places;
  const auto count = [this, &places](DeliveryPlace place, std::uint32_t by) {
    switch (place) {
      case DeliveryPlace::kInFlight:
      case DeliveryPlace::kReading:
        places.in_flight += by;
        return;
      case DeliveryPlace::kDelayed:
        places.delayed += by;
        delayed_ += static_cast<std::uint64_t>(static_cast<std::int32_t>(by));
        return;
      case DeliveryPlace::kInLine:
        places.in_line += by;
        return;
      case DeliveryPlace::kNowhere:
      case DeliveryPlace::kLane:
      case DeliveryPlace::kParked:
        return;
    }
  };
  count(from, static_cast<std::uint32_t>(-1));
  count(to, 1);
}

void PendingCounters::settle() {
  for (const WebhookRef ref : concluded_) --by_webhook_[ref.value()].pending.count;
  concluded_.clear();
}

std::uint64_t PendingCounters::pending_of(const OrgId& org) const {
  const auto at = by_org_.find(org);
  return at == by_org_.end() ? 0 : at->second.pending;
}

model::PendingOfWebhook PendingCounters::pending_of(WebhookRef ref) const {
  if (ref.value() >= by_webhook_.size()) return {};
  return by_webhook_[ref.value()].pending;
}

PlaceCounts PendingCounters::places_of(WebhookRef ref) const {
  if (ref.value() >= by_webhook_.size()) return {};
  return by_webhook_[ref.value()].places;
}

std::optional<model::WallTime> PendingCounters::oldest_of(const OrgId& org, PendingEvents& events) {
  const auto of_org = by_org_.find(org);
  if (of_org == by_org_.end()) return std::nullopt;
  EventSeq& from = of_org->second.oldest_from;
  std::uint32_t place = events.find_from(from);
  for (std::uint32_t i = 0; place != kNoEvent && i < model::kOldestLookedAtMax; ++i) {
    const PendingEvent& event = events.at(place);
    from = event.seq;
    if (event.org == org && event.open > 0) return event.accepted_at;
    place = event.after;
  }
  return std::nullopt;
}

}  // namespace triggerd::core
