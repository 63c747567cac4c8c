// The plain data that travels between the layers and into the store. No behaviour, no layout:
// store/codec draws the stored form, api/json_writer the wire form.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/time.h"
#include "engine/model/delivery_settings.h"
#include "engine/model/filter.h"

namespace triggerd::model {

using base::ApiKeyId;
using base::Duration;
using base::EventId;
using base::EventSeq;
using base::Generation;
using base::JobId;
using base::OrgId;
using base::WallTime;
using base::WebhookId;
using base::WebhookRef;

// A tenant.
struct Organization {
  OrgId id;
  std::string name;
  WallTime created_at;
  bool operator==(const Organization&) const = default;
};

// What a key may do; bits of ApiKey::scopes.
enum Scope : std::uint8_t { kScopePublish = 1, kScopeRead = 2, kScopeManage = 4 };
inline constexpr std::uint8_t kScopesAll = kScopePublish | kScopeRead | kScopeManage;

// HMAC-SHA-256 of the key text under the installation's pepper; the text itself is never kept.
using KeyDigest = std::array<std::uint8_t, 32>;

struct ApiKey {
  ApiKeyId id;
  OrgId org;
  std::string name;
  KeyDigest digest{};
  std::uint8_t scopes = kScopesAll;
  WallTime created_at;
  bool operator==(const ApiKey&) const = default;
};

// One header name with its values, in the order given.
struct Header {
  std::string name;
  std::vector<std::string> values;
  bool operator==(const Header&) const = default;
};

enum class WebhookState : std::uint8_t { kActive = 1, kPaused = 2, kDisabled = 3 };
enum class DisabledReason : std::uint8_t { kNone = 0, kByHand = 1, kGone = 2, kFailing = 3 };

// A target URL of an organization. Immutable once published: a change makes a new one, which holds
// from the next attempt on. Shared const between core and I/O threads.
struct Webhook {
  WebhookId id;
  OrgId org;
  WebhookRef ref;
  std::string name;
  std::string target_url;  // as given, shown and claimed verbatim; validated
  std::string description;
  std::vector<Header> custom_headers;
  Duration timeout{0};  // 0: the default of the call's kind
  WallTime created_at;
  WebhookState state = WebhookState::kActive;
  DisabledReason disabled_reason = DisabledReason::kNone;
  DeliverySettings delivery;
  std::vector<SigningSecret> secrets;  // newest first, at most kSigningSecretsMax
  // Since when every attempt has failed; the epoch: not so, or not for long (core/webhook_health).
  WallTime failing_since;
  bool operator==(const Webhook&) const = default;
};
using WebhookPtr = std::shared_ptr<const Webhook>;

enum class TriggerType : std::uint8_t { kEvent = 1, kSyncHook = 2 };

// Says that a webhook wants calls of this type and name. The pair is its identity.
struct Trigger {
  OrgId org;
  WebhookRef webhook;
  TriggerType type = TriggerType::kEvent;
  std::string name;
  Generation generation;
  std::optional<Filter> filter{};  // events that do not match it are not for this webhook
  bool operator==(const Trigger&) const = default;
};

// What an organization says of an event name: one that it added, or a schema for one built in.
struct EventType {
  OrgId org;
  std::string name;
  std::string description;
  std::string schema;  // JSON Schema of the publisher's content, as JSON text; empty: none
  WallTime created_at;
  bool operator==(const EventType&) const = default;
};

// Of a delivery that somebody asked for by hand: it needs no trigger.
inline constexpr Generation kNoTrigger{0};

// A webhook that matched when the event was accepted, with the generation of the trigger that
// matched: a trigger deleted and added again does not revive old deliveries.
struct Match {
  WebhookRef webhook;
  Generation generation;
  bool operator==(const Match&) const = default;
};

// An accepted fact. Immutable; `content` is shared by all its deliveries.
struct Event {
  EventSeq seq;
  EventId id;
  OrgId org;
  std::string name;
  WallTime accepted_at;
  WallTime timestamp;
  bool is_test = false;
  std::string ordering_key;
  std::string traceparent;
  // The attributes of these names when it came as a CloudEvent, so that it can go out as the same
  // one; empty otherwise.
  std::string source;
  std::string subject;
  // The whole `trigger_content` object as it is delivered: compact `"event_metadata":{…}` first,
  // then the publisher's own members byte for byte.
  std::string content;
  // Bytes of `content` up to the publisher's first own member (behind the comma, or the final '}').
  std::uint32_t own_members_at = 0;
  // Every webhook that matched at acceptance; the index in it names the delivery.
  std::vector<Match> matches;
  // kSyncHook: a call of a hook, kept for the delivery log. `name` is the hook's, `id` the subject
  // of its tokens; `content` is the caller's object as it came, without event_metadata. It has no
  // pending rows, and one attempt at each of its matches.
  TriggerType trigger_type = TriggerType::kEvent;
  bool operator==(const Event&) const = default;
};
using EventPtr = std::shared_ptr<const Event>;

// States of a delivery that are stored. READY and IN_FLIGHT are both kReady: nothing on the wire
// outlives the process.
enum class DeliveryState : std::uint8_t {
  kReady = 1,      // wants an attempt as soon as there is room
  kDelayed = 2,    // waits for `due`
  kDelivered = 3,  // a 2xx came
  kDead = 4,       // given up: attempts used up, or refused for good
  kCancelled = 5,  // webhook or trigger deleted, webhook disabled by hand
};
[[nodiscard]] inline bool is_final(DeliveryState state) {
  return state != DeliveryState::kReady && state != DeliveryState::kDelayed;
}

// One delivery in a pending row.
struct PendingEntry {
  WebhookRef webhook;
  Generation generation;
  DeliveryState state = DeliveryState::kReady;
  std::uint8_t attempts = 0;  // made so far
  // Of these, before it was given again by hand: its schedule of retries begins anew.
  std::uint8_t attempts_before = 0;
  WallTime due;  // kDelayed only
  // Nobody holds it in memory: it is found by its ParkedKey when its turn comes.
  bool parked = false;
  bool operator==(const PendingEntry&) const = default;
};

// Stored states of up to kPendingChunkEntries deliveries of one event: matches
// [chunk * kPendingChunkEntries, …). The row exists while one of them is not final.
struct PendingChunk {
  EventSeq seq;
  std::uint32_t chunk = 0;
  OrgId org;
  EventId event_id;
  std::string event_name;
  std::uint32_t matches_in_all = 0;
  WallTime accepted_at;
  std::string ordering_key;
  std::vector<PendingEntry> entries;
  bool operator==(const PendingChunk&) const = default;
};

// Where a parked delivery is found from: those of a webhook that were not tried yet in order of
// acceptance, those that wait for a later time in the order of it.
enum class ParkedKind : std::uint8_t { kFresh = 0, kDelayed = 1 };
struct ParkedKey {
  WebhookRef webhook;
  ParkedKind kind = ParkedKind::kFresh;
  WallTime due;  // kDelayed only; never before 1970
  EventSeq seq;
  auto operator<=>(const ParkedKey&) const = default;
};

// What an attempt came to. Not an error of ours: a fact about the receiver, stored and shown.
enum class OutcomeClass : std::uint8_t {
  kOk = 1,         // 2xx
  kHttpError = 2,  // any other status
  kTimeout = 3,
  kConnect = 4,    // refused, reset, unreachable
  kDns = 5,        // no address for the name
  kTls = 6,        // handshake or certificate
  kBlocked = 7,    // the address may not be called
  kProtocol = 8,   // the answer is not HTTP, or over a limit
  kCancelled = 9,  // by us: shutdown
  kBusy = 10,      // not started: no room on this I/O thread now; costs no attempt
  // Of sync hooks only:
  kBadAnswer = 11,    // 2xx, but the body is not a JSON object, or over a limit
  kDenied = 12,       // 403: the webhook's veto
  kBreakerOpen = 13,  // not called: it has failed too often of late
  kDisabled = 14,     // not called: the webhook was disabled by its failures
};
inline constexpr OutcomeClass kLastOutcomeClass = OutcomeClass::kDisabled;
// The word that the API and the log use: "ok", "http_error", "breaker_open", …
[[nodiscard]] std::string_view word_of(OutcomeClass kind);

// Microseconds; 0 where a phase did not happen (a reused connection has no connect).
struct PhaseTimings {
  std::uint32_t queue_us = 0;  // from the start by the engine until it went on the wire
  std::uint32_t dns_us = 0;
  std::uint32_t connect_us = 0;
  std::uint32_t tls_us = 0;
  std::uint32_t first_byte_us = 0;  // since it went on the wire, as is the total
  std::uint32_t total_us = 0;
  bool operator==(const PhaseTimings&) const = default;
};

// A member of a hook's answer: its name, unescaped, and its value as JSON text, byte for byte.
struct HookClaim {
  std::string name;
  std::string json;
  bool operator==(const HookClaim&) const = default;
};
// What a sync hook's receiver said.
struct HookAnswer {
  std::vector<HookClaim> claims;  // kOk; in the order sent, no name twice
  std::string reason;             // kDenied; empty when it gave none
  bool operator==(const HookAnswer&) const = default;
};
using HookAnswerPtr = std::shared_ptr<const HookAnswer>;

struct Outcome {
  OutcomeClass kind = OutcomeClass::kConnect;
  std::uint16_t http_status = 0;
  // From Retry-After with 429 or 503; at most kRetryAfterMax; negative when absent.
  Duration retry_after{-1};
  PhaseTimings timings;
  WallTime started_at;
  std::string detail;              // why it failed, for people; no addresses that policy hides
  std::string answer;              // at most kAnswerBytesKept
  std::uint32_t answer_bytes = 0;  // received in all, also what was not kept
  HookAnswerPtr hook{};            // sync hooks, kOk and kDenied; not stored
  bool operator==(const Outcome&) const = default;
};

// One row of the delivery log. The highest number of a delivery tells its state.
struct AttemptRecord {
  WebhookRef webhook;
  EventSeq seq;
  EventId event_id;
  // Of the event, so that lists need not read it.
  std::string event_name;
  TriggerType trigger_type = TriggerType::kEvent;
  WallTime accepted_at;
  std::uint16_t number = 1;  // 1 for the first; kNoAttempt for a state reached without one
  DeliveryState state_after = DeliveryState::kDelivered;
  WallTime due;  // of the next attempt; state_after == kDelayed only
  Outcome outcome;
  bool operator==(const AttemptRecord&) const = default;
};
// Sorts behind every real attempt: cancelled or dead without a further call.
inline constexpr std::uint16_t kNoAttempt = 0xffff;

enum class JobState : std::uint8_t {
  kRunning = 1,
  kFinished = 2,
  kCancelled = 3,
  kFailed = 4,  // `reason` says why it could not go on
};
// Bits of RecoverJob::states.
enum RecoverStates : std::uint8_t { kRecoverDead = 1, kRecoverCancelled = 2 };

// Gives deliveries of a webhook that are over again, oldest first. What it has done and how far it
// has come is written with the deliveries themselves, so that it goes on where it stopped.
struct RecoverJob {
  JobId id;
  OrgId org;
  WebhookRef webhook;
  WebhookId webhook_id;
  WallTime since;  // of events accepted at or after
  WallTime until;  // and before
  std::uint8_t states = kRecoverDead;
  std::uint32_t per_second = 0;  // deliveries, at most
  JobState state = JobState::kRunning;
  WallTime created_at;
  WallTime ended_at;  // unless it runs
  EventSeq position;  // everything up to it has been looked at
  std::uint64_t recovered = 0;
  std::uint64_t skipped = 0;  // could not be given again
  std::string reason;         // kFailed
  bool operator==(const RecoverJob&) const = default;
};

// A key that signs deliveries. `sealed_private_key` is ciphertext (store/secret_box).
struct SigningKey {
  std::string kid;
  WallTime created_at;
  WallTime active_from;  // signs from then on, until a later key does
  std::string public_x;  // base64url, 32 bytes
  std::string public_y;
  std::string sealed_private_key;
  bool operator==(const SigningKey&) const = default;
};

// Counters that must never run back, whatever was deleted.
struct Counters {
  WebhookRef next_webhook;
  Generation next_generation;
  EventSeq next_event;     // at least this; recovery takes the maximum with what it finds
  EventSeq first_pending;  // no pending row lies below: where a recovery scan may begin
  bool operator==(const Counters&) const = default;
};

}  // namespace triggerd::model
