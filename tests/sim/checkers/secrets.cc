#include "tests/sim/checkers/secrets.h"

#include <variant>

#include "engine/model/limits.h"

namespace triggerd::sim {

void Secrets::emitted(const Emitted& seen) {
  for (const model::Mutation& mutation : seen.output.batch.mutations) {
    if (const auto* put = std::get_if<model::PutWebhook>(&mutation)) {
      check(*put->webhook, seen.now);
    } else if (const auto* erase = std::get_if<model::EraseWebhook>(&mutation)) {
      known_.erase(erase->ref);
    }
  }
  for (const model::Effect& effect : seen.output.effects) {
    const auto* start = std::get_if<model::StartAttempt>(&effect.what);
    if (start == nullptr) continue;
    const model::Webhook& webhook = *start->webhook;
    if (signatures_of(webhook.delivery) != 0 && webhook.secrets.empty()) {
      object(webhook, "is to be called with a signature and has no secret");
    }
  }
}

void Secrets::check(const model::Webhook& webhook, base::Now now) {
  const Kept& after = webhook.secrets;
  if (after.size() > model::kSigningSecretsMax) object(webhook, "has too many secrets");
  if (!after.empty() && after[0].expires_at != base::WallTime()) {
    object(webhook, "has a current secret that ends");
  }
  if (signatures_of(webhook.delivery) != 0 && after.empty()) {
    object(webhook, "wants signatures and has no secret");
  }
  const Kept before = known_[webhook.ref];
  known_[webhook.ref] = after;
  if (after == before) return;
  if (after.empty()) return object(webhook, "has lost its secret");
  if (before.empty()) {
    if (after.size() != 1) object(webhook, "has a previous secret and had none");
    return;
  }
  ++rotated_;
  model::SigningSecret previous = before[0];
  previous.expires_at = now.wall + scene_.options.secret_overlap;
  if (after.size() < 2 || after[1] != previous) {
    object(webhook, "does not keep its secret for the overlap");
  }
}

void Secrets::restarted(const Restarted&) {
  known_.clear();
  for (const auto& [ref, webhook] : scene_.durable.webhooks) known_[ref] = webhook->secrets;
}

}  // namespace triggerd::sim
