// The rates at the door: whoever asks too often is refused before the engine works for him. Not
// durable: after a restart every burst is full.
//
// Thread: the engine's. Memory: kDoorKeysMax callers of each kind.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/time.h"
#include "engine/core/door_rates.h"
#include "engine/core/rate_limit.h"
#include "engine/model/request.h"

namespace triggerd::core {

class Door {
 public:
  // Requires: every rate and burst is above 0.
  Door(const DoorRates& rates, std::uint64_t seed, std::size_t keys_max = model::kDoorKeysMax);

  // Takes the tokens: nothing. Or takes none and says how to refuse: kRateLimited with the time
  // until they are there, kInvalid when they never are because the burst is smaller.
  [[nodiscard]] std::optional<model::Refusal> claim(const model::RateClaim& claim, base::Now now);
  // Other rates from now on. Requires: every rate and burst is above 0.
  void use(const DoorRates& rates, base::MonoTime now);

 private:
  struct Key {
    model::OrgId org;
    model::IpAddress client;
    bool operator==(const Key&) const = default;
  };
  struct HashKey {
    std::uint64_t operator()(const Key& key) const;
  };
  using Table = RateTable<Key, HashKey>;

  DoorRates rates_;
  std::array<Table, model::kRateKinds> tables_;  // by RateKind
};

// Does this kind limit a client, whatever it asks for?
[[nodiscard]] inline bool goes_by_client_alone(model::RateKind kind) {
  return kind == model::RateKind::kSdkClient;
}

}  // namespace triggerd::core
