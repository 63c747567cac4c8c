// The keys that sign deliveries, and their rotation: a new key is published at once and signs from
// `active_from` on; the one before it stays published until the last token that it signed has
// expired, then it goes. Which key signs is decided where the signature is made, by the clock there
// and by `active_from`; nothing is sent when a key's turn comes.
//
//   created ---- publish_before_use ----> active ---- next key active ----> retiring ---- gone
//   (waiting)                                          token life + publish_before_use
//
// Thread: the engine's. At most kSigningKeysMax keys are published.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "engine/core/outbox.h"
#include "engine/core/rate_limit.h"
#include "engine/model/limits.h"
#include "engine/model/network.h"
#include "engine/model/output.h"
#include "engine/model/request.h"

namespace triggerd::core {

class SigningKeys {
 public:
  // `outbox` outlives this. `jwks_rate` holds for each pair of client and organization.
  SigningKeys(base::Duration publish_before_use, const RateLimit& jwks_rate, std::uint64_t seed,
              Outbox& outbox)
      : publish_before_use_(publish_before_use),
        outbox_(outbox),
        jwks_requests_(jwks_rate, model::kDoorKeysMax, seed) {}

  // Recovery.
  void load(model::SigningKey key);

  // kConflict while a key waits for its turn, and when kSigningKeysMax are published.
  void handle(model::RotateSigningKey request, model::RequestId id, base::Now now);
  void handle(const model::ListSigningKeys& request, model::RequestId id, base::Now now);
  // The same keys for every organization, also for one that there is not: who asks without a key
  // learns nothing of organizations. kRateLimited.
  void handle(const model::GetJwks& request, model::RequestId id, base::Now now);

  // Lets go of what has retired.
  void tick(base::Now now);
  // When tick() has something to do; nothing when only a rotation can change anything. Never early
  // after a step of the wall clock: tick() looks again.
  [[nodiscard]] std::optional<base::MonoTime> next_deadline() const { return next_look_; }

  void append_durable_state(std::string& out) const;

  // Another rate of the JWKS from now on.
  void use(RateLimit jwks_rate, base::MonoTime now) { jwks_requests_.use(jwks_rate, now); }

 private:
  struct JwksClient {
    model::OrgId org;
    model::IpAddress address;
    bool operator==(const JwksClient&) const = default;
  };
  struct JwksClientHash {
    std::uint64_t operator()(const JwksClient& client) const {
      const auto bytes = client.address.bytes;
      const std::string_view view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return std::hash<model::OrgId>()(client.org) * 31 + std::hash<std::string_view>()(view);
    }
  };

  // When the key at `index` leaves: nothing for the last one.
  [[nodiscard]] std::optional<base::WallTime> leaves_at(std::size_t index) const;
  [[nodiscard]] model::SigningKeyView view_of(std::size_t index, base::Now now) const;
  void refuse(model::RequestId id, std::string message);
  void set_next_look(base::Now now);

  base::Duration publish_before_use_;
  Outbox& outbox_;
  std::vector<model::SigningKey> keys_;  // in order of active_from
  std::optional<base::MonoTime> next_look_;
  RateTable<JwksClient, JwksClientHash> jwks_requests_;
};

}  // namespace triggerd::core
