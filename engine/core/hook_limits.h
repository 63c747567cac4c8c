// How much of synchronous hooks may be under way. One call more is refused, to be tried again.
#pragma once

#include <cstddef>

#include "engine/model/limits.h"

namespace triggerd::core {

struct HookLimits {
  std::size_t calls = model::kHookCallsMax;
  std::size_t calls_per_org = model::kHookCallsPerOrgMax;
  std::size_t webhooks_per_call = model::kHookWebhooksPerCallMax;
  std::size_t bytes_held = model::kHookBytesHeldMax;
};

}  // namespace triggerd::core
