#include "tests/sim/checkers/signing_keys.h"

#include <algorithm>
#include <variant>

#include "engine/model/limits.h"

namespace triggerd::sim {

void SigningKeys::emitted(const Emitted& seen) {
  for (const model::Mutation& mutation : seen.output.batch.mutations) {
    if (const auto* put = std::get_if<model::PutSigningKey>(&mutation)) {
      check_added(put->key, seen.now);
    } else if (const auto* erase = std::get_if<model::EraseSigningKey>(&mutation)) {
      check_erased(erase->kid, seen.now);
    }
  }
}

void SigningKeys::check_added(const model::SigningKey& key, base::Now now) {
  ++added_;
  if (!keys_.empty()) {
    if (keys_.back().active_from > now.wall) object(key.kid + " is added while another waits");
    if (key.active_from <= keys_.back().active_from) object(key.kid + " signs before an older one");
    if (key.active_from < now.wall + scene_.options.key_publish_lead) {
      object(key.kid + " signs before it was published for the lead");
    }
  }
  keys_.push_back(key);
  if (keys_.size() > model::kSigningKeysMax) object("more keys than there may be");
}

void SigningKeys::check_erased(const std::string& kid, base::Now now) {
  erased_.insert(kid);
  if (keys_.empty() || keys_.front().kid != kid) return object(kid + " goes before an older one");
  if (keys_.size() == 1) {
    object(kid + " goes and was the last");
  } else if (keys_[1].active_from + model::kTokenLifeMax + scene_.options.key_publish_lead >
             now.wall) {
    object(kid + " goes while tokens of it may be valid");
  }
  keys_.erase(keys_.begin());
}

void SigningKeys::check_stored(const std::string& kid, const char* how) {
  if (!scene_.durable.signing_keys.contains(kid) && !erased_.contains(kid)) {
    object(kid + " is " + how + " and not stored");
  }
}

void SigningKeys::released(const Released& seen) {
  if (const auto* changed = std::get_if<model::SigningKeysChanged>(&seen.effect)) {
    for (const model::SigningKey& key : changed->keys) check_stored(key.kid, "to be used");
    return;
  }
  const auto* sent = std::get_if<model::SendReply>(&seen.effect);
  if (sent == nullptr) return;
  if (const auto* made = std::get_if<model::SigningKeyReply>(&sent->reply)) {
    check_stored(made->key.kid, "shown");
  } else if (const auto* all = std::get_if<model::SigningKeysReply>(&sent->reply)) {
    for (const model::SigningKeyView& key : all->keys) check_stored(key.kid, "listed");
  } else if (const auto* jwks = std::get_if<model::JwksReply>(&sent->reply)) {
    for (const model::VerificationKey& key : jwks->keys) check_stored(key.kid, "published");
  }
}

void SigningKeys::restarted(const Restarted&) {
  keys_.clear();
  for (const auto& [kid, key] : scene_.durable.signing_keys) keys_.push_back(key);
  std::sort(keys_.begin(), keys_.end(), [](const auto& left, const auto& right) {
    return left.active_from < right.active_from;
  });
}

}  // namespace triggerd::sim
