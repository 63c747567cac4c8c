// The delivery log as clients read it: which lines are asked for, and what stands in one. Lists are
// newest first, in the order in which events were accepted (EventSeq).
//
// Times are those at which events were accepted. They rise with the sequence, but for a clock that
// was set back: a list that is cut by time may then leave out events that were accepted while the
// same time passed again; it never shows one from outside.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/records.h"

namespace triggerd::model {

enum class DeliveryStatus : std::uint8_t {
  kPending = 1,  // ready, in flight, or waiting for its next attempt
  kDelivered = 2,
  kDead = 3,
  kCancelled = 4,
};
[[nodiscard]] inline DeliveryStatus status_of(DeliveryState state) {
  switch (state) {
    case DeliveryState::kDelivered:
      return DeliveryStatus::kDelivered;
    case DeliveryState::kDead:
      return DeliveryStatus::kDead;
    case DeliveryState::kCancelled:
      return DeliveryStatus::kCancelled;
    case DeliveryState::kReady:
    case DeliveryState::kDelayed:
      break;
  }
  return DeliveryStatus::kPending;
}

// Which lines. Of events: those with a delivery of that status.
struct LogFilter {
  std::optional<DeliveryStatus> status{};
  std::string event_name{};         // empty: every name
  std::optional<WallTime> since{};  // at or after
  std::optional<WallTime> until{};  // before
  bool operator==(const LogFilter&) const = default;
};

// Where a list goes on: what stands below was not looked at. A position, not an offset: it stays
// right while new lines come in above it.
struct LogPosition {
  EventSeq before;
  EventSeq pending_before;  // at most `before`; there is no unattempted delivery between the two
  bool operator==(const LogPosition&) const = default;
};

// A delivery of one webhook.
struct LoggedDelivery {
  EventSeq seq;
  EventId event_id;
  std::string event_name;
  TriggerType trigger_type = TriggerType::kEvent;
  WallTime accepted_at;
  DeliveryState state = DeliveryState::kReady;
  std::uint16_t attempts = 0;
  std::optional<WallTime> next_attempt;
  std::optional<AttemptRecord> last_attempt;
  bool operator==(const LoggedDelivery&) const = default;
};

// A delivery as it is stored, with its event.
struct StoredDelivery {
  EventPtr event;
  std::uint32_t match = 0;  // which of the event's
  DeliveryState state = DeliveryState::kReady;
  std::uint16_t attempts = 0;
  std::optional<PendingChunk> row;  // the pending one that it shares, where there is one
};

// A delivery that was given up, of whichever webhook of an organization.
struct DeadLetter {
  WebhookRef webhook;
  WebhookId webhook_id;  // the store does not know it
  LoggedDelivery delivery;
  EventPtr event;  // when it was asked for, and is there still
};
// Where a list of them goes on: below this one, in the order of (sequence, webhook).
struct DeadLetterPosition {
  EventSeq seq;
  WebhookRef webhook;
  bool operator==(const DeadLetterPosition&) const = default;
};

// What a list of events shows of one, as it is stored beside it.
struct EventSummary {
  EventSeq seq;
  EventId id;
  OrgId org;
  std::string name;
  WallTime accepted_at;
  WallTime timestamp;
  bool is_test = false;
  TriggerType trigger_type = TriggerType::kEvent;
  std::uint32_t webhooks = 0;  // that matched
  bool operator==(const EventSummary&) const = default;
};
[[nodiscard]] inline EventSummary summary_of(const Event& event) {
  return {event.seq,     event.id,           event.org,
          event.name,    event.accepted_at,  event.timestamp,
          event.is_test, event.trigger_type, static_cast<std::uint32_t>(event.matches.size())};
}

// The deliveries of one event, by status.
struct DeliveryCounts {
  std::uint32_t pending = 0;
  std::uint32_t delivered = 0;
  std::uint32_t dead = 0;
  std::uint32_t cancelled = 0;
  bool operator==(const DeliveryCounts&) const = default;
};
struct LoggedEvent {
  EventSummary event;
  DeliveryCounts deliveries;
  bool operator==(const LoggedEvent&) const = default;
};

// The deliveries of a webhook that are not over, as of the batches that the engine has given out.
struct PendingOfWebhook {
  std::uint64_t count = 0;
  EventSeq newest;  // no delivery accepted by then is newer
  EventSeq oldest;  // below it nothing is pending, of whoever
};

}  // namespace triggerd::model
