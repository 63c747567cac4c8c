#include "engine/core/mending.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "engine/model/limits.h"

namespace triggerd::core {

using base::ErrorCode;
using base::Now;
using model::DeliveryState;
using model::ReadId;
using model::RequestId;
using model::StoredDelivery;
using model::WebhookPtr;
using model::WebhookState;

namespace {

// How often the store is asked about one delivery: it moves on while we ask.
constexpr std::uint32_t kAskedMax = 8;

}  // namespace

Mending::Mending(const MendingLimits& limits, Registry& registry, Deliveries& deliveries,
                 Outbox& outbox)
    : limits_(limits), registry_(registry), deliveries_(deliveries), outbox_(outbox) {}

std::size_t Mending::room_of(const model::OrgId& org) const {
  const PendingCounters& counts = deliveries_.counts();
  const std::size_t pending = std::min<std::size_t>(counts.pending(), limits_.pending);
  const std::size_t of_org = std::min<std::size_t>(counts.pending_of(org), limits_.pending_per_org);
  return std::min(limits_.pending - pending, limits_.pending_per_org - of_org);
}

// --- One delivery -----------------------------------------------------------------------------

void Mending::handle(const model::RetryDelivery& request, RequestId id, Now) {
  ask({id, request.org, request.webhook, request.event, Wish::kRetry, 0, 0});
}

void Mending::handle(const model::SkipDelivery& request, RequestId id, Now) {
  ask({id, request.org, request.webhook, request.event, Wish::kSkip, 0, 0});
}

void Mending::ask(Waiting waiting) {
  const WebhookPtr webhook = registry_.find(waiting.org, waiting.webhook);
  if (webhook == nullptr) {
    return refuse(waiting.request, ErrorCode::kNotFound,
                  "could not find webhook " + waiting.webhook.to_string());
  }
  if (waiting.wish == Wish::kRetry && webhook->state == WebhookState::kDisabled) {
    return refuse(waiting.request, ErrorCode::kConflict,
                  "webhook " + waiting.webhook.to_string() +
                      " is disabled; PATCH it with {\"delivery\":{\"state\":\"active\"}}, then "
                      "retry");
  }
  if (reads_.size() >= limits_.reads || waiting.asked >= kAskedMax) {
    model::Refusal refusal;
    refusal.faults.push_back(
        {ErrorCode::kOverloaded, "too many deliveries are looked up; try again later"});
    refusal.retry_after = model::kOverloadRetryAfter;
    return outbox_.refuse(waiting.request, std::move(refusal));
  }
  ++waiting.asked;
  const ReadId read =
      outbox_.ask(outbox_.newest(), model::ReadDelivery{waiting.org, webhook->ref, waiting.event});
  waiting.watch = deliveries_.watch().began();
  reads_.emplace(read, waiting);
}

bool Mending::loaded(ReadId id, const model::ReadAnswer& answer, Now now) {
  const auto at = reads_.find(id);
  if (at == reads_.end()) return false;
  const Waiting waiting = at->second;
  reads_.erase(at);
  const auto* loaded = std::get_if<model::DeliveryLoaded>(&answer);
  if (loaded == nullptr) {
    model::Refusal refusal;
    refusal.faults.push_back(
        {ErrorCode::kUnavailable, "the store could not tell of the delivery; try again later"});
    refusal.retry_after = model::kOverloadRetryAfter;
    outbox_.refuse(waiting.request, std::move(refusal));
  } else if (!loaded->delivery) {
    refuse(waiting.request, ErrorCode::kNotFound,
           "could not find a delivery of event " + waiting.event.to_string() + " to webhook " +
               waiting.webhook.to_string());
  } else {
    go_on(waiting, *loaded->delivery, now);
  }
  deliveries_.watch().ended(waiting.watch);
  return true;
}

void Mending::go_on(const Waiting& waiting, const StoredDelivery& stored, Now now) {
  if (stored.event->trigger_type != model::TriggerType::kEvent) {
    return refuse(waiting.request, ErrorCode::kConflict,
                  "event_id: it was a call of a sync hook, which is over; call the hook again");
  }
  // The webhook may be another one than when the store was asked.
  const WebhookPtr webhook = registry_.find(waiting.org, waiting.webhook);
  const bool may_get_it = webhook != nullptr && webhook->state != WebhookState::kDisabled;
  if (waiting.wish == Wish::kRetry && !may_get_it) return ask(waiting);  // which says why not
  std::optional<DeliveryRef> open = deliveries_.find_open(stored.event->seq, stored.match);
  if (!open && deliveries_.is_stale(waiting.watch, stored)) return ask(waiting);
  if (!open) open = deliveries_.bring_in_parked(stored);
  if (waiting.wish == Wish::kRetry) {
    if (!open) return retry(waiting, stored, now);
    // Its row will be in this batch.
    const bool is_stored = deliveries_.hurry(*open, now);
    return done(waiting, &deliveries_.look_at(*open),
                is_stored ? outbox_.batch() : outbox_.newest());
  }
  if (!open) {
    return refuse(waiting.request, ErrorCode::kConflict,
                  "the delivery is over already; only one that is pending can be skipped");
  }
  if (!deliveries_.skip(*open, now)) {
    return refuse(waiting.request, ErrorCode::kConflict,
                  "an attempt is under way; try again when it is over");
  }
  done(waiting, nullptr, outbox_.newest());
}

void Mending::retry(const Waiting& waiting, const StoredDelivery& stored, Now now) {
  const bool is_stale =
      !model::is_final(stored.state) ||
      deliveries_.watch().is_over_since(waiting.watch, stored.event->seq, stored.match);
  if (is_stale) return ask(waiting);
  if (stored.attempts >= model::kAttemptsToReopenMax) {
    return refuse(waiting.request, ErrorCode::kConflict,
                  "the delivery has had " + std::to_string(stored.attempts) +
                      " attempts; publish the event anew");
  }
  if (room_of(waiting.org) == 0) {
    model::Refusal refusal;
    refusal.faults.push_back(
        {ErrorCode::kOverloaded, "too many deliveries are pending; try again later"});
    refusal.retry_after = model::kOverloadRetryAfter;
    return outbox_.refuse(waiting.request, std::move(refusal));
  }
  deliveries_.reopen(stored, now);
  const auto open = deliveries_.find_open(stored.event->seq, stored.match);
  done(waiting, &deliveries_.look_at(*open), outbox_.newest());
}

// `delivery`: null when it was given up.
void Mending::done(const Waiting& waiting, const PendingDelivery* delivery,
                   model::BatchSeq rests_on) {
  model::DeliveryMended reply{waiting.webhook, waiting.event, DeliveryState::kDead, 0};
  if (delivery != nullptr) {
    reply.state = DeliveryState::kReady;
    reply.attempts = delivery->attempts;
  }
  outbox_.emit(rests_on, model::SendReply{waiting.request, reply});
}

void Mending::cancel(RequestId id) {
  const auto at = std::find_if(reads_.begin(), reads_.end(),
                               [id](const auto& read) { return read.second.request == id; });
  if (at == reads_.end()) return;
  deliveries_.watch().ended(at->second.watch);
  reads_.erase(at);
}

void Mending::refuse(RequestId id, ErrorCode code, std::string message) {
  model::Refusal refusal;
  refusal.faults.push_back({code, std::move(message)});
  outbox_.reply(id, std::move(refusal));
}

// --- What is not delivered yet ----------------------------------------------------------------

model::PendingCounts Mending::counts_of(const model::Webhook& webhook) const {
  const PlaceCounts places = deliveries_.counts().places_of(webhook.ref);
  model::PendingCounts counts;
  counts.in_flight = places.in_flight;
  counts.delayed = places.delayed;
  const ParkedPart* parked = deliveries_.parking().part(webhook.ref, model::ParkedKind::kDelayed);
  if (parked != nullptr) counts.delayed += parked->count;
  counts.in_line = places.in_line;
  const std::uint64_t elsewhere = counts.in_flight + counts.delayed + counts.in_line;
  counts.pending = std::max(deliveries_.counts().pending_of(webhook.ref).count, elsewhere);
  const bool is_parked =
      webhook.state != WebhookState::kActive || deliveries_.is_held_back(webhook.ref);
  (is_parked ? counts.parked : counts.ready) = counts.pending - elsewhere;
  return counts;
}

void Mending::handle(const model::GetPending& request, RequestId id, Now) {
  const OrganizationEntry* org = registry_.organization(request.org);
  if (org == nullptr) {
    return refuse(id, ErrorCode::kNotFound,
                  "could not find organization " + request.org.to_string());
  }
  model::PendingReply reply;
  bool is_full = false;
  for (const model::WebhookRef ref : org->webhooks) {
    if (deliveries_.counts().pending_of(ref).count == 0) continue;
    const WebhookPtr webhook = registry_.webhook(ref);
    const model::PendingCounts counts = counts_of(*webhook);
    reply.counts.pending += counts.pending;
    reply.counts.ready += counts.ready;
    reply.counts.in_flight += counts.in_flight;
    reply.counts.delayed += counts.delayed;
    reply.counts.in_line += counts.in_line;
    reply.counts.parked += counts.parked;
    if (ref <= request.after) continue;
    if (reply.webhooks.size() < request.limit) {
      reply.webhooks.push_back({webhook, counts});
    } else {
      is_full = true;
    }
  }
  if (is_full) reply.next = reply.webhooks.back().webhook->ref;
  reply.oldest_accepted_at = deliveries_.oldest_of(request.org);
  outbox_.reply(id, std::move(reply));
}

void Mending::handle(const model::ListOrderingKeys& request, RequestId id, Now) {
  const WebhookPtr webhook = registry_.find(request.org, request.webhook);
  if (webhook == nullptr) {
    return refuse(id, ErrorCode::kNotFound,
                  "could not find webhook " + request.webhook.to_string());
  }
  model::OrderingKeysReply reply;
  reply.webhook = request.webhook;
  reply.is_whole = deliveries_.held_keys(webhook->ref, reply.keys);
  outbox_.reply(id, std::move(reply));
}

}  // namespace triggerd::core
