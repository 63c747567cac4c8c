#include "tests/sim/checkers/replies.h"

#include <variant>

#include "tests/sim/checkers/text.h"

namespace triggerd::sim {

void Replies::handled(const Handled& seen) {
  if (!requests_.emplace(seen.id, State::kOpen).second) {
    object("the simulator used request " + std::to_string(seen.id.value()) + " twice");
  }
}

void Replies::abandoned(model::RequestId id) {
  const auto at = requests_.find(id);
  if (at != requests_.end() && at->second == State::kOpen) at->second = State::kAbandoned;
}

void Replies::emitted(const Emitted& seen) {
  for (const model::Mutation& mutation : seen.output.batch.mutations) {
    if (const auto* put = std::get_if<model::PutEvent>(&mutation)) {
      check_acceptance(*put->event, seen.now);
    }
  }
  for (const model::Effect& effect : seen.output.effects) {
    const auto* sent = std::get_if<model::SendReply>(&effect.what);
    if (sent == nullptr || std::holds_alternative<model::StaleRules>(sent->reply)) continue;
    const std::string name = "request " + std::to_string(sent->request.value());
    const auto at = requests_.find(sent->request);
    if (at == requests_.end()) {
      object(name + " is answered and was never asked");
    } else if (at->second == State::kReplied) {
      object(name + " is answered twice");
    } else if (at->second == State::kAbandoned) {
      object(name + " is answered though nobody waits for it");
    } else {
      at->second = State::kReplied;
    }
  }
}

void Replies::check_acceptance(const model::Event& event, base::Now now) {
  if (event.is_test) return;  // some come twice on purpose
  const auto [at, fresh] = accepted_.try_emplace({event.org, event.id}, Acceptance{now, event.seq});
  if (fresh) return;
  const base::Duration window = scene_.options.dedup_window;
  // The wall clock may have jumped: an id is surely within the window when both clocks say so.
  if (now.mono - at->second.at.mono < window && now.wall - at->second.at.wall < window) {
    object("event " + event.id.to_string() + " is accepted twice, as " +
           std::to_string(at->second.seq.value()) + " and " + std::to_string(event.seq.value()));
  }
  at->second = Acceptance{now, event.seq};
}

void Replies::released(const Released& seen) {
  if (!scene_.fault_free) return;
  const auto* start = std::get_if<model::StartAttempt>(&seen.effect);
  if (start == nullptr) return;
  const support::DeliveryKey key{start->event->seq, start->webhook->ref};
  if (++calls_[key] > 1 && !scene_.durable.reopened.contains(key))
    object(text_of(key) + " is called twice in a world without faults");
}

void Replies::restarted(const Restarted&) {
  requests_.clear();
  // An acceptance that did not become durable never happened.
  std::erase_if(accepted_, [this](const auto& row) {
    return !scene_.durable.events.contains(row.second.seq);
  });
}

void Replies::drained(base::Now) {
  for (const auto& [id, state] : requests_) {
    if (state == State::kOpen) object("request " + std::to_string(id.value()) + " has no reply");
  }
  if (!scene_.fault_free) return;
  for (const auto& [key, record] : scene_.durable.latest_attempts) {
    // A hook's slow answer may come when its deadline has passed, without any fault.
    const auto event = scene_.durable.events.find(record.seq);
    if (event != scene_.durable.events.end() &&
        event->second->trigger_type == model::TriggerType::kSyncHook) {
      continue;
    }
    if (record.state_after == model::DeliveryState::kDelivered && !calls_.contains(key)) {
      object(text_of(key) + " is delivered without a call");
    } else if (record.state_after == model::DeliveryState::kDead) {
      object(text_of(key) + " is dead in a world without faults");
    }
  }
}

}  // namespace triggerd::sim
