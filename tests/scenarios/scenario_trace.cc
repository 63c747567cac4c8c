// Scenario: what happened, as text. Identities are shown by the names the scenario gave them.
#include <array>
#include <string>
#include <type_traits>
#include <variant>

#include "engine/model/go_duration.h"
#include "tests/scenarios/scenario.h"

namespace triggerd::testing {

using base::Uuid;

namespace {

const char* text_of(model::DeliveryState state) {
  constexpr std::array<const char*, 6> texts{"?",         "ready", "delayed",
                                             "delivered", "dead",  "cancelled"};
  return texts.at(static_cast<std::size_t>(state));
}

const char* text_of(model::OutcomeClass kind) {
  constexpr std::array<const char*, 15> texts{"?",        "ok",           "http",    "timeout",
                                              "connect",  "dns",          "tls",     "blocked",
                                              "protocol", "cancelled",    "busy",    "bad answer",
                                              "denied",   "breaker open", "disabled"};
  return texts.at(static_cast<std::size_t>(kind));
}

const char* text_of(base::ErrorCode code) {
  constexpr std::array<const char*, 10> texts{
      "invalid",    "not found",    "conflict",    "timeout", "too large",
      "overloaded", "rate limited", "unavailable", "corrupt", "internal"};
  return texts.at(static_cast<std::size_t>(code));
}

std::string refusal_text(const model::Refusal& refusal) {
  std::string text = "refused";
  for (const base::Error& fault : refusal.faults) {
    text += std::string("\n    ") + text_of(fault.code) + ": " + fault.message;
  }
  if (refusal.retry_after) {
    text += "\n    retry after " + model::format_go_duration(*refusal.retry_after);
  }
  return text;
}

std::string text_of(model::AttemptId id) {
  if (!model::is_hook_attempt(id)) return "a" + std::to_string(id.value());
  return "h" + std::to_string(id.value() & ~model::kHookAttemptBit);
}

std::string text_of(const model::PublishedEvent& event) {
  if (!event.faults.empty()) {
    std::string text = event.id.to_string() + " refused";
    for (const base::Error& fault : event.faults) text += " (" + fault.message + ")";
    return text;
  }
  std::string text = event.id.to_string() + (event.duplicate ? " duplicate" : "") + " to " +
                     std::to_string(event.webhooks);
  const char* separator = " [";
  for (const model::FirstAttempt& first : event.deliveries) {
    text += separator + first.webhook.to_string() + " " +
            (first.is_over ? text_of(first.outcome) : "pending");
    if (first.http_status != 0) text += " " + std::to_string(first.http_status);
    separator = ", ";
  }
  return event.deliveries.empty() ? text : text + "]";
}

std::string text_of(const model::HookReply& reply) {
  std::string text =
      reply.decision == model::HookDecision::kDeny ? "deny: " + reply.reason : "continue";
  for (const model::HookClaim& claim : reply.claims) text += " " + claim.name + "=" + claim.json;
  for (const std::string& name : reply.conflicts) text += ", conflict " + name;
  for (const std::string& name : reply.dropped) text += ", dropped " + name;
  for (const model::HookWebhook& each : reply.webhooks) {
    text += "\n    " + each.webhook.to_string() + " " + text_of(each.outcome) + " after " +
            model::format_go_duration(each.duration);
  }
  return text;
}

}  // namespace

std::string Scenario::text_of(base::WallTime time) const {
  const auto start = base::parse_rfc3339("2024-03-03T00:00:00Z").value();
  return "+" + model::format_go_duration(time - start);
}

std::string Scenario::name_of(const Uuid& id) const {
  const auto at = names_.find(id);
  return at == names_.end() ? id.to_string() : at->second;
}

std::string Scenario::name_of(model::WebhookRef ref) const {
  const auto at = webhook_names_.find(ref);
  return at == webhook_names_.end() ? "webhook " + std::to_string(ref.value()) : at->second;
}

std::string Scenario::with_names(std::string text) const {
  for (const auto& [id, name] : names_) {
    const std::string shown = id.to_string();
    for (std::size_t at = text.find(shown); at != std::string::npos; at = text.find(shown)) {
      text.replace(at, shown.size(), name);
    }
  }
  return text;
}

void Scenario::print(const model::Batch& batch) {
  print("batch " + std::to_string(batch.seq.value()));
  for (const model::Mutation& mutation : batch.mutations) {
    if (const auto* put = std::get_if<model::PutWebhook>(&mutation);
        put != nullptr && !webhook_names_.contains(put->webhook->ref)) {
      webhook_names_[put->webhook->ref] = awaited_webhook_;
      ids_[awaited_webhook_] = put->webhook->id.value();
      names_[put->webhook->id.value()] = awaited_webhook_;
    }
    print("  " + text_of(mutation));
  }
}

std::string Scenario::text_of(const model::PendingChunk& chunk) const {
  std::string text =
      "event " + std::to_string(chunk.seq.value()) + " row " + std::to_string(chunk.chunk) + ":";
  for (const model::PendingEntry& entry : chunk.entries) {
    text += " " + name_of(entry.webhook) + "/" + std::to_string(entry.generation.value()) + " " +
            testing::text_of(entry.state);
    if (entry.attempts > 0) text += " after " + std::to_string(entry.attempts);
    if (entry.state == model::DeliveryState::kDelayed) text += " until " + text_of(entry.due);
    if (entry.parked) text += " parked";
    text += ",";
  }
  text.pop_back();
  if (!chunk.ordering_key.empty()) text += " key " + chunk.ordering_key;
  return text;
}

std::string Scenario::text_of(const model::AttemptRecord& record) const {
  std::string text = name_of(record.event_id.value()) + " at " + name_of(record.webhook) + " #" +
                     (record.number == model::kNoAttempt ? "-" : std::to_string(record.number)) +
                     " " + testing::text_of(record.outcome.kind);
  if (record.outcome.http_status != 0) text += " " + std::to_string(record.outcome.http_status);
  if (!record.outcome.detail.empty()) text += " (" + record.outcome.detail + ")";
  text += std::string(": ") + testing::text_of(record.state_after);
  if (record.state_after == model::DeliveryState::kDelayed) text += " until " + text_of(record.due);
  return text;
}

std::string Scenario::text_of(const model::ParkedKey& key) const {
  std::string text = "event " + std::to_string(key.seq.value()) + " at " + name_of(key.webhook);
  if (key.kind == model::ParkedKind::kDelayed) text += " until " + text_of(key.due);
  return text;
}

std::string Scenario::text_of(const model::Mutation& mutation) const {
  return std::visit(
      [this](const auto& what) -> std::string {
        using What = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<What, model::PutOrganization>) {
          return "put organization " + what.organization.name;
        } else if constexpr (std::is_same_v<What, model::EraseOrganization>) {
          return "erase organization " + name_of(what.org.value());
        } else if constexpr (std::is_same_v<What, model::PutApiKey>) {
          return "put key " + what.key.name;
        } else if constexpr (std::is_same_v<What, model::EraseApiKey>) {
          return "erase key " + name_of(what.id.value());
        } else if constexpr (std::is_same_v<What, model::PutWebhook>) {
          constexpr std::array<const char*, 4> states{"?", "active", "paused", "disabled"};
          const base::WallTime failing = what.webhook->failing_since;
          return "put webhook " + name_of(what.webhook->ref) + " " + what.webhook->target_url +
                 " " + states.at(static_cast<std::size_t>(what.webhook->state)) +
                 (failing == base::WallTime() ? "" : ", failing since " + text_of(failing)) +
                 text_of(*what.webhook);
        } else if constexpr (std::is_same_v<What, model::EraseWebhook>) {
          return "erase webhook " + name_of(what.ref);
        } else if constexpr (std::is_same_v<What, model::PutTrigger>) {
          return "put trigger " + name_of(what.trigger.webhook) + " " + what.trigger.name +
                 " generation " + std::to_string(what.trigger.generation.value()) +
                 text_of(what.trigger);
        } else if constexpr (std::is_same_v<What, model::EraseTrigger>) {
          return "erase trigger " + name_of(what.trigger.webhook) + " " + what.trigger.name +
                 " generation " + std::to_string(what.trigger.generation.value());
        } else if constexpr (std::is_same_v<What, model::PutEventType>) {
          return "put event type " + what.type.name +
                 (what.type.schema.empty() ? "" : " with a schema");
        } else if constexpr (std::is_same_v<What, model::EraseEventType>) {
          return "erase event type " + what.name;
        } else if constexpr (std::is_same_v<What, model::PutEvent>) {
          return "put event " + std::to_string(what.event->seq.value()) + " " +
                 name_of(what.event->id.value()) + " " + what.event->name;
        } else if constexpr (std::is_same_v<What, model::PutPending>) {
          return "put " + text_of(what.chunk);
        } else if constexpr (std::is_same_v<What, model::ErasePending>) {
          return "erase event " + std::to_string(what.seq.value()) + " row " +
                 std::to_string(what.chunk);
        } else if constexpr (std::is_same_v<What, model::PutParked>) {
          return "put parked " + text_of(what.key);
        } else if constexpr (std::is_same_v<What, model::EraseParked>) {
          return "erase parked " + text_of(what.key);
        } else if constexpr (std::is_same_v<What, model::PutAttempt>) {
          return "put attempt " + text_of(what.attempt);
        } else if constexpr (std::is_same_v<What, model::ReopenDelivery>) {
          return "reopen event " + std::to_string(what.seq.value()) + " at " +
                 name_of(what.webhook);
        } else if constexpr (std::is_same_v<What, model::EraseLog>) {
          return "erase log of " + name_of(what.org.value()) + " before event " +
                 std::to_string(what.before.value());
        } else if constexpr (std::is_same_v<What, model::PutCounters>) {
          return "put counters: next webhook " +
                 std::to_string(what.counters.next_webhook.value()) + ", generation " +
                 std::to_string(what.counters.next_generation.value()) + ", event " +
                 std::to_string(what.counters.next_event.value()) + ", first pending " +
                 std::to_string(what.counters.first_pending.value());
        } else if constexpr (std::is_same_v<What, model::PutJob>) {
          return "put job, state " + std::to_string(static_cast<int>(what.job.state)) +
                 ", up to event " + std::to_string(what.job.position.value()) + ", recovered " +
                 std::to_string(what.job.recovered) + ", skipped " +
                 std::to_string(what.job.skipped);
        } else if constexpr (std::is_same_v<What, model::EraseJob>) {
          return "erase job";
        } else if constexpr (std::is_same_v<What, model::EraseSigningKey>) {
          return "erase signing key " + what.kid;
        } else {
          static_assert(std::is_same_v<What, model::PutSigningKey>);
          return "put signing key " + what.key.kid + " from " + text_of(what.key.active_from);
        }
      },
      mutation);
}

std::string Scenario::text_of(const model::SigningKeyView& key) const {
  constexpr std::array<const char*, 3> states{"waiting", "active", "retiring"};
  std::string text = key.kid + " " + states.at(static_cast<std::size_t>(key.state)) + " from " +
                     text_of(key.active_from);
  if (key.leaves_at) text += " leaves at " + text_of(*key.leaves_at);
  return text;
}

void Scenario::print(const model::Read& read) {
  std::string text = "read r" + std::to_string(read.id.value()) + ": ";
  if (const auto* event = std::get_if<model::ReadEvent>(&read.what)) {
    text += "event " + std::to_string(event->seq.value());
  } else if (const auto* id = std::get_if<model::ReadEventId>(&read.what)) {
    text += "event id " + name_of(id->id.value());
  } else if (const auto* parked = std::get_if<model::ReadParked>(&read.what)) {
    text += "parked";
    for (const model::ReadParked::Lane& lane : parked->lanes) {
      const bool is_fresh = lane.from.kind == model::ParkedKind::kFresh;
      text += " " + std::to_string(lane.count_max) + " of " + name_of(lane.from.webhook);
      text += is_fresh ? " from event " + std::to_string(lane.from.seq.value()) + ","
                       : " due until " + text_of(lane.until) + ",";
    }
    if (!parked->lanes.empty()) text.pop_back();
  } else {
    text += "what is over";
  }
  print(text + ", rests on " + std::to_string(read.rests_on.value()));
}

void Scenario::print(const model::Effect& effect) {
  if (const auto* reply = std::get_if<model::SendReply>(&effect.what)) {
    print("reply q" + std::to_string(reply->request.value()) + ": " +
          with_names(text_of(reply->reply)));
  } else if (const auto* start = std::get_if<model::StartAttempt>(&effect.what)) {
    print("start " + testing::text_of(start->id) + ": " + name_of(start->event->id.value()) +
          " to " + name_of(start->webhook->ref) + " " + start->webhook->target_url + " #" +
          std::to_string(start->number) + " within " + model::format_go_duration(start->timeout));
  } else if (const auto* cancel = std::get_if<model::CancelAttempt>(&effect.what)) {
    print("cancel " + testing::text_of(cancel->id));
  } else if (const auto* added = std::get_if<model::ApiKeyAdded>(&effect.what)) {
    print("key added " + added->key.name);
  } else if (const auto* removed = std::get_if<model::ApiKeyRemoved>(&effect.what)) {
    print("key removed, digest " + std::to_string(removed->digest[0]));
  } else if (const auto* paths = std::get_if<model::FilterPathsChanged>(&effect.what)) {
    std::string text = "rules " + std::to_string(paths->rules_version) + " of " +
                       name_of(paths->org.value()) + ": paths";
    for (const model::FilterPath& path : paths->paths) {
      std::string joined;
      for (const std::string& member : path) joined += (joined.empty() ? "" : ".") + member;
      text += joined.empty() ? " -" : " " + joined;
    }
    print(text);
  } else if (const auto* schema = std::get_if<model::EventSchemaChanged>(&effect.what)) {
    print("rules " + std::to_string(schema->rules_version) + " of " + name_of(schema->org.value()) +
          ": " + (schema->schema.empty() ? "no schema" : "a schema") + " for " +
          schema->event_name);
  } else if (const auto* signing = std::get_if<model::SigningKeysChanged>(&effect.what)) {
    std::string text = "signing keys";
    for (const model::SigningKey& key : signing->keys) text += " " + key.kid;
    print(text);
  }
}

std::string Scenario::text_of(const model::Reply& reply) const {
  return std::visit(
      [this](const auto& what) -> std::string {
        using What = std::decay_t<decltype(what)>;
        std::string text;
        if constexpr (std::is_same_v<What, model::Refusal>) {
          return refusal_text(what);
        } else if constexpr (std::is_same_v<What, model::Done>) {
          return "done";
        } else if constexpr (std::is_same_v<What, model::TriggerAdded>) {
          return "trigger added";
        } else if constexpr (std::is_same_v<What, model::OrganizationReply>) {
          return "organization " + what.organization.name;
        } else if constexpr (std::is_same_v<What, model::ApiKeyReply>) {
          return "key " + what.key.name;
        } else if constexpr (std::is_same_v<What, model::SigningKeyReply>) {
          return "signing key " + text_of(what.key);
        } else if constexpr (std::is_same_v<What, model::SigningKeysReply>) {
          for (const auto& key : what.keys) text += "\n    " + text_of(key);
          return "signing keys" + text;
        } else if constexpr (std::is_same_v<What, model::JwksReply>) {
          for (const auto& key : what.keys) text += " " + key.kid;
          return "jwks" + text;
        } else if constexpr (std::is_same_v<What, model::WebhookReply>) {
          return "webhook " + what.webhook->id.to_string() + " " + what.webhook->target_url;
        } else if constexpr (std::is_same_v<What, model::WebhooksReply>) {
          for (const auto& webhook : what.webhooks) {
            text += (text.empty() ? "" : ", ") + webhook->id.to_string();
          }
          return "webhooks [" + text + "]";
        } else if constexpr (std::is_same_v<What, model::TriggersReply>) {
          for (const auto& trigger : what.triggers) {
            text += (text.empty() ? "" : ", ") + trigger.name + text_of(trigger);
          }
          return "triggers [" + text + "]";
        } else if constexpr (std::is_same_v<What, model::PublishReply>) {
          for (const auto& event : what.events) {
            text += (text.empty() ? "" : ", ") + testing::text_of(event);
          }
          if (what.waited_for > base::Duration(0)) {
            text += " waited " + model::format_go_duration(what.waited_for);
          }
          return "published " + text;
        } else if constexpr (std::is_same_v<What, model::HookReply>) {
          return testing::text_of(what);
        } else if constexpr (std::is_same_v<What, model::FilterToTry>) {
          return what.filter ? "filter to try " + what.filter->text : "no filter to try";
        } else if constexpr (std::is_same_v<What, model::StaleRules>) {
          return "to be prepared again";
        } else if constexpr (std::is_same_v<What, model::EventTypeReply>) {
          return std::string(what.created ? "created " : "") + "event type " +
                 what.event_type.type.name;
        } else if constexpr (std::is_same_v<What, model::EventTypesReply>) {
          for (const model::EventTypeView& view : what.event_types) {
            if (!view.built_in) text += (text.empty() ? "" : ", ") + view.type.name;
          }
          return "event types [" + text + "] and those built in";
        } else if constexpr (std::is_same_v<What, model::SecretRotated> ||
                             std::is_same_v<What, model::SecretReply>) {
          return text_of(what);
        } else {
          return "another answer";
        }
      },
      reply);
}

}  // namespace triggerd::testing
