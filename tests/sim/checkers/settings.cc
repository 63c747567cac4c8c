#include "tests/sim/checkers/settings.h"

#include <algorithm>
#include <chrono>
#include <variant>

#include "tests/sim/checkers/text.h"

namespace triggerd::sim {
namespace {

// A call is seen when its turn ends; its token was taken at some time in it.
constexpr base::Duration kTurnMax = std::chrono::milliseconds(1);

}  // namespace

void Settings::emitted(const Emitted& seen) {
  before_.clear();
  for (const model::Mutation& mutation : seen.output.batch.mutations) learn(mutation);
  for (const model::Effect& effect : seen.output.effects) {
    if (const auto* start = std::get_if<model::StartAttempt>(&effect.what)) {
      check_start(*start, seen.now);
    }
  }
}

void Settings::learn(const model::Mutation& mutation) {
  if (const auto* put = std::get_if<model::PutWebhook>(&mutation)) {
    changed(*put->webhook);
    webhooks_[put->webhook->ref] = put->webhook;
  } else if (const auto* event = std::get_if<model::PutEvent>(&mutation)) {
    const model::Event& accepted = *event->event;
    if (accepted.ordering_key.empty()) return;
    for (const model::Match& match : accepted.matches) {
      const auto webhook = webhooks_.find(match.webhook);
      if (webhook == webhooks_.end() ||
          model::ordering_of(webhook->second->delivery) != model::Ordering::kKey) {
        continue;
      }
      open_[{match.webhook, accepted.ordering_key}].insert(accepted.seq);
      key_of_[{accepted.seq, match.webhook}] = accepted.ordering_key;
    }
  } else if (const auto* attempt = std::get_if<model::PutAttempt>(&mutation)) {
    const model::AttemptRecord& record = attempt->attempt;
    if (!model::is_final(record.state_after)) return;
    const auto key = key_of_.find({record.seq, record.webhook});
    if (key == key_of_.end()) return;
    const auto line = open_.find({record.webhook, key->second});
    if (line != open_.end()) {
      line->second.erase(record.seq);
      if (line->second.empty()) open_.erase(line);
    }
    key_of_.erase(key);
  }
}

void Settings::changed(const model::Webhook& now) {
  const auto was = webhooks_.find(now.ref);
  if (was == webhooks_.end()) return;
  const model::Webhook& before = *was->second;
  before_[now.ref].push_back(was->second);
  if (now.delivery.rate != before.delivery.rate) taken_.erase(now.ref);
  if (model::ordering_of(now.delivery) == model::Ordering::kNone) {
    // Those that waited go in any order from here on.
    const auto first = open_.lower_bound({now.ref, ""});
    const auto last = open_.lower_bound({model::WebhookRef(now.ref.value() + 1), ""});
    open_.erase(first, last);
    std::erase_if(key_of_, [&now](const auto& row) { return row.first.webhook == now.ref; });
  }
}

void Settings::check_start(const model::StartAttempt& start, base::Now now) {
  const model::WebhookRef ref = start.webhook->ref;
  const std::string name = text_of(support::DeliveryKey{start.event->seq, ref});
  std::vector<model::WebhookPtr> forms = before_[ref];
  if (const auto at = webhooks_.find(ref); at != webhooks_.end()) forms.push_back(at->second);
  const auto is_active = [](const model::WebhookPtr& form) {
    return form->state == model::WebhookState::kActive;
  };
  if (std::none_of(forms.begin(), forms.end(), is_active)) {
    object(name + " is called though the webhook is not active");
  }
  std::uint32_t bound = 0;
  for (const model::WebhookPtr& form : forms) bound = std::max(bound, bound_of(*form));
  if (++in_flight_[ref] > bound) object(name + " is more than the webhook takes at once");
  if (forms.size() == 1) check_rate(start, now);
  check_order(start);
}

void Settings::check_rate(const model::StartAttempt& start, base::Now now) {
  const model::WebhookRef ref = start.webhook->ref;
  const auto& rate = webhooks_.at(ref)->delivery.rate;
  if (!rate) return;
  ++rated_;
  auto& taken = taken_[ref];
  taken[start.id.value()] = now.mono;
  const base::Duration interval =
      base::Duration(std::chrono::seconds(1000)) / rate->per_second_thousandths;
  auto left = static_cast<std::int64_t>(taken.size());
  for (const auto& [attempt, at] : taken) {
    if (left-- > (now.mono - at + kTurnMax) / interval + rate->burst) {
      return object("webhook " + std::to_string(ref.value()) + " is called faster than its rate");
    }
  }
  // What is long past bounds nothing any more.
  constexpr std::size_t kept = 64;
  if (taken.size() > kept + rate->burst) taken.erase(taken.begin());
}

void Settings::check_order(const model::StartAttempt& start) {
  const support::DeliveryKey key{start.event->seq, start.webhook->ref};
  const auto at = key_of_.find(key);
  if (at == key_of_.end()) return;
  const std::set<model::EventSeq>& open = open_.at({key.webhook, at->second});
  if (open.size() > 1) ++ordered_;
  if (*open.begin() != key.seq) {
    object(text_of(key) + " overtakes event " + std::to_string(open.begin()->value()) +
           " of the same ordering key");
  }
}

void Settings::finished(const Finished& seen) {
  const model::WebhookRef ref = seen.attempt.webhook->ref;
  --in_flight_[ref];
  // It did not happen: its token is there again.
  if (seen.outcome.kind == model::OutcomeClass::kBusy) taken_[ref].erase(seen.attempt.id.value());
}

void Settings::restarted(const Restarted&) {
  webhooks_.clear();
  before_.clear();
  in_flight_.clear();
  taken_.clear();
  open_.clear();
  key_of_.clear();
  for (const auto& [ref, webhook] : scene_.durable.webhooks) webhooks_[ref] = webhook;
  for (const auto& [place, chunk] : scene_.durable.pending) {
    if (chunk.ordering_key.empty()) continue;
    for (const model::PendingEntry& entry : chunk.entries) {
      const auto webhook = webhooks_.find(entry.webhook);
      if (model::is_final(entry.state) || webhook == webhooks_.end() ||
          model::ordering_of(webhook->second->delivery) != model::Ordering::kKey) {
        continue;
      }
      // A retry that is parked failed before the webhook wanted order: it stays out of line.
      if (entry.parked && entry.state == model::DeliveryState::kDelayed) continue;
      open_[{entry.webhook, chunk.ordering_key}].insert(chunk.seq);
      key_of_[{chunk.seq, entry.webhook}] = chunk.ordering_key;
    }
  }
}

}  // namespace triggerd::sim
