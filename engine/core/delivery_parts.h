// The small things that core/deliveries is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/time.h"
#include "engine/core/grant.h"
#include "engine/core/pending_events.h"
#include "engine/core/retry_policy.h"
#include "engine/core/scheduler.h"
#include "engine/model/network.h"
#include "engine/model/records.h"

namespace triggerd::core {

struct DeliveryOptions {
  RetryOptions retry;
  SchedulerLimits limits;
  model::TargetPolicy targets;
  std::size_t payload_cache_bytes = 0;
  std::size_t resident = 0;  // deliveries that wait in memory, about (core/delivery_parking.cc)
  base::Duration disable_after{0};  // of a webhook that only fails; 0: never
  std::uint64_t seed = 0;
};

// On the wire.
struct Attempt {
  Grant grant;
  model::WebhookPtr webhook;  // as it was called
};

struct PayloadRead {
  std::uint32_t event = 0;
  std::vector<Grant> waiting;
};

// What has become of the webhook and the trigger of a delivery.
struct Fate {
  model::DeliveryState state = model::DeliveryState::kReady;  // kReady: go on
  const char* detail = "";
};

[[nodiscard]] inline Work work_of(const PendingDelivery& delivery) {
  return delivery.attempts == 0 ? Work::kFresh : Work::kRetry;
}

// A stored row that is to be written anew.
struct DirtyRow {
  std::uint32_t event = 0;
  std::uint32_t chunk = 0;
};

}  // namespace triggerd::core
