#include "tests/scenarios/replay_store.h"

#include <algorithm>
#include <type_traits>
#include <variant>

#include "engine/base/assert.h"

namespace triggerd::testing {

using model::EventSeq;

void ReplayStore::apply(const model::Batch& batch) {
  TRIGGERD_ASSERT(batch.seq.value() == last_batch_ + 1 && !batch.mutations.empty());
  last_batch_ = batch.seq.value();
  for (const model::Mutation& mutation : batch.mutations) put(mutation);
  support::check_parked(parked_, pending_);
}

void ReplayStore::put(const model::Mutation& mutation) {
  std::visit(
      [this](const auto& what) {
        using What = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<What, model::PutOrganization>) {
          organizations_[what.organization.id] = what.organization;
        } else if constexpr (std::is_same_v<What, model::EraseOrganization>) {
          TRIGGERD_ASSERT(organizations_.erase(what.org) == 1);
        } else if constexpr (std::is_same_v<What, model::PutApiKey>) {
          keys_[{what.key.org, what.key.id}] = what.key;
        } else if constexpr (std::is_same_v<What, model::EraseApiKey>) {
          TRIGGERD_ASSERT(keys_.erase({what.org, what.id}) == 1);
        } else if constexpr (std::is_same_v<What, model::PutWebhook>) {
          webhooks_[what.webhook->ref] = *what.webhook;
        } else if constexpr (std::is_same_v<What, model::EraseWebhook>) {
          TRIGGERD_ASSERT(webhooks_.erase(what.ref) == 1);
        } else if constexpr (std::is_same_v<What, model::PutTrigger>) {
          // A trigger that is put again has another filter; its generation stays.
          triggers_[what.trigger.generation] = what.trigger;
        } else if constexpr (std::is_same_v<What, model::EraseTrigger>) {
          TRIGGERD_ASSERT(triggers_.erase(what.trigger.generation) == 1);
        } else if constexpr (std::is_same_v<What, model::PutEventType>) {
          event_types_[{what.type.org, what.type.name}] = what.type;
        } else if constexpr (std::is_same_v<What, model::EraseEventType>) {
          TRIGGERD_ASSERT(event_types_.erase({what.org, what.name}) == 1);
        } else if constexpr (std::is_same_v<What, model::PutEvent>) {
          TRIGGERD_ASSERT(events_.emplace(what.event->seq, what.event).second);
          seqs_[{what.event->org, what.event->id}] = what.event->seq;
        } else if constexpr (std::is_same_v<What, model::PutPending>) {
          pending_[{what.chunk.seq, what.chunk.chunk}] = what.chunk;
        } else if constexpr (std::is_same_v<What, model::ErasePending>) {
          TRIGGERD_ASSERT(pending_.erase({what.seq, what.chunk}) == 1);
        } else if constexpr (std::is_same_v<What, model::PutParked>) {
          parked_[what.key] = what.match;
        } else if constexpr (std::is_same_v<What, model::EraseParked>) {
          TRIGGERD_ASSERT(parked_.erase(what.key) == 1);
        } else if constexpr (std::is_same_v<What, model::PutAttempt>) {
          attempts_.push_back(what.attempt);
        } else if constexpr (std::is_same_v<What, model::ReopenDelivery> ||
                             std::is_same_v<What, model::EraseLog>) {
          // Of lists and retention, which are not replayed.
        } else if constexpr (std::is_same_v<What, model::PutJob>) {
          jobs_[{what.job.org, what.job.id}] = what.job;
        } else if constexpr (std::is_same_v<What, model::EraseJob>) {
          TRIGGERD_ASSERT(jobs_.erase({what.org, what.id}) == 1);
        } else if constexpr (std::is_same_v<What, model::PutSigningKey>) {
          signing_keys_[what.key.kid] = what.key;
        } else if constexpr (std::is_same_v<What, model::EraseSigningKey>) {
          TRIGGERD_ASSERT(signing_keys_.erase(what.kid) == 1);
        } else if constexpr (std::is_same_v<What, model::PutCounters>) {
          counters_ = what.counters;
          has_counters_ = true;
        }
      },
      mutation);
}

void ReplayStore::load_into(core::Engine& engine) const {
  if (has_counters_ || !events_.empty()) {
    model::Counters counters = counters_;
    const EventSeq beyond =
        events_.empty() ? EventSeq(1) : EventSeq(events_.rbegin()->first.value() + 1);
    counters.next_event = std::max(counters.next_event, beyond);
    engine.load(counters);
  }
  for (const auto& [kid, key] : signing_keys_) engine.load(key);
  for (const auto& [id, organization] : organizations_) engine.load(organization);
  for (const auto& [id, key] : keys_) engine.load(key);
  for (const auto& [key, type] : event_types_) engine.load(type);
  for (const auto& [ref, webhook] : webhooks_) engine.load(webhook);
  for (const auto& [generation, trigger] : triggers_) engine.load(trigger);
  for (const auto& [key, job] : jobs_) engine.load(job);
  for (const auto& [at, chunk] : pending_) {
    TRIGGERD_ASSERT(chunk.seq >= counters_.first_pending);
    engine.load(chunk);
  }
}

model::EventPtr ReplayStore::event(EventSeq seq) const {
  const auto at = events_.find(seq);
  return at == events_.end() ? nullptr : at->second;
}

model::ParkedLoaded ReplayStore::parked(const model::ReadParked& asked) const {
  return support::read_parked(asked, model::kParkedPageBytes, parked_, pending_, events_);
}

std::vector<model::EventPtr> ReplayStore::events() const {
  std::vector<model::EventPtr> all;
  for (const auto& [seq, event] : events_) all.push_back(event);
  return all;
}

model::EventIdLoaded ReplayStore::event_id(const model::ReadEventId& asked) const {
  const auto at = seqs_.find({asked.org, asked.id});
  if (at == seqs_.end()) return {};
  const model::Event& event = *events_.at(at->second);
  return {true, event.accepted_at, static_cast<std::uint32_t>(event.matches.size())};
}

}  // namespace triggerd::testing
