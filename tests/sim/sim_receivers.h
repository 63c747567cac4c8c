// The webhooks' side of a simulated world. Each webhook has a mood that changes over time: well,
// slow, failing, hanging, resetting, throttling, out of room on our side, gone.
#pragma once

#include <cstdint>
#include <map>

#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/model/output.h"
#include "tests/sim/world_plan.h"

namespace triggerd::sim {

class SimReceivers {
 public:
  struct Answer {
    base::Duration after{0};
    model::Outcome outcome;
  };

  // Both outlive the receivers.
  SimReceivers(const WorldPlan& plan, base::Random& random) : plan_(plan), random_(random) {}

  // What this call comes to, and when.
  [[nodiscard]] Answer call(const model::StartAttempt& attempt, base::Now now);
  // From now on everybody is well.
  void heal() { healed_ = true; }

 private:
  enum class MoodKind : std::uint8_t {
    kWell,
    kFlaky,
    kFailing,
    kHanging,
    kResetting,
    kThrottling,
    kBusy,
    kGone,
  };
  struct Mood {
    MoodKind kind = MoodKind::kWell;
    base::MonoTime until;
  };

  [[nodiscard]] MoodKind mood_of(model::WebhookId webhook, base::MonoTime now);
  [[nodiscard]] Answer ok(const model::StartAttempt& attempt);
  [[nodiscard]] Answer http_error(std::uint16_t status);
  [[nodiscard]] Answer throttled();
  void judge_hook(Answer& answer);

  const WorldPlan& plan_;
  base::Random& random_;
  std::map<model::WebhookId, Mood> moods_;
  bool healed_ = false;
};

}  // namespace triggerd::sim
