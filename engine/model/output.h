// What the core hands back: mutations to make durable, effects for the outside, reads it needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/ids.h"
#include "engine/model/records.h"
#include "engine/model/request.h"

namespace triggerd::model {

using base::AttemptId;
using base::BatchSeq;
using base::ReadId;
using base::RequestId;

// --- Mutations and batches --------------------------------------------------------------------

struct PutOrganization {
  Organization organization;
};
struct EraseOrganization {
  OrgId org;
};
struct PutApiKey {
  ApiKey key;
};
struct EraseApiKey {
  OrgId org;
  ApiKeyId id;
};
struct PutWebhook {
  WebhookPtr webhook;
};
struct EraseWebhook {
  OrgId org;
  WebhookRef ref;
};
struct PutTrigger {
  Trigger trigger;
};
struct EraseTrigger {
  Trigger trigger;  // identity: org, webhook, type, name
};
struct PutEventType {
  EventType type;
};
struct EraseEventType {
  OrgId org;
  std::string name;
};
// Stores the event, its content, and the index from (organization, event id) to its sequence.
struct PutEvent {
  EventPtr event;
};
struct PutPending {
  PendingChunk chunk;
};
struct ErasePending {
  EventSeq seq;
  std::uint32_t chunk = 0;
};
// Each goes with the PutPending of its delivery, in the same batch: a delivery has a ParkedKey if,
// and only if, its PendingEntry is `parked`.
struct PutParked {
  ParkedKey key;
  std::uint32_t match = 0;  // which of the event's
};
struct EraseParked {
  ParkedKey key;
};
struct PutAttempt {
  AttemptRecord attempt;
  OrgId org{};  // of the event; not part of the row
};
// A delivery that was over is wanted again, and stands in a pending row from now on: it is not
// listed by its final state any more. Goes before its PutPending.
struct ReopenDelivery {
  WebhookRef webhook;
  EventSeq seq;
  OrgId org{};
};
// The events of the organization before this sequence go, with all that is known of their
// deliveries: in the background, each once none of its deliveries is pending.
struct EraseLog {
  OrgId org;
  EventSeq before;
};
struct PutJob {
  RecoverJob job;
};
struct EraseJob {
  OrgId org;
  JobId id;
};
struct PutSigningKey {
  SigningKey key;
};
struct EraseSigningKey {
  std::string kid;
};
struct PutCounters {
  Counters counters;
};

using Mutation =
    std::variant<PutOrganization, EraseOrganization, PutApiKey, EraseApiKey, PutWebhook,
                 EraseWebhook, PutTrigger, EraseTrigger, PutEventType, EraseEventType, PutEvent,
                 PutPending, ErasePending, PutParked, EraseParked, PutAttempt, ReopenDelivery,
                 EraseLog, PutJob, EraseJob, PutSigningKey, EraseSigningKey, PutCounters>;

// Mutations that become durable together, in order. Self-contained and replayable.
struct Batch {
  BatchSeq seq;
  std::vector<Mutation> mutations;
};

// What a store gives back at recovery, in the order of Store::scan.
using Record = std::variant<Organization, ApiKey, EventType, Webhook, Trigger, RecoverJob,
                            PendingChunk, SigningKey, Counters>;

// --- Effects ----------------------------------------------------------------------------------

struct SendReply {
  RequestId request;
  Reply reply;
};

// Attempts of hooks have numbers of their own, so that whoever carries one can let it go first.
inline constexpr std::uint64_t kHookAttemptBit = std::uint64_t{1} << 63;
[[nodiscard]] inline AttemptId hook_attempt_id(std::uint64_t number) {
  return AttemptId(number | kHookAttemptBit);
}
[[nodiscard]] inline bool is_hook_attempt(AttemptId id) {
  return (id.value() & kHookAttemptBit) != 0;
}

// Make one call. The receiver of this effect answers with exactly one Outcome for `id`.
struct StartAttempt {
  AttemptId id;
  WebhookPtr webhook;
  EventPtr event;
  TriggerType trigger_type = TriggerType::kEvent;
  std::uint16_t number = 1;
  Duration timeout{0};  // whole exchange; never 0
  // Number of the destination (scheme, host, port) among those in use: small, the same for all
  // webhooks that share it, so that the I/O threads share the destinations out evenly.
  std::uint32_t destination = 0;
};
struct CancelAttempt {
  AttemptId id;
};

// What the I/O threads must know to authenticate; every one of them gets every change, in order,
// before the reply that reveals it.
struct ApiKeyAdded {
  ApiKey key;
};
struct ApiKeyRemoved {
  KeyDigest digest{};
};

// Every key that signs now or later, or signed lately, in order of active_from. Every I/O thread
// gets each change before the reply that reveals it.
struct SigningKeysChanged {
  std::vector<SigningKey> keys;
};

// What the I/O threads must do with events of an organization before they hand them in; told like
// keys. `rules_version` is what a PublishEvents carries that has been through this.
struct FilterPathsChanged {
  OrgId org;
  std::uint64_t rules_version = 0;
  std::vector<FilterPath> paths;  // an empty path is not in use; none at all: no filters
};
struct EventSchemaChanged {
  OrgId org;
  std::uint64_t rules_version = 0;
  std::string event_name;
  std::string schema;  // empty: none any more
};
// Told to every I/O thread.
using EdgeChange = std::variant<ApiKeyAdded, ApiKeyRemoved, FilterPathsChanged, EventSchemaChanged>;

using EffectKind = std::variant<SendReply, StartAttempt, CancelAttempt, ApiKeyAdded, ApiKeyRemoved,
                                FilterPathsChanged, EventSchemaChanged, SigningKeysChanged>;

// Leaves when batch `rests_on` is durable; 0 leaves at once.
struct Effect {
  BatchSeq rests_on;
  EffectKind what;
};

// --- Reads ------------------------------------------------------------------------------------

// The content of an event gone cold.
struct ReadEvent {
  EventSeq seq;
};
// Has this event id been accepted before? (older than the window in memory)
struct ReadEventId {
  OrgId org;
  EventId id;
};
// Deliveries that are parked in the store: the next ones of some webhooks, in the order of their
// keys, with their events as far as kParkedPageBytes go.
struct ReadParked {
  struct Lane {
    ParkedKey from;  // nothing of its webhook and kind is parked below
    WallTime until;  // kDelayed: those due by then
    std::uint32_t count_max = 0;
  };
  std::vector<Lane> lanes;
  EventSeq first_pending;  // nothing stored as pending lies below
};
// One delivery of an organization, with its event, to be given again.
struct ReadDelivery {
  OrgId org;
  WebhookRef webhook;
  EventId event;
};
// The next deliveries of a webhook that are over, oldest first; at most kRecoverPageBytesMax of
// contents, and kRecoverRowsLookedAtMax rows.
struct ReadFinals {
  OrgId org;
  WebhookRef webhook;
  EventSeq after;
  WallTime since;
  WallTime until;
  std::uint8_t states = 0;  // RecoverStates
  std::uint32_t count_max = 0;
};
struct Read {
  ReadId id;
  std::variant<ReadEvent, ReadEventId, ReadParked, ReadDelivery, ReadFinals> what;
  // To be made when this batch is durable, so that it sees what the engine knows; 0: at once.
  BatchSeq rests_on{};
};

// Answers, one for each Read.
struct EventLoaded {
  EventPtr event;  // null: not there (retention, corruption)
};
struct EventIdLoaded {
  bool found = false;
  WallTime accepted_at;
  std::uint32_t webhooks = 0;
};
struct ParkedLoaded {
  struct Delivery {
    ParkedKey key;
    std::uint32_t match = 0;
  };
  struct Lane {
    std::vector<Delivery> deliveries;
    std::optional<ParkedKey> next;  // the first of its webhook and kind behind them
  };
  std::vector<Lane> lanes;           // those asked for, in their order
  std::vector<PendingChunk> chunks;  // that hold the deliveries: each once, by (sequence, chunk)
  std::vector<EventPtr> events;      // of some of the deliveries, by sequence
  std::optional<EventSeq> first_pending;  // the lowest sequence with a pending row
};
struct DeliveryLoaded {
  std::optional<StoredDelivery> delivery;  // nothing: there is no such event, or not for it
};
struct FinalsLoaded {
  std::vector<StoredDelivery> deliveries;
  EventSeq position;    // everything up to it was looked at
  bool is_end = false;  // nothing follows
};
// The store could not answer; the core decides (refuse, retry).
struct ReadFailed {
  base::Error error;
};
using ReadAnswer = std::variant<EventLoaded, EventIdLoaded, ParkedLoaded, DeliveryLoaded,
                                FinalsLoaded, ReadFailed>;

struct Output {
  Batch batch;  // empty mutations: nothing to commit, seq is not used up
  std::vector<Effect> effects;
  std::vector<Read> reads;
};

}  // namespace triggerd::model
