#include "engine/core/operational_events.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "engine/base/assert.h"
#include "engine/base/log.h"
#include "engine/model/event_content.h"
#include "engine/model/event_types.h"
#include "engine/model/limits.h"

namespace triggerd::core {

using base::Now;
using model::Webhook;

namespace {

std::string_view name_of(FactKind kind) {
  return model::operational_event_types()[static_cast<std::size_t>(kind)];
}

// The members of a JSON object.
class Members {
 public:
  Members& text(std::string_view name, std::string_view value) {
    key(name) += '"';
    base::append_json_escaped(out_, value);
    out_ += '"';
    return *this;
  }
  Members& number(std::string_view name, std::uint64_t value) {
    key(name) += std::to_string(value);
    return *this;
  }
  [[nodiscard]] const std::string& out() const { return out_; }

 private:
  std::string& key(std::string_view name) {
    if (!out_.empty()) out_ += ',';
    out_ += '"';
    out_ += name;
    return out_ += "\":";
  }

  std::string out_;
};

std::string_view word_of(model::DisabledReason reason) {
  switch (reason) {
    case model::DisabledReason::kGone:
      return "gone";
    case model::DisabledReason::kFailing:
      return "failing";
    case model::DisabledReason::kNone:
    case model::DisabledReason::kByHand:
      break;
  }
  return "by_hand";
}

void add_dead_letter(const Fact& fact, Members& members) {
  members.number("attempts", fact.attempts);
  if (!fact.detail.empty()) members.text("detail", fact.detail);
  members.text("event_id", fact.event.to_string()).text("event_name", fact.event_name);
  if (fact.http_status != 0) members.number("http_status", fact.http_status);
  members.text("outcome", model::word_of(fact.outcome));
}

void add_job(const model::RecoverJob& job, Members& members) {
  members.text("job_id", job.id.to_string());
  if (!job.reason.empty()) members.text("reason", job.reason);
  members.number("recovered", job.recovered)
      .number("skipped", job.skipped)
      .text("state", job.state == model::JobState::kFinished ? "finished" : "failed");
}

// Keys in alphabetical order, like those of the API: `target_url` and the like come last.
std::string members_of(const Fact& fact, const Webhook* webhook) {
  Members members;
  if (fact.kind == FactKind::kDeadLetter) add_dead_letter(fact, members);
  if (fact.kind == FactKind::kRecoverFinished) add_job(*fact.job, members);
  if (webhook == nullptr) {  // deleted since, while its job ran
    return members.text("webhook_id", fact.job->webhook_id.to_string()).out();
  }
  if (fact.kind == FactKind::kWebhookDisabled) {
    members.text("reason", word_of(webhook->disabled_reason));
  }
  members.text("target_url", webhook->target_url);
  members.text("webhook_id", webhook->id.to_string());
  return members.text("webhook_name", webhook->name).out();
}

}  // namespace

OperationalEvents::OperationalEvents(Registry& registry, Publisher& publisher, Outbox& outbox,
                                     base::Random& random)
    : registry_(registry), publisher_(publisher), outbox_(outbox), random_(random) {}

void OperationalEvents::publish(Now now) {
  for (const Fact& fact : outbox_.take_facts()) {
    if (is_wanted(fact, now)) publish_one(fact, now);
  }
}

bool OperationalEvents::is_wanted(const Fact& fact, Now now) {
  if (registry_.match(fact.org, model::TriggerType::kEvent, name_of(fact.kind)).empty() &&
      fact.kind != FactKind::kBreakerOpened) {
    return false;
  }
  switch (fact.kind) {
    case FactKind::kDeadLetter:
      return !model::is_operational(fact.event_name);
    case FactKind::kBreakerOpened: {
      forget_old_breakers(now);
      const auto [at, is_new] = breakers_.try_emplace(fact.webhook);
      Breaker& breaker = at->second;
      if (!is_new && now.mono - breaker.told_at < model::kBreakerEventInterval) return false;
      breaker = {now.mono, true};
      return true;
    }
    case FactKind::kBreakerClosed: {
      // Who was not told that it opened need not be told that it closed.
      const auto at = breakers_.find(fact.webhook);
      return at != breakers_.end() && std::exchange(at->second.is_told_open, false);
    }
    case FactKind::kWebhookDisabled:
    case FactKind::kWebhookEnabled:
    case FactKind::kSecretRotated:
    case FactKind::kRecoverFinished:
      break;
  }
  return true;
}

void OperationalEvents::publish_one(const Fact& fact, Now now) {
  const Webhook* webhook = registry_.peek(fact.webhook);
  if (webhook == nullptr && fact.kind != FactKind::kRecoverFinished) return;
  model::NewEvent event;
  event.id = model::EventId(random_.uuid_v7(now.wall));
  event.name = std::string(name_of(fact.kind));
  event.timestamp = now.wall;
  event.is_sample = true;
  model::build_content(event, fact.org, *model::split_event_name(event.name),
                       members_of(fact, webhook));
  publisher_.publish_own(fact.org, event, now);
}

void OperationalEvents::forget_old_breakers(Now now) {
  if (breakers_.size() < breakers_to_forget_at_) return;
  std::erase_if(breakers_, [now](const auto& each) {
    return now.mono - each.second.told_at >= model::kBreakerEventInterval &&
           !each.second.is_told_open;
  });
  breakers_to_forget_at_ = std::max<std::size_t>(1024, breakers_.size() * 2);
}

}  // namespace triggerd::core
