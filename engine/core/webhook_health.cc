#include "engine/core/webhook_health.h"

#include <algorithm>
#include <chrono>

#include "engine/base/assert.h"

namespace triggerd::core {

using base::Duration;
using base::Now;
using base::WallTime;
using model::WebhookRef;

namespace {

constexpr Duration kNoteAfterMost = std::chrono::hours(1);

}  // namespace

WebhookHealth::WebhookHealth(Duration disable_after)
    : disable_after_(disable_after), note_after_(std::min(kNoteAfterMost, disable_after / 4)) {}

HealthVerdict WebhookHealth::failed(WebhookRef ref, WallTime stored, Now now) {
  if (disable_after_ <= Duration(0)) return HealthVerdict::kNothing;
  const auto [at, is_new] = failing_.try_emplace(ref);
  Run& run = at->second;
  if (is_new) {
    const bool noted = stored != WallTime();
    // What the process before this one wrote down; a clock that went back makes it now.
    const Duration before = noted ? std::max(now.wall - stored, Duration(0)) : Duration(0);
    run = Run{now.mono - before, now.mono, noted};
  } else if (now.mono - run.last > disable_after_) {
    run = Run{now.mono, now.mono, false};
    if (stored != WallTime()) {
      run.noted = true;
      return HealthVerdict::kNote;
    }
  }
  run.last = now.mono;
  const Duration lasted = now.mono - run.since;
  if (lasted >= disable_after_) return HealthVerdict::kDisable;
  if (run.noted || lasted < note_after_) return HealthVerdict::kNothing;
  run.noted = true;
  return HealthVerdict::kNote;
}

WallTime WebhookHealth::since(WebhookRef ref, Now now) const {
  const auto at = failing_.find(ref);
  TRIGGERD_ASSERT(at != failing_.end());
  return now.wall - (now.mono - at->second.since);
}

}  // namespace triggerd::core
