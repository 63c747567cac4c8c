// What core/scheduler hands out, and what it is told when that is over. Plain data.
#pragma once

#include <cstdint>

#include "engine/base/time.h"
#include "engine/core/concurrency_limit.h"
#include "engine/core/lane.h"
#include "engine/model/records.h"

namespace triggerd::core {

// A delivery that may start now, with the slots it holds until release().
struct Grant {
  DeliveryRef delivery;
  model::WebhookRef lane;
  std::uint32_t host = 0;
  ConcurrencyLimit::Round round = 0;
  std::uint16_t era = 0;
  Work work = Work::kFresh;
  bool is_probe = false;  // of a receiver that was left alone
};

// What a call told about its receiver.
enum class CallResult : std::uint8_t {
  kNothing,  // not made after all, or cut off by us
  kSucceeded,
  kFailed,      // for another reason than too many calls
  kOverloaded,  // timeout, 429, 503, connection refused
};
struct CallReport {
  CallResult result = CallResult::kNothing;
  base::Duration latency{0};      // 0: not known
  base::Duration retry_after{0};  // 0: not asked for
};

}  // namespace triggerd::core
