// What kind of world a seed makes: the engine's options, the faults and how often, the workload.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/random.h"
#include "engine/core/engine.h"

namespace triggerd::sim {

struct WorldPlan {
  bool fault_free = false;
  core::EngineOptions engine;
  // Clients.
  std::uint32_t organizations_max = 1;
  std::uint32_t webhooks_max = 8;  // of one organization
  std::uint32_t hosts = 2;
  std::uint32_t batch_max = 8;           // events of one publish
  base::Duration pause_mean{0};          // between bursts
  std::uint32_t payload_bytes_max = 64;  // of an event's own part
  double repeat_share = 0;               // of events that repeat an earlier id
  // Store.
  base::Duration commit_max{0};
  double slow_commit_share = 0;
  // Faults.
  base::Duration fault_pause_mean{0};  // between faults
  double crash_share = 0;              // of the faults; the rest are of other kinds
  double receiver_trouble = 0;         // share of the time a receiver is not well
  base::Duration trouble_mean{0};      // how long such a time lasts
};

// The same plan for the same numbers.
[[nodiscard]] WorldPlan draw_plan(base::Random& random);
// What matters of it, in a line.
[[nodiscard]] std::string describe(const WorldPlan& plan);

// Exponentially distributed with this mean, at most ten times it.
[[nodiscard]] base::Duration draw_pause(base::Random& random, base::Duration mean);
// Uniform in [low, high].
[[nodiscard]] base::Duration draw_between(base::Random& random, base::Duration low,
                                          base::Duration high);
[[nodiscard]] bool draw_chance(base::Random& random, double probability);

}  // namespace triggerd::sim
