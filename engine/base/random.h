// Chance, behind one door: seeded from the system in production, from the test in tests.
#pragma once

#include <cstdint>

#include "engine/base/ids.h"
#include "engine/base/time.h"

namespace triggerd::base {

// One thread at a time; the owner outlives the users.
class Random {
 public:
  virtual ~Random() = default;
  // 64 uniform bits.
  virtual std::uint64_t next() = 0;

  // Uniform in [0, bound). Requires: bound > 0.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1).
  double unit();
  // RFC 9562 version 4: 122 random bits.
  Uuid uuid_v4();
  // RFC 9562 version 7: Unix milliseconds, then 74 random bits.
  Uuid uuid_v7(WallTime now);
};

// xoshiro256**: the same numbers for the same seed on every machine. Not for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed);
  std::uint64_t next() override;

 private:
  std::uint64_t state_[4];
};

}  // namespace triggerd::base
