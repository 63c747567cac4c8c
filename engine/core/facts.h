// What the parts of the engine find out, and an organization may want to hear of: core/outbox
// collects it, core/operational_events makes events of it. Plain data.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/model/records.h"

namespace triggerd::core {

enum class FactKind : std::uint8_t {
  kWebhookDisabled,
  kWebhookEnabled,
  kDeadLetter,     // its attempts were used up, or it was skipped; not those of a disabled webhook
  kBreakerOpened,  // the receiver is left alone for a while
  kBreakerClosed,
  kSecretRotated,
  kRecoverFinished,
};
inline constexpr std::size_t kFactKinds = 7;

struct Fact {
  FactKind kind = FactKind::kDeadLetter;
  model::OrgId org;
  model::WebhookRef webhook;
  // kDeadLetter:
  model::EventId event{};
  std::string event_name{};
  std::uint16_t attempts = 0;
  model::OutcomeClass outcome = model::OutcomeClass::kCancelled;
  std::uint16_t http_status = 0;
  std::string detail{};
  // kRecoverFinished:
  std::shared_ptr<const model::RecoverJob> job{};
};

}  // namespace triggerd::core
