// What the engine thread counts: events, deliveries, attempts, hooks, commits. Fed by what passes
// through the partition (mutations, replies, commits), so that nothing is counted in two places.
//
// Thread: the engine's, but for append_to(), which any may call at any time.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "app/metrics/cells.h"
#include "app/metrics/exposition.h"
#include "engine/base/time.h"
#include "engine/core/engine.h"
#include "engine/model/output.h"

namespace triggerd::app::metrics {

class EngineMetrics {
 public:
  EngineMetrics();

  // A mutation of a batch: accepted events, attempts, ends of deliveries.
  void recorded(const model::Mutation& mutation);
  // A reply on its way out: duplicates, decisions of hooks.
  void replied(const model::Reply& reply);
  // A commit of so many mutations has become durable.
  void committed(base::Duration took, std::size_t mutations);
  // Once in a while.
  void observe(const core::EngineStats& stats, base::Now now);
  // How much later than asked for a timer of the engine's loop fired.
  void observe_lag(base::Duration lag);

  void append_to(Exposition& page) const;
  // Since the last observe(); 0 before the first. Any thread.
  [[nodiscard]] double seconds_since_turn(base::MonoTime now) const;

 private:
  static constexpr std::size_t kOutcomes = static_cast<std::size_t>(model::kLastOutcomeClass) + 1;
  static constexpr std::size_t kStatusClasses = 6;  // none, 1xx to 5xx
  static constexpr std::size_t kStates = 6;
  static constexpr std::array<double, 9> kBytesBounds{256,    1024,   4096,    16384,  65536,
                                                      131072, 262144, 1048576, 4194304};
  static constexpr std::array<double, 8> kWebhooksBounds{0, 1, 2, 5, 10, 100, 1000, 10000};
  // Up to the end of the default schedule.
  static constexpr std::array<double, 18> kLatencyBounds{
      .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 36000, 86400};
  static constexpr std::array<double, 12> kCommitBounds{.0001, .00025, .0005, .001, .0025, .005,
                                                        .01,   .025,   .05,   .1,   .5,    1};

  void accepted(const model::Event& event);
  void attempted(const model::AttemptRecord& record);
  void append_events(Exposition& page) const;
  void append_deliveries(Exposition& page) const;
  void append_hooks(Exposition& page) const;
  void append_store(Exposition& page) const;
  void append_stats(Exposition& page) const;
  void append_breakers(Exposition& page) const;

  // By place in the catalogue that ships; the last one is for all names that were added.
  std::unordered_map<std::string_view, std::size_t> places_;  // looked up only
  std::vector<Count> events_;
  Count duplicates_;
  Distribution<9> event_bytes_{kBytesBounds};
  Distribution<8> event_webhooks_{kWebhooksBounds};

  std::array<std::array<Count, kStatusClasses>, kOutcomes> attempts_;
  std::array<Count, kStates> ended_;  // by final state
  Distribution<18> first_latency_{kLatencyBounds};
  Distribution<18> retry_latency_{kLatencyBounds};
  Seconds attempt_seconds_{kSecondsBounds};
  Seconds dns_seconds_{kSecondsBounds};
  Seconds connect_seconds_{kSecondsBounds};
  Seconds tls_seconds_{kSecondsBounds};
  Seconds wait_seconds_{kSecondsBounds};
  Seconds transfer_seconds_{kSecondsBounds};

  Count hooks_continued_;
  Count hooks_denied_;
  std::array<Count, kOutcomes> hook_attempts_;

  Count mutations_;
  Distribution<12> commit_seconds_{kCommitBounds};
  Distribution<12> lag_seconds_{kCommitBounds};

  Level organizations_;
  Level webhooks_active_;
  Level webhooks_paused_;
  Level webhooks_disabled_;
  Level triggers_;
  Level pending_;
  Level in_flight_;
  Level delayed_;
  Level parked_;
  Level oldest_pending_seconds_;
  Level publishes_waiting_;
  Level hook_calls_;
  Level breakers_open_;
  Level breakers_half_open_;
  std::array<Level, 3> breaker_moves_;  // to open, half-open, closed
  std::atomic<std::int64_t> turned_at_{0};
};

}  // namespace triggerd::app::metrics
