#include "tests/support/store_tables.h"

#include <algorithm>
#include <variant>

namespace triggerd::support {
namespace {

class Applier {
 public:
  explicit Applier(StoreTables& tables) : tables_(tables) {}

  void operator()(const model::PutOrganization& put) {
    tables_.organizations[put.organization.id] = put.organization;
  }
  void operator()(const model::EraseOrganization& erase) { tables_.organizations.erase(erase.org); }
  void operator()(const model::PutApiKey& put) { tables_.keys[put.key.id] = put.key; }
  void operator()(const model::EraseApiKey& erase) { tables_.keys.erase(erase.id); }
  void operator()(const model::PutWebhook& put) {
    tables_.webhooks[put.webhook->ref] = put.webhook;
  }
  void operator()(const model::EraseWebhook& erase) { tables_.webhooks.erase(erase.ref); }
  void operator()(const model::PutTrigger& put) {
    erase_trigger(put.trigger);
    tables_.triggers[put.trigger.generation] = put.trigger;
  }
  void operator()(const model::EraseTrigger& erase) { erase_trigger(erase.trigger); }
  void operator()(const model::PutEventType& put) {
    tables_.event_types[{put.type.org, put.type.name}] = put.type;
  }
  void operator()(const model::EraseEventType& erase) {
    tables_.event_types.erase({erase.org, erase.name});
  }
  void operator()(const model::PutEvent& put) {
    tables_.events[put.event->seq] = put.event;
    tables_.event_ids[{put.event->org, put.event->id}] = put.event->seq;
  }
  void operator()(const model::PutPending& put) {
    tables_.pending[{put.chunk.seq, put.chunk.chunk}] = put.chunk;
  }
  void operator()(const model::ErasePending& erase) {
    tables_.pending.erase({erase.seq, erase.chunk});
  }
  void operator()(const model::PutParked& put) { tables_.parked[put.key] = put.match; }
  void operator()(const model::EraseParked& erase) { tables_.parked.erase(erase.key); }
  void operator()(const model::PutAttempt& put) {
    const DeliveryKey key{put.attempt.seq, put.attempt.webhook};
    const auto [at, fresh] = tables_.latest_attempts.try_emplace(key, put.attempt);
    if (!fresh && put.attempt.number >= at->second.number) at->second = put.attempt;
    const model::DeliveryState state = put.attempt.state_after;
    if (put.attempt.number != model::kNoAttempt) tables_.attempts_made[key] = put.attempt.number;
    if (model::is_final(state) && state != model::DeliveryState::kDelivered &&
        put.attempt.trigger_type == model::TriggerType::kEvent) {
      tables_.finals[{key.webhook, key.seq}] = state;
    }
  }
  // What led to the end before is not the latest news any more.
  void operator()(const model::ReopenDelivery& reopen) {
    const DeliveryKey key{reopen.seq, reopen.webhook};
    tables_.latest_attempts.erase(key);
    tables_.finals.erase({reopen.webhook, reopen.seq});
    tables_.reopened.insert(key);
  }
  void operator()(const model::EraseLog& /*erase*/) {}
  void operator()(const model::PutJob& put) { tables_.jobs[{put.job.org, put.job.id}] = put.job; }
  void operator()(const model::EraseJob& erase) { tables_.jobs.erase({erase.org, erase.id}); }
  void operator()(const model::PutSigningKey& put) { tables_.signing_keys[put.key.kid] = put.key; }
  void operator()(const model::EraseSigningKey& erase) { tables_.signing_keys.erase(erase.kid); }
  void operator()(const model::PutCounters& put) { tables_.counters = put.counters; }

 private:
  // The identity of a trigger is (webhook, type, name); the generation only orders them.
  void erase_trigger(const model::Trigger& trigger) {
    std::erase_if(tables_.triggers, [&trigger](const auto& row) {
      return row.second.webhook == trigger.webhook && row.second.type == trigger.type &&
             row.second.name == trigger.name;
    });
  }

  StoreTables& tables_;
};

}  // namespace

void StoreTables::apply(const model::Batch& batch) {
  Applier applier(*this);
  for (const model::Mutation& mutation : batch.mutations) std::visit(applier, mutation);
}

void StoreTables::scan(const std::function<void(model::Record)>& record) const {
  if (counters) {
    model::Counters given = *counters;
    for (const auto& [seq, event] : events) {
      given.next_event = std::max(given.next_event, model::EventSeq(seq.value() + 1));
    }
    record(given);
  }
  for (const auto& [kid, key] : signing_keys) record(key);
  for (const auto& [id, organization] : organizations) record(organization);
  for (const auto& [id, key] : keys) record(key);
  for (const auto& [key, type] : event_types) record(type);
  for (const auto& [ref, webhook] : webhooks) record(*webhook);
  for (const auto& [generation, trigger] : triggers) record(trigger);
  for (const auto& [key, job] : jobs) record(job);
  const model::EventSeq first = counters ? counters->first_pending : model::EventSeq(0);
  for (auto at = pending.lower_bound({first, 0}); at != pending.end(); ++at) record(at->second);
}

const model::Event* StoreTables::find_event(model::OrgId org, model::EventId id) const {
  const auto at = event_ids.find({org, id});
  if (at == event_ids.end()) return nullptr;
  const auto event = events.find(at->second);
  return event == events.end() ? nullptr : event->second.get();
}

const model::Trigger* StoreTables::find_trigger(model::WebhookRef webhook, model::TriggerType type,
                                                const std::string& name) const {
  for (auto at = triggers.rbegin(); at != triggers.rend(); ++at) {
    const model::Trigger& trigger = at->second;
    if (trigger.webhook == webhook && trigger.type == type && trigger.name == name) return &trigger;
  }
  return nullptr;
}

const model::WebhookPtr* StoreTables::find_webhook(model::WebhookId id) const {
  for (const auto& [ref, webhook] : webhooks) {
    if (webhook->id == id) return &webhook;
  }
  return nullptr;
}

const model::PendingEntry* StoreTables::find_pending(DeliveryKey key) const {
  for (auto at = pending.lower_bound({key.seq, 0});
       at != pending.end() && at->first.first == key.seq; ++at) {
    for (const model::PendingEntry& entry : at->second.entries) {
      if (entry.webhook == key.webhook) return &entry;
    }
  }
  return nullptr;
}

}  // namespace triggerd::support
