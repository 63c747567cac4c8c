// The lists that mending asks for: what is over and may be given again, and dead letters.
#include <algorithm>
#include <limits>
#include <utility>

#include "engine/model/limits.h"
#include "store/log_rows.h"

namespace triggerd::store {
namespace {

using base::Result;
using model::AttemptRecord;
using model::DeadLetterPosition;
using model::DeliveryState;
using model::EventPtr;
using model::EventSeq;
using model::StoredDelivery;
using model::WebhookRef;

constexpr EventSeq kNewest{std::numeric_limits<std::uint64_t>::max()};
constexpr WebhookRef kLastWebhook{std::numeric_limits<std::uint32_t>::max()};

// The webhook's oldest delivery above this sequence that is over in one of the states.
Result<std::optional<EventSeq>> next_final(LogRows& rows, const ListFinals& query, EventSeq after) {
  std::optional<EventSeq> next;
  for (const auto& [bit, state] :
       {std::pair(model::kRecoverDead, DeliveryState::kDead),
        std::pair(model::kRecoverCancelled, DeliveryState::kCancelled)}) {
    if ((query.states & bit) == 0) continue;
    const Result<std::optional<EventSeq>> found = rows.final_after(query.webhook, state, after);
    if (!found.ok()) return found.error();
    if (found.value() && (!next || *found.value() < *next)) next = found.value();
  }
  return next;
}

// What is to be given again of this event; nothing when it is not there, or was a call of a hook.
Result<std::optional<StoredDelivery>> stored_delivery(LogRows& rows, WebhookRef webhook,
                                                      EventSeq seq) {
  Result<EventPtr> event = rows.event_at(seq);
  if (!event.ok()) return event.error();
  StoredDelivery delivery;
  delivery.event = std::move(event.value());
  if (delivery.event == nullptr || delivery.event->trigger_type != model::TriggerType::kEvent) {
    return std::optional<StoredDelivery>();
  }
  const auto& matches = delivery.event->matches;
  const auto match =
      std::find_if(matches.begin(), matches.end(),
                   [webhook](const model::Match& each) { return each.webhook == webhook; });
  if (match == matches.end()) return std::optional<StoredDelivery>();
  delivery.match = static_cast<std::uint32_t>(match - matches.begin());
  Result<std::optional<AttemptRecord>> last =
      rows.attempt_before(webhook, EventSeq(seq.value() + 1));
  if (!last.ok()) return last.error();
  if (!last.value() || last.value()->seq != seq) return std::optional<StoredDelivery>();
  const Result<model::LoggedDelivery> line = logged_delivery(rows, *std::move(last.value()));
  if (!line.ok()) return line.error();
  delivery.state = line.value().state;
  delivery.attempts = line.value().attempts;
  const std::size_t chunk = delivery.match / model::kPendingChunkEntries;
  const base::Status read =
      rows.pending_between(seq, next_of(seq), [&delivery, chunk](const model::PendingChunk& row) {
        if (row.chunk == chunk) delivery.row = row;
        return row.chunk > chunk;
      });
  if (!read.ok()) return read.error();
  return std::optional<StoredDelivery>(std::move(delivery));
}

// The newest dead letter below this place, of the organization or of the one webhook.
Result<std::optional<DeadLetterPosition>> next_dead(LogRows& rows, const ListDead& query,
                                                    const DeadLetterPosition& before) {
  if (!query.webhook) return rows.dead_before(query.org, before);
  const Result<std::optional<EventSeq>> found =
      rows.final_before(*query.webhook, DeliveryState::kDead, before.seq);
  if (!found.ok()) return found.error();
  if (!found.value()) return std::optional<DeadLetterPosition>();
  return std::optional(DeadLetterPosition{*found.value(), *query.webhook});
}

}  // namespace

Result<ListPage> list_finals(LogRows& rows, const ListFinals& query) {
  ListPage page;
  EventSeq after = query.after;
  if (after == EventSeq(0)) {
    const Result<EventSeq> first = sequence_at(rows, query.org, query.since, kNewest);
    if (!first.ok()) return first.error();
    if (first.value() > EventSeq(0)) after = EventSeq(first.value().value() - 1);
  }
  std::uint32_t looked_at = 0;
  std::size_t bytes = 0;
  while (page.finals.size() < query.count_max && bytes < query.bytes_max &&
         looked_at++ < query.looked_at_max) {
    const Result<std::optional<EventSeq>> found = next_final(rows, query, after);
    if (!found.ok()) return found.error();
    if (!found.value()) return page;
    after = *found.value();
    Result<std::optional<StoredDelivery>> delivery = stored_delivery(rows, query.webhook, after);
    if (!delivery.ok()) return delivery.error();
    if (!delivery.value()) continue;
    const model::Event& event = *delivery.value()->event;
    if (event.accepted_at >= query.until) return page;
    if (event.accepted_at < query.since) continue;
    bytes += event.content.size();
    page.finals.push_back(*std::move(delivery.value()));
  }
  page.finals_to = after;
  return page;
}

Result<ListPage> list_dead(LogRows& rows, const ListDead& query) {
  ListPage page;
  DeadLetterPosition at = query.position.value_or(DeadLetterPosition{kNewest, kLastWebhook});
  if (query.filter.until) {
    const Result<EventSeq> until = sequence_at(rows, query.org, *query.filter.until, at.seq);
    if (!until.ok()) return until.error();
    if (until.value() < at.seq) at = {until.value(), WebhookRef(0)};
  }
  std::uint32_t looked_at = 0;
  std::size_t bytes = 0;
  while (page.dead.size() < query.count_max && bytes < query.bytes_max &&
         looked_at++ < query.looked_at_max) {
    const Result<std::optional<DeadLetterPosition>> found = next_dead(rows, query, at);
    if (!found.ok()) return found.error();
    if (!found.value()) return page;
    at = *found.value();
    Result<std::optional<AttemptRecord>> last =
        rows.attempt_before(at.webhook, EventSeq(at.seq.value() + 1));
    if (!last.ok()) return last.error();
    if (!last.value() || last.value()->seq != at.seq ||
        last.value()->trigger_type != model::TriggerType::kEvent) {
      continue;
    }
    if (query.filter.since && last.value()->accepted_at < *query.filter.since) return page;
    Result<model::LoggedDelivery> line = logged_delivery(rows, *std::move(last.value()));
    if (!line.ok()) return line.error();
    if (!passes(query.filter, line.value())) continue;
    model::DeadLetter letter{at.webhook, {}, std::move(line.value()), nullptr};
    if (query.with_events) {
      Result<EventPtr> event = rows.event_at(at.seq);
      if (!event.ok()) return event.error();
      letter.event = std::move(event.value());
      if (letter.event != nullptr) bytes += letter.event->content.size();
    }
    page.dead.push_back(std::move(letter));
  }
  page.dead_next = at;
  return page;
}

}  // namespace triggerd::store
