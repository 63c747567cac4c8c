// Secrets of webhooks: who is to be signed for has one; a new one comes only by a first need or a
// rotation, which keeps the one before it for the overlap; there are never more than may be.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/checkers/checker.h"

namespace triggerd::sim {

class Secrets final : public Checker {
 public:
  explicit Secrets(const Scene& scene) : Checker(scene) {}
  void emitted(const Emitted& seen) override;
  void restarted(const Restarted& seen) override;

  [[nodiscard]] std::uint64_t rotated() const { return rotated_; }

 private:
  using Kept = std::vector<model::SigningSecret>;
  void check(const model::Webhook& webhook, base::Now now);
  void object(const model::Webhook& webhook, const char* what) {
    scene_.verdict.object("secrets", "webhook " + std::to_string(webhook.ref.value()) + " " + what);
  }

  std::map<model::WebhookRef, Kept> known_;  // as emitted so far
  std::uint64_t rotated_ = 0;
};

}  // namespace triggerd::sim
