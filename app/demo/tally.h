// What the demo counts: which event was accepted for how many webhooks, and what arrived of it.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/time.h"

namespace triggerd::app {

struct DemoFigures {
  std::uint64_t accepted = 0;             // events answered 202
  std::uint64_t expected = 0;             // deliveries: the webhooks that the 202s named
  std::uint64_t delivered = 0;            // of these, arrived and verified
  std::uint64_t rejected = 0;             // calls whose token did not verify
  std::uint64_t duplicates = 0;           // calls beyond the first of an (event, webhook)
  std::uint64_t lost = 0;                 // expected and not delivered
  std::vector<base::Duration> latencies;  // accept to call verified, sorted
};

// Filled by the publisher and the receiver, read by whoever prints; any thread.
class DemoTally {
 public:
  // Before the event is sent, so that a fast delivery finds it.
  void sent(base::EventId event, base::MonoTime at);
  void accepted(base::EventId event, std::uint32_t webhooks);
  // One verified call of webhook number `webhook`.
  void called(base::EventId event, std::size_t webhook, base::MonoTime at);
  void rejected();

  struct Counts {
    std::uint64_t accepted = 0;
    std::uint64_t expected = 0;
    std::uint64_t delivered = 0;
  };
  [[nodiscard]] Counts counts() const;
  [[nodiscard]] DemoFigures figures() const;

 private:
  struct Row {
    base::MonoTime sent_at;
    std::uint32_t expected = 0;
    std::uint64_t arrived_at = 0;  // one bit a webhook
  };

  mutable std::mutex mutex_;
  std::unordered_map<base::EventId, Row> rows_;
  std::vector<base::Duration> latencies_;
  std::uint64_t accepted_ = 0;
  std::uint64_t expected_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t rejected_ = 0;
};

}  // namespace triggerd::app
