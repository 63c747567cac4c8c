// Rings of new keys, and the document by which their signatures are checked.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dispatcher/key_ring.h"

namespace triggerd::support {

using KeyRingPtr = std::shared_ptr<const dispatcher::KeyRing>;

inline KeyRingPtr ring_of(std::vector<dispatcher::RingKey> keys) {
  return std::make_shared<const dispatcher::KeyRing>(
      std::move(dispatcher::KeyRing::create(std::move(keys)).value()));
}

// A ring of `count` new keys, each a nanosecond after the one before: the last one signs.
inline KeyRingPtr new_ring(std::size_t count = 1) {
  std::vector<dispatcher::RingKey> keys;
  for (std::size_t i = 0; i < count; ++i) {
    keys.push_back({std::move(dispatcher::PrivateKey::generate().value()),
                    base::WallTime(base::Duration(static_cast<std::int64_t>(i)))});
  }
  return ring_of(std::move(keys));
}

inline const dispatcher::PrivateKey& last_key(const KeyRingPtr& ring) {
  return ring->keys().back().key;
}

// As api/json_writer writes it (CONTRACT B4.3).
inline std::string jwks_of(const KeyRingPtr& ring) {
  std::string text = R"({"keys":[)";
  for (const dispatcher::RingKey& key : ring->keys()) {
    if (&key != &ring->keys().front()) text += ',';
    text += R"({"alg":"ES256","crv":"P-256","key_ops":["verify"],"kid":")" + key.key.kid() +
            R"(","kty":"EC","use":"sig","x":")" + key.key.public_x() + R"(","y":")" +
            key.key.public_y() + R"("})";
  }
  return text + "]}";
}

}  // namespace triggerd::support
