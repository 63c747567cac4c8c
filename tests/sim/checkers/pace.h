// No retry before its due time: the schedule (the webhook's own, or the engine's) minus its jitter,
// or Retry-After. And the caps on
// calls in flight, per destination host and in all, are never passed (those of a webhook:
// checkers/settings).
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/sim/checkers/checker.h"
#include "tests/sim/checkers/webhook_forms.h"
#include "tests/support/store_tables.h"

namespace triggerd::sim {

class Pace final : public Checker {
 public:
  explicit Pace(const Scene& scene) : Checker(scene) {}
  void handled(const Handled& seen) override;
  void emitted(const Emitted& seen) override;
  void released(const Released& seen) override;
  void finished(const Finished& seen) override;
  void restarted(const Restarted& seen) override;

 private:
  struct JustFinished {
    support::DeliveryKey key;
    std::uint8_t attempts = 0;
    base::Now at;
    model::Outcome outcome;
    base::WallTime due_min;
  };

  [[nodiscard]] bool is_mended(const model::StartAttempt& start) const;
  void find_due(JustFinished& finished);
  void check_stored_due(const model::PendingChunk& chunk, base::Now now);
  void object(std::string what) { scene_.verdict.object("pace", std::move(what)); }

  WebhookForms forms_;
  support::DeliveryMap<base::MonoTime> earliest_;
  std::vector<JustFinished> just_finished_;  // since the last output was taken
  std::map<std::string, std::uint32_t> of_host_;
  std::uint32_t in_all_ = 0;
  std::set<support::DeliveryKey> mended_;  // given again
  std::set<std::pair<model::WebhookId, model::EventId>> hurried_;
};

// scheme://host:port of a valid target URL.
[[nodiscard]] std::string origin_of(const std::string& target_url);

}  // namespace triggerd::sim
