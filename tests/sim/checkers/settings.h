// What a webhook asked for is kept: nothing is sent while it is paused or disabled, no more calls
// at once than max_in_flight, no more in any time than its rate, and of one ordering key only the
// first that is not over, in order of acceptance, across crashes too.
//
// A turn may change a webhook and start calls in any order: a start is held against every form the
// webhook had in its turn, and is wrong only when all forbid it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/checkers/checker.h"
#include "tests/support/store_tables.h"

namespace triggerd::sim {

class Settings final : public Checker {
 public:
  explicit Settings(const Scene& scene) : Checker(scene) {}
  void emitted(const Emitted& seen) override;
  void finished(const Finished& seen) override;
  void restarted(const Restarted& seen) override;

  // Starts that an ordering key was watched over, that followed another of their key, and starts
  // of webhooks with a rate.
  [[nodiscard]] std::uint64_t ordered() const { return ordered_; }
  [[nodiscard]] std::uint64_t rated() const { return rated_; }

 private:
  using Line = std::pair<model::WebhookRef, std::string>;

  void learn(const model::Mutation& mutation);
  void changed(const model::Webhook& now);
  void check_start(const model::StartAttempt& start, base::Now now);
  void check_rate(const model::StartAttempt& start, base::Now now);
  void check_order(const model::StartAttempt& start);
  [[nodiscard]] std::uint32_t bound_of(const model::Webhook& webhook) const {
    return webhook.delivery.max_in_flight.value_or(scene_.options.in_flight_per_webhook);
  }
  void object(std::string what) { scene_.verdict.object("settings", std::move(what)); }

  std::map<model::WebhookRef, model::WebhookPtr> webhooks_;
  std::map<model::WebhookRef, std::vector<model::WebhookPtr>> before_;  // other forms, this turn
  std::map<model::WebhookRef, std::uint32_t> in_flight_;
  std::map<model::WebhookRef, std::map<std::uint64_t, base::MonoTime>> taken_;  // by attempt
  std::map<Line, std::set<model::EventSeq>> open_;  // that entered a line and are not over
  std::map<support::DeliveryKey, std::string> key_of_;
  std::uint64_t ordered_ = 0;
  std::uint64_t rated_ = 0;
};

}  // namespace triggerd::sim
