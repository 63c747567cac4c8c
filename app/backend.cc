#include "app/backend.h"

#include <utility>

#include <openssl/crypto.h>

#include "app/system_random.h"

namespace triggerd::app {

Backend::Backend(unsigned thread, const SharedSecrets& secrets,
                 std::function<void(EngineMessage)> send, std::function<void()> receive_now)
    : thread_(thread),
      secrets_(secrets),
      send_(std::move(send)),
      receive_now_(std::move(receive_now)) {}

model::RequestId Backend::submit(model::Request request, ReplyFn on_reply) {
  const model::RequestId id = request_id(thread_, ++requests_);
  waiting_.emplace(id, std::move(on_reply));
  send_(Submitted{id, std::move(request)});
  return id;
}

void Backend::cancel(model::RequestId id) {
  if (waiting_.erase(id) > 0) send_(RequestCancelled{id});
}

void Backend::replied(model::RequestId id, model::Reply reply) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;
  const ReplyFn on_reply = std::move(found->second);
  waiting_.erase(found);
  on_reply(std::move(reply));
}

std::optional<api::Principal> Backend::authenticate(std::string_view api_key) {
  const model::KeyDigest digest = secrets_.digester.digest(api_key);
  std::optional<api::Principal> principal = keys_.find(digest);
  if (!principal) {
    receive_now_();
    principal = keys_.find(digest);
  }
  return principal;
}

bool Backend::is_admin_token(std::string_view token) {
  const std::string& expected = secrets_.admin_token;
  return token.size() == expected.size() &&
         CRYPTO_memcmp(token.data(), expected.data(), expected.size()) == 0;
}

base::Result<model::SigningKey> Backend::mint_signing_key() {
  return new_signing_key(secrets_.box);
}

api::MintedApiKey Backend::mint_api_key() {
  api::MintedApiKey minted;
  minted.text = new_key_text();
  minted.digest = secrets_.digester.digest(minted.text);
  SystemRandom random;
  minted.id = model::ApiKeyId(random.uuid_v7(base::read_clocks().wall));
  return minted;
}

}  // namespace triggerd::app
