#include "tests/sim/sim_mending.h"

#include <algorithm>
#include <utility>

namespace triggerd::sim {
namespace {

std::optional<model::StoredDelivery> stored(const support::StoreTables& tables,
                                            const model::EventPtr& event,
                                            model::WebhookRef webhook) {
  const auto match = std::find_if(event->matches.begin(), event->matches.end(),
                                  [webhook](const auto& each) { return each.webhook == webhook; });
  if (match == event->matches.end()) return std::nullopt;
  model::StoredDelivery delivery;
  delivery.event = event;
  delivery.match = static_cast<std::uint32_t>(match - event->matches.begin());
  const support::DeliveryKey key{event->seq, webhook};
  const auto made = tables.attempts_made.find(key);
  if (made != tables.attempts_made.end()) delivery.attempts = made->second;
  const auto row = tables.pending.find(support::row_of(event->seq, delivery.match));
  if (row != tables.pending.end()) delivery.row = row->second;
  const model::PendingEntry* pending = tables.find_pending(key);
  const auto latest = tables.latest_attempts.find(key);
  if (pending != nullptr && !model::is_final(pending->state)) {
    delivery.state = pending->state;
  } else if (latest != tables.latest_attempts.end()) {
    delivery.state = latest->second.state_after;
  } else {
    return std::nullopt;
  }
  return delivery;
}

}  // namespace

model::DeliveryLoaded delivery_of(const support::StoreTables& tables,
                                  const model::ReadDelivery& asked) {
  const auto seq = tables.event_ids.find({asked.org, asked.event});
  if (seq == tables.event_ids.end()) return {};
  return {stored(tables, tables.events.at(seq->second), asked.webhook)};
}

model::FinalsLoaded finals_of(const support::StoreTables& tables, const model::ReadFinals& asked) {
  model::FinalsLoaded loaded;
  loaded.position = asked.after;
  auto at = tables.finals.upper_bound({asked.webhook, asked.after});
  for (; at != tables.finals.end() && at->first.first == asked.webhook; ++at) {
    if (loaded.deliveries.size() >= asked.count_max) return loaded;
    const bool is_dead = at->second == model::DeliveryState::kDead;
    const std::uint8_t bit = is_dead ? model::kRecoverDead : model::kRecoverCancelled;
    const model::EventPtr& event = tables.events.at(at->first.second);
    if ((asked.states & bit) != 0 && event->accepted_at >= asked.since &&
        event->accepted_at < asked.until) {
      if (auto delivery = stored(tables, event, asked.webhook)) {
        loaded.deliveries.push_back(*std::move(delivery));
      }
    }
    loaded.position = at->first.second;
  }
  loaded.is_end = true;
  return loaded;
}

}  // namespace triggerd::sim
