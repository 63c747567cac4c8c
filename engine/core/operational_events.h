// Events about the engine itself, `triggerd.…`: an organization subscribes to them like to any
// other. Made of what the parts tell (core/facts), in the batch that makes it true.
//
// They never feed on themselves without an end: a dead letter of one makes no further one, of a
// breaker is told once a minute at most, and the others follow what people ask for. One to which
// nobody subscribes is not stored; one that finds no room among the pending is left out.
//
// Thread: the engine's. Memory: an entry for each webhook whose breaker has opened of late.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/core/outbox.h"
#include "engine/core/publisher.h"
#include "engine/core/registry.h"

namespace triggerd::core {

class OperationalEvents {
 public:
  // All arguments outlive this.
  OperationalEvents(Registry& registry, Publisher& publisher, Outbox& outbox, base::Random& random);

  // Publishes what was told since the last call. Before the batch is taken.
  void publish(base::Now now);

 private:
  struct Breaker {
    base::MonoTime told_at;  // that it had opened
    bool is_told_open = false;
  };

  // May it be told? Keeps the pace of what is said of breakers.
  [[nodiscard]] bool is_wanted(const Fact& fact, base::Now now);
  void publish_one(const Fact& fact, base::Now now);
  void forget_old_breakers(base::Now now);

  Registry& registry_;
  Publisher& publisher_;
  Outbox& outbox_;
  base::Random& random_;
  std::unordered_map<model::WebhookRef, Breaker> breakers_;
  std::size_t breakers_to_forget_at_ = 1024;
};

}  // namespace triggerd::core
