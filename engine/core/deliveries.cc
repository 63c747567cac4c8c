#include "engine/core/deliveries.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/base/assert.h"
#include "engine/model/limits.h"
#include "engine/model/url.h"

namespace triggerd::core {

using base::HeapPosition;
using base::Now;
using model::DeliveryState;
using model::DisabledReason;
using model::EventPtr;
using model::OrgId;
using model::Webhook;
using model::WebhookRef;
using model::WebhookState;

namespace {

bool is_active(DeliveryPlace place) {
  return place == DeliveryPlace::kLane || place == DeliveryPlace::kInFlight ||
         place == DeliveryPlace::kReading;
}

bool is_busy(DeliveryPlace place) {
  return place == DeliveryPlace::kInFlight || place == DeliveryPlace::kReading;
}

}  // namespace

Deliveries::Deliveries(DeliveryOptions options, Registry& registry, Outbox& outbox,
                       PublishWaits& waits, base::Random& random)
    : options_(std::move(options)),
      registry_(registry),
      outbox_(outbox),
      waits_(waits),
      random_(random),
      events_(options_.payload_cache_bytes),
      scheduler_(options_.limits, *this, options_.seed),
      lines_(options_.seed),
      health_(options_.disable_after) {}

// --- New events -------------------------------------------------------------------------------

void Deliveries::accept(const EventPtr& event) {
  PendingEvent pending;
  pending.seq = event->seq;
  pending.id = event->id;
  pending.org = event->org;
  pending.accepted_at = event->accepted_at;
  pending.batch = outbox_.batch();
  pending.name = event->name;
  if (!event->ordering_key.empty()) {
    pending.ordering_key = std::make_unique<std::string>(event->ordering_key);
  }
  pending.count = static_cast<std::uint32_t>(event->matches.size());
  pending.open = pending.count;
  pending.deliveries = std::make_unique<PendingDelivery[]>(pending.count);
  for (std::uint32_t i = 0; i < pending.count; ++i) {
    pending.deliveries[i].webhook = event->matches[i].webhook;
    pending.deliveries[i].generation = event->matches[i].generation;
    pending.deliveries[i].known = true;
    counts_.added(event->org, event->matches[i].webhook, event->seq);
  }
  const std::uint32_t count = pending.count;
  const std::uint32_t place = events_.add(std::move(pending));
  events_.keep(place, event);
  for (std::uint32_t i = 0; i < count; ++i) {
    const DeliveryRef delivery{place, i};
    if (!park_if_full(delivery)) enter(delivery);
  }
  for (std::uint32_t chunk = 0; chunk * model::kPendingChunkEntries < count; ++chunk) {
    write_row(DirtyRow{place, chunk});
  }
}

// --- Webhooks that change ---------------------------------------------------------------------

void Deliveries::webhook_changed(const Webhook& before, Now now) {
  now_ = now;
  const WebhookRef ref = before.ref;
  const Webhook* webhook = registry_.peek(ref);
  TRIGGERD_ASSERT(webhook != nullptr);
  const bool moved = webhook->target_url != before.target_url;
  const bool enabled =
      before.state == WebhookState::kDisabled && webhook->state != WebhookState::kDisabled;
  const bool disabled =
      before.state != WebhookState::kDisabled && webhook->state == WebhookState::kDisabled;
  if (enabled) outbox_.tell({FactKind::kWebhookEnabled, webhook->org, ref});
  if (disabled) outbox_.tell({FactKind::kWebhookDisabled, webhook->org, ref});
  const bool renewed = moved || enabled;
  if (renewed) health_.forget(ref);
  if (model::ordering_of(webhook->delivery) == model::Ordering::kKey) {
    releasing_.erase(ref);
  } else if (model::ordering_of(before.delivery) == model::Ordering::kKey) {
    releasing_.insert(ref);
  }
  if (webhook->state == WebhookState::kDisabled) {
    draining_.insert(ref);
    request_sweep();
  }
  parking_.want(ref);
  if (!scheduler_.has_lane(ref)) return;
  if (moved) scheduler_.move_lane(ref, origin_of(ref));
  if (renewed) scheduler_.renew_lane(ref);
  configure_lane(*webhook);
  if (webhook->state == WebhookState::kActive) {
    scheduler_.resume(ref);
  } else {
    scheduler_.pause(ref);
  }
}

void Deliveries::webhook_erased(WebhookRef ref) {
  health_.forget(ref);
  releasing_.erase(ref);
  request_sweep();
  parking_.want(ref);
  if (!scheduler_.has_lane(ref)) return;
  scheduler_.pause(ref);
  draining_.insert(ref);
}

void Deliveries::disable(const Webhook& webhook, DisabledReason reason, Now now) {
  const model::WebhookPtr before = registry_.webhook(webhook.ref);
  Webhook disabled = webhook;
  disabled.state = WebhookState::kDisabled;
  disabled.disabled_reason = reason;
  replace(std::move(disabled));
  webhook_changed(*before, now);
}

void Deliveries::replace(Webhook changed) {
  const auto webhook = std::make_shared<const Webhook>(std::move(changed));
  registry_.replace_webhook(webhook);
  outbox_.put(model::PutWebhook{webhook});
}

// --- Shared by the other files ----------------------------------------------------------------

void Deliveries::delayed_at(DeliveryRef delivery, HeapPosition position) {
  delivery_at(delivery).heap_position = position;
}

Fate Deliveries::fate_of(const PendingDelivery& delivery) const {
  const Webhook* webhook = registry_.peek(delivery.webhook);
  if (webhook == nullptr) return {DeliveryState::kCancelled, "the webhook was deleted"};
  if (delivery.generation != model::kNoTrigger &&
      !registry_.in_force(delivery.webhook, delivery.generation)) {
    return {DeliveryState::kCancelled, "the trigger was deleted"};
  }
  if (webhook->state != WebhookState::kDisabled) return {};
  switch (webhook->disabled_reason) {
    case DisabledReason::kGone:
      return {DeliveryState::kDead, "the webhook was disabled: its receiver answered 410 Gone"};
    case DisabledReason::kFailing:
      return {DeliveryState::kDead, "the webhook was disabled: it had failed for too long"};
    case DisabledReason::kNone:
    case DisabledReason::kByHand:
      break;
  }
  return {DeliveryState::kCancelled, "the webhook was disabled by hand"};
}

std::string Deliveries::origin_of(WebhookRef ref) const {
  const Webhook* webhook = registry_.peek(ref);
  if (webhook == nullptr) return "";
  const auto url = model::parse_target_url(webhook->target_url, options_.targets);
  // A URL that today's policy refuses was stored under another one; the dispatcher will block it.
  return url.ok() ? url.value().origin() : webhook->target_url;
}

void Deliveries::ensure_lane(WebhookRef ref, const OrgId& org) {
  if (scheduler_.has_lane(ref)) return;
  scheduler_.open_lane(ref, origin_of(ref), org);
  const Webhook* webhook = registry_.peek(ref);
  if (webhook != nullptr) configure_lane(*webhook);
  if (webhook == nullptr || webhook->state != WebhookState::kActive) scheduler_.pause(ref);
  if (webhook == nullptr || webhook->state == WebhookState::kDisabled) draining_.insert(ref);
}

void Deliveries::configure_lane(const Webhook& webhook) {
  LaneSettings settings;
  settings.in_flight_max = webhook.delivery.max_in_flight;
  if (webhook.delivery.rate) settings.rate = rate_limit_of(*webhook.delivery.rate);
  scheduler_.configure_lane(webhook.ref, settings, now_.mono);
}

void Deliveries::move(DeliveryRef delivery, DeliveryPlace to) {
  PendingEvent& event = events_.at(delivery.event);
  PendingDelivery& moved = event.deliveries[delivery.match];
  const DeliveryPlace from = moved.place;
  moved.place = to;
  if (is_busy(from)) --event.busy;
  if (is_busy(to)) ++event.busy;
  counts_.moved(moved.webhook, from, to);
  // There may be room for what is parked.
  const bool leaves = from == DeliveryPlace::kLane || from == DeliveryPlace::kInLine;
  if (leaves && !parking_.is_empty()) parking_.want(moved.webhook);
  if (is_active(from) == is_active(to)) return;
  const std::uint32_t active = is_active(to) ? event.active + 1 : event.active - 1;
  const bool turned = (event.active == 0) != (active == 0);
  event.active = active;
  if (turned) events_.settle(delivery.event);
}

void Deliveries::mark_dirty(DeliveryRef delivery) {
  dirty_.push_back(DirtyRow{
      delivery.event, static_cast<std::uint32_t>(delivery.match / model::kPendingChunkEntries)});
}

// --- To look at -------------------------------------------------------------------------------

std::optional<base::MonoTime> Deliveries::next_deadline() const {
  if (scheduler_.has_ready() || !draining_.empty() || !releasing_.empty() || sweep_wanted_ ||
      sweep_at_ != kNoEvent) {
    return now_.mono;
  }
  const std::optional<base::MonoTime> due = scheduler_.next_due();
  const std::optional<base::MonoTime> wake = parking_.next_wake();
  if (due && wake) return std::min(*due, *wake);
  return due ? due : wake;
}

std::optional<model::EventSeq> Deliveries::first_pending() const {
  std::optional<model::EventSeq> first;
  if (events_.first() != kNoEvent) first = events_.at(events_.first()).seq;
  if (parking_.is_empty()) return first;
  return first ? std::min(*first, parking_.first()) : parking_.first();
}

std::optional<base::WallTime> Deliveries::oldest_pending() const {
  const std::optional<base::WallTime> parked = parking_.oldest();
  if (events_.first() == kNoEvent) return parked;
  const base::WallTime resident = events_.at(events_.first()).accepted_at;
  return parked ? std::min(*parked, resident) : resident;
}

std::optional<model::WallTime> Deliveries::oldest_of(const OrgId& org) {
  std::optional<model::WallTime> oldest = counts_.oldest_of(org, events_);
  const OrganizationEntry* entry = registry_.organization(org);
  if (entry == nullptr || parking_.is_empty()) return oldest;
  for (const WebhookRef ref : entry->webhooks) {
    const std::optional<model::WallTime> parked = parking_.oldest_of(ref);
    if (parked && (!oldest || *parked < *oldest)) oldest = parked;
  }
  return oldest;
}

}  // namespace triggerd::core
