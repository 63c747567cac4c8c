// Registry requests: the signing secrets of webhooks (CONTRACT A2). The keys are made at the edge;
// here they are adopted, aged and let go.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/core/registry_requests.h"

namespace triggerd::core {

using base::ErrorCode;
using base::Now;
using base::WallTime;
using model::RequestId;
using model::SigningSecret;
using model::Webhook;
using model::WebhookPtr;

namespace {

// The end of the previous secret; nothing when there is none that is still valid.
std::optional<WallTime> previous_expires_at(const Webhook& webhook, WallTime now) {
  if (webhook.secrets.size() < 2 || webhook.secrets[1].expires_at <= now) return std::nullopt;
  return webhook.secrets[1].expires_at;
}

SigningSecret made_at(SigningSecret secret, WallTime now) {
  secret.created_at = now;
  secret.expires_at = {};
  return secret;
}

}  // namespace

void adopt_first_secret(Webhook& webhook, const std::optional<SigningSecret>& made, Now now) {
  if (!made || !webhook.secrets.empty() || signatures_of(webhook.delivery) == 0) return;
  webhook.secrets.push_back(made_at(*made, now.wall));
}

void RegistryRequests::handle(const model::RotateSecret& request, RequestId id, Now now) {
  const WebhookPtr before = webhook_or_refuse(request.org, request.id, id);
  if (before == nullptr) return;
  auto after = std::make_shared<Webhook>(*before);
  // The one that was valid until now is the previous one from now on; an older one goes at once.
  after->secrets.resize(std::min<std::size_t>(after->secrets.size(), 1));
  if (!after->secrets.empty()) after->secrets[0].expires_at = now.wall + limits_.secret_overlap;
  after->secrets.insert(after->secrets.begin(), made_at(request.secret, now.wall));
  registry_.replace_webhook(after);
  outbox_.put(model::PutWebhook{after});
  outbox_.tell({FactKind::kSecretRotated, after->org, after->ref});
  outbox_.reply(id, model::SecretRotated{after->secrets[0], previous_expires_at(*after, now.wall)});
}

void RegistryRequests::handle(const model::GetSecret& request, RequestId id, Now now) {
  const WebhookPtr webhook = webhook_or_refuse(request.org, request.id, id);
  if (webhook == nullptr) return;
  if (webhook->secrets.empty()) {
    return refuse(
        id, ErrorCode::kNotFound,
        "secret: webhook " + request.id.to_string() + " has none; POST …/secret/rotate makes one");
  }
  const SigningSecret& current = webhook->secrets.front();
  outbox_.reply(id, model::SecretReply{current.created_at, current.ed25519_public,
                                       previous_expires_at(*webhook, now.wall)});
}

}  // namespace triggerd::core
