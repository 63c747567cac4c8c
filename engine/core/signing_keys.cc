#include "engine/core/signing_keys.h"

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

#include "engine/model/limits.h"

namespace triggerd::core {

using base::Now;
using base::WallTime;
using model::RequestId;
using model::SigningKey;

namespace {

bool earlier(const SigningKey& left, const SigningKey& right) {
  return std::tie(left.active_from, left.created_at, left.kid) <
         std::tie(right.active_from, right.created_at, right.kid);
}

}  // namespace

void SigningKeys::load(SigningKey key) {
  keys_.insert(std::upper_bound(keys_.begin(), keys_.end(), key, earlier), std::move(key));
  // When it is really due, the first tick says.
  next_look_ = base::MonoTime::min();
}

void SigningKeys::handle(model::RotateSigningKey request, RequestId id, Now now) {
  const bool known = std::any_of(keys_.begin(), keys_.end(), [&request](const SigningKey& key) {
    return key.kid == request.key.kid;
  });
  if (known) return refuse(id, "signing key " + request.key.kid + " exists already");
  if (!keys_.empty() && keys_.back().active_from > now.wall) {
    return refuse(id, "signing key " + keys_.back().kid + " is published and signs from " +
                          base::to_rfc3339(keys_.back().active_from) +
                          " on; rotate again after that");
  }
  if (keys_.size() >= model::kSigningKeysMax) {
    return refuse(id, std::to_string(keys_.size()) +
                          " signing keys are published, the most there can be; the oldest leaves "
                          "at " +
                          base::to_rfc3339(*leaves_at(0)) + ", rotate again after that");
  }
  SigningKey key = std::move(request.key);
  key.created_at = now.wall;
  // The very first key has nothing to wait for: without it nothing can be signed.
  key.active_from = keys_.empty() ? now.wall : now.wall + publish_before_use_;
  // The order of keys is that of their active_from, also when the clock was set back meanwhile.
  if (!keys_.empty()) {
    key.active_from = std::max(key.active_from, keys_.back().active_from + base::Duration(1));
  }
  keys_.push_back(key);
  outbox_.put(model::PutSigningKey{std::move(key)});
  outbox_.emit(outbox_.batch(), model::SigningKeysChanged{keys_});
  outbox_.reply(id, model::SigningKeyReply{view_of(keys_.size() - 1, now)});
  set_next_look(now);
}

void SigningKeys::handle(const model::ListSigningKeys&, RequestId id, Now now) {
  model::SigningKeysReply reply;
  for (std::size_t i = 0; i < keys_.size(); ++i) reply.keys.push_back(view_of(i, now));
  outbox_.reply(id, std::move(reply));
}

void SigningKeys::handle(const model::GetJwks& request, RequestId id, Now now) {
  const JwksClient client{request.org, request.client};
  if (const std::optional<base::Duration> wait = jwks_requests_.take(client, 1, now.mono)) {
    return outbox_.refuse(
        id, model::Refusal{{{base::ErrorCode::kRateLimited,
                             "verification-jwks: too many requests of this address for this "
                             "organization; keep the document, fetch it again for an unknown kid"}},
                           *wait});
  }
  model::JwksReply reply;
  for (const SigningKey& key : keys_) {
    reply.keys.push_back({key.kid, key.public_x, key.public_y});
  }
  outbox_.reply(id, std::move(reply));
}

void SigningKeys::tick(Now now) {
  if (!next_look_ || *next_look_ > now.mono) return;
  std::size_t gone = 0;
  // In order: leaves_at() grows with the index.
  for (; gone < keys_.size(); ++gone) {
    const std::optional<WallTime> leaves = leaves_at(gone);
    if (!leaves || *leaves > now.wall) break;
    outbox_.put(model::EraseSigningKey{keys_[gone].kid});
  }
  if (gone > 0) {
    keys_.erase(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(gone));
    outbox_.emit(outbox_.batch(), model::SigningKeysChanged{keys_});
  }
  set_next_look(now);
}

void SigningKeys::append_durable_state(std::string& out) const {
  for (const SigningKey& key : keys_) {
    out += "signing key " + key.kid + " created " + base::to_rfc3339(key.created_at) +
           " active from " + base::to_rfc3339(key.active_from) + "\n";
  }
}

std::optional<WallTime> SigningKeys::leaves_at(std::size_t index) const {
  if (index + 1 >= keys_.size()) return std::nullopt;
  return keys_[index + 1].active_from + model::kTokenLifeMax + publish_before_use_;
}

model::SigningKeyView SigningKeys::view_of(std::size_t index, Now now) const {
  const SigningKey& key = keys_[index];
  model::SigningKeyView view{key.kid, key.created_at, key.active_from, {}, leaves_at(index)};
  const bool last = index + 1 == keys_.size();
  if (!last && keys_[index + 1].active_from <= now.wall) {
    view.state = model::SigningKeyState::kRetiring;
  } else if (index > 0 && key.active_from > now.wall) {
    view.state = model::SigningKeyState::kWaiting;
  } else {
    view.state = model::SigningKeyState::kActive;
  }
  return view;
}

void SigningKeys::refuse(RequestId id, std::string message) {
  outbox_.reply(id, model::Refusal{{{base::ErrorCode::kConflict, std::move(message)}}, {}});
}

void SigningKeys::set_next_look(Now now) {
  next_look_.reset();
  if (const std::optional<WallTime> leaves = leaves_at(0)) {
    next_look_ = now.mono + std::max(*leaves - now.wall, base::Duration(0));
  }
}

}  // namespace triggerd::core
