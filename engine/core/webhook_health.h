// Which webhooks have only failed, and since when: one that has for too long is to be disabled
// (CONTRACT A2). Only state and its rule; who asks disables, and writes down what is to be stored.
//
// The beginning of a run of failures is stored once it has lasted for a while (note_after), so that
// a receiver that now and then fails costs no writes, and a restart forgets an hour at most.
// A webhook that nothing was sent to for a whole disable_after begins a new run: two failures a
// month apart are not a month of failure.
//
// Thread: the engine's. Memory: one entry for each webhook that fails now.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "engine/base/time.h"
#include "engine/model/records.h"

namespace triggerd::core {

enum class HealthVerdict : std::uint8_t {
  kNothing,  // nothing to write down
  kNote,     // Webhook::failing_since is to become since()
  kDisable,  // it has failed for too long
};

class WebhookHealth {
 public:
  // 0: no webhook is ever disabled for failing.
  explicit WebhookHealth(base::Duration disable_after);

  // An attempt that counts has failed. `stored` is the webhook's failing_since.
  HealthVerdict failed(model::WebhookRef ref, base::WallTime stored, base::Now now);
  // Of a failing webhook. Requires: failed() was the last call for it.
  [[nodiscard]] base::WallTime since(model::WebhookRef ref, base::Now now) const;
  // An attempt has succeeded, or the webhook is another one now, or gone. A stored failing_since is
  // the caller's to clear.
  void forget(model::WebhookRef ref) {
    if (!failing_.empty()) failing_.erase(ref);
  }

  [[nodiscard]] std::size_t failing() const { return failing_.size(); }

 private:
  // On the monotonic clock: a wall clock that is set forward disables nobody.
  struct Run {
    base::MonoTime since;
    base::MonoTime last;
    bool noted = false;
  };

  base::Duration disable_after_;
  base::Duration note_after_;
  std::unordered_map<model::WebhookRef, Run> failing_;  // never iterated
};

}  // namespace triggerd::core
