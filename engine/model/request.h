// What the edges may ask of the engine, and what it answers. Requests arrive authorized: the
// organization in them is the caller's. Text of the caller is not yet validated (core/validate is).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/delivery_log.h"
#include "engine/model/limits.h"
#include "engine/model/network.h"
#include "engine/model/operations.h"
#include "engine/model/records.h"

namespace triggerd::model {

// --- Requests ---------------------------------------------------------------------------------

// Fields of a webhook as a client sent them; absent ones keep their value (PATCH) or take the
// default (POST).
struct WebhookDraft {
  std::optional<std::string> name;
  std::optional<std::string> target_url;
  std::optional<std::string> description;
  std::optional<std::string> timeout;  // Go duration text
  std::optional<std::vector<Header>> custom_headers;
  std::optional<DeliveryDraft> delivery;
  // What the edge could not read, "FIELD: …" each; such a field is absent. The core adds what it
  // finds in the others, so that one answer names them all.
  std::vector<base::Error> faults{};
};

struct CreateOrganization {
  std::optional<OrgId> id;  // minted when absent
  std::string name;
};
struct ListOrganizations {};
struct GetOrganization {
  OrgId org;
};
struct DeleteOrganization {
  OrgId org;
};
// The edge makes the key text and its digest; the engine never sees the text.
struct CreateApiKey {
  OrgId org;
  ApiKeyId id;
  std::string name;
  KeyDigest digest{};
  std::uint8_t scopes = kScopesAll;
};
struct ListApiKeys {
  OrgId org;
};
struct DeleteApiKey {
  OrgId org;
  ApiKeyId id;
};
// The edge makes and seals the key; `created_at` and `active_from` are the engine's to say.
struct RotateSigningKey {
  SigningKey key;
};
struct ListSigningKeys {};
// The keys by which receivers verify, whatever organization asks: all share them.
struct GetJwks {
  OrgId org;
  IpAddress client;  // client_network(); its requests for this organization are limited
};
struct CreateWebhook {
  OrgId org;
  WebhookDraft draft;
  // New keys, made at the edge, should the webhook need its first ones; always there with
  // `draft.delivery`.
  std::optional<SigningSecret> secret = std::nullopt;
};
struct ListWebhooks {
  OrgId org;
};
struct GetWebhook {
  OrgId org;
  WebhookId id;
};
struct PatchWebhook {
  OrgId org;
  WebhookId id;
  WebhookDraft draft;
  std::optional<SigningSecret> secret = std::nullopt;  // as with CreateWebhook
};
struct DeleteWebhook {
  OrgId org;
  WebhookId id;
};
// The edge makes the keys; `created_at` and `expires_at` are the engine's to say.
struct RotateSecret {
  OrgId org;
  WebhookId id;
  SigningSecret secret;
};
struct GetSecret {
  OrgId org;
  WebhookId id;
};
struct ListTriggers {
  OrgId org;
  WebhookId id;
};
// Safe to repeat. A trigger that is there takes the filter given, or none.
struct AddTrigger {
  OrgId org;
  WebhookId id;
  std::string type;
  std::string name;
  std::optional<Filter> filter{};
};
struct RemoveTrigger {
  OrgId org;
  WebhookId id;
  std::string type;
  std::string name;
};
// Which of these events, and of the newest `recent` stored ones of that name, would this filter (or
// the one in force) let through? The core finds the filter, app/filter_trial tries it.
struct TrialEvent {
  std::optional<EventId> id;  // of a stored event
  std::string name;           // empty: the trigger's
  std::string content;        // as delivered; given ones without event_metadata
};
struct TestTrigger {
  OrgId org;
  WebhookId id;
  std::string type;
  std::string name;
  std::optional<Filter> filter;
  std::vector<TrialEvent> events;
  std::uint32_t recent = 0;  // at most kTrialRecentMax
};

struct ListEventTypes {
  OrgId org;
};
struct GetEventType {
  OrgId org;
  std::string name;
};
// Adds the name, or puts description and schema in the place of what was said of it.
struct DefineEventType {
  OrgId org;
  std::string name;
  std::string description;
  std::string schema;  // the edge has seen that it is a schema; empty: none
};
struct RemoveEventType {
  OrgId org;
  std::string name;
};

// What is limited by rate; each kind has a limit of its own (EngineOptions::rates).
enum class RateKind : std::uint8_t {
  kTestEvents,       // of an organization
  kSdkClient,        // of a client
  kSdkOrganization,  // of an organization
};
inline constexpr std::size_t kRateKinds = 3;

// Tokens that a request takes of one rate, or else is refused with kRateLimited. The engine keeps
// the rates, so that they are exact however many I/O threads there are.
struct RateClaim {
  RateKind kind = RateKind::kTestEvents;
  OrgId org;         // zero where the kind does not go by it
  IpAddress client;  // client_network(); zero where the kind does not go by it
  std::uint32_t tokens = 1;
};

// One event to accept. The edge has minted what the client left out and built `content`
// (Event::content says how).
struct NewEvent {
  EventId id;
  bool id_from_client = false;  // only such an id can have been seen before
  std::string name;
  WallTime timestamp;
  bool is_test = false;
  std::string ordering_key;
  std::string traceparent;
  std::string content;
  std::uint32_t own_members_at = 0;
  std::string source;  // of a CloudEvent, as is `subject`
  std::string subject;
  // The content is ours (a synthetic test event): it is not held against the schema of its name.
  bool is_sample = false;
  // What filters of the organization look at; found by api/ingest_rules on the way in.
  Attributes attributes{};
  // What the edge could not read, or what the schema of the name objects to, "FIELD: …" each.
  std::vector<base::Error> edge_faults{};
};
// What a fault in one event means for the others of its request.
enum class Acceptance : std::uint8_t {
  kWhole,  // all are accepted, or none is and every fault is listed
  kEach,   // each by itself; its faults stand in its PublishedEvent
};
// Events that the edge minted the same id for are all accepted, on purpose: that is how a test
// event is delivered twice.
struct PublishEvents {
  OrgId org;
  std::vector<NewEvent> events;
  Acceptance acceptance = Acceptance::kWhole;
  // Above 0: the reply waits until the first attempt of each delivery is over, at most so long.
  // Never above kPublishWaitMax.
  Duration wait{0};
  // Of the rules (FilterPathsChanged, EventSchemaChanged) that the events have been through; 0: the
  // edge knew of none. An engine that has others gives the request back (StaleRules).
  std::uint64_t rules_version = 0;
  // Those of a client alone are taken before anything is looked at, the others once the request is
  // found good.
  std::vector<RateClaim> claims = {};
  // For this webhook alone, whatever its triggers are.
  std::optional<WebhookId> webhook{};
};

// Calls every webhook that has this sync hook, and answers when all have, or at the deadline. The
// edge has minted the id (the subject of the tokens) and seen that `content` is a JSON object.
struct CallHook {
  OrgId org;
  std::string name;
  EventId id;
  std::string content;
  std::string traceparent;
  // How long the caller waits, at most kHookWaitMax; 0: as long as the slowest webhook may take.
  Duration wait{0};
};

// Answered by the store's reader, not by the core.
struct GetEvent {
  OrgId org;
  EventId id;
};

// The newest events of an organization with this name, newest first; at most kTrialScanMax stored
// events are looked at. Answered like GetEvent.
struct ReadRecentEvents {
  OrgId org;
  std::string event_name;
  std::uint32_t count_max = 0;
};

// The delivery log, newest first. Answered like GetEvent.
struct ListLoggedDeliveries {
  OrgId org;
  WebhookId webhook;
  LogFilter filter{};
  std::optional<LogPosition> position{};  // of the page before; nothing: from the newest on
  std::uint32_t limit = kLogPageDefault;
};
struct ListLoggedEvents {
  OrgId org;
  LogFilter filter{};
  std::optional<LogPosition> position{};
  std::uint32_t limit = kLogPageDefault;
};
// The events of an organization behind a sequence, oldest first: a page for a live stream that
// catches up (model/feed.h). Answered like GetEvent.
struct ReadEventsAfter {
  OrgId org;
  EventSeq after;
};
// One delivery with all its attempts.
struct GetDelivery {
  OrgId org;
  WebhookId webhook;
  EventId event;
};

// The dead letters of an organization, newest first. Answered like GetEvent.
struct ListDeadLetters {
  OrgId org;
  std::optional<WebhookId> webhook{};
  LogFilter filter{};  // `status` is not looked at
  std::optional<DeadLetterPosition> position{};
  std::uint32_t limit = kLogPageDefault;
  bool with_events = false;  // the page ends past kExportPageBytes of contents
};

// --- Mending ---
// Deliver now: a delivery that waits for its retry becomes due, one that is over is given again.
struct RetryDelivery {
  OrgId org;
  WebhookId webhook;
  EventId event;
};
// Give up a delivery that is not over; with an ordering key, the next of its key follows.
struct SkipDelivery {
  OrgId org;
  WebhookId webhook;
  EventId event;
};
struct StartRecovery {
  OrgId org;
  WebhookId webhook;
  WallTime since;
  std::optional<WallTime> until{};  // now
  std::uint8_t states = kRecoverDead;
  std::uint32_t per_second = kRecoverPerSecondDefault;
};
struct ListJobs {
  OrgId org;
};
struct GetJob {
  OrgId org;
  JobId id;
};
struct CancelJob {
  OrgId org;
  JobId id;
};
// What is not delivered yet, by counters: in all, and by webhook in order of registration.
struct GetPending {
  OrgId org;
  WebhookRef after;  // webhooks behind this one
  std::uint32_t limit = kPendingPageMax;
};
// The ordering keys of a webhook behind whose first delivery others wait, most held up first.
struct ListOrderingKeys {
  OrgId org;
  WebhookId webhook;
};

using Request =
    std::variant<CreateOrganization, ListOrganizations, GetOrganization, DeleteOrganization,
                 CreateApiKey, ListApiKeys, DeleteApiKey, RotateSigningKey, ListSigningKeys,
                 GetJwks, CreateWebhook, ListWebhooks, GetWebhook, PatchWebhook, DeleteWebhook,
                 RotateSecret, GetSecret, ListTriggers, AddTrigger, RemoveTrigger, TestTrigger,
                 ListEventTypes, GetEventType, DefineEventType, RemoveEventType, PublishEvents,
                 CallHook, GetEvent, ReadRecentEvents, ListLoggedDeliveries, ListLoggedEvents,
                 GetDelivery, ReadEventsAfter, ListDeadLetters, RetryDelivery, SkipDelivery,
                 StartRecovery, ListJobs, GetJob, CancelJob, GetPending, ListOrderingKeys,
                 StartBackup, ListBackups, ReloadConfig>;

// --- Replies ----------------------------------------------------------------------------------

// Refused: one entry per fault found. `retry_after` with kRateLimited, kOverloaded, kUnavailable.
struct Refusal {
  std::vector<base::Error> faults;
  std::optional<Duration> retry_after;
};
struct Done {};          // nothing to show: deletes
struct TriggerAdded {};  // 201 {}
struct OrganizationReply {
  Organization organization;
};
struct OrganizationsReply {
  std::vector<Organization> organizations;
};
struct ApiKeyReply {
  ApiKey key;
};
struct ApiKeysReply {
  std::vector<ApiKey> keys;
};
enum class SigningKeyState : std::uint8_t {
  kWaiting,   // published, and not in use yet
  kActive,    // signs
  kRetiring,  // published for the tokens that it signed
};
struct SigningKeyView {
  std::string kid;
  WallTime created_at;
  WallTime active_from;
  SigningKeyState state = SigningKeyState::kActive;
  std::optional<WallTime> leaves_at;  // the JWKS, once a later key is known
};
struct SigningKeyReply {
  SigningKeyView key;
};
struct SigningKeysReply {
  std::vector<SigningKeyView> keys;  // in order of active_from
};
// What receivers verify with (CONTRACT B4.3).
struct VerificationKey {
  std::string kid;
  std::string x;  // base64url, 32 bytes
  std::string y;
};
struct JwksReply {
  std::vector<VerificationKey> keys;
};
struct WebhookReply {
  WebhookPtr webhook;
};
struct WebhooksReply {
  std::vector<WebhookPtr> webhooks;  // in order of registration
};
// The only reply that holds a secret.
struct SecretRotated {
  SigningSecret secret;
  std::optional<WallTime> previous_expires_at;
};
struct SecretReply {
  WallTime created_at;
  std::array<std::uint8_t, 32> ed25519_public{};
  std::optional<WallTime> previous_expires_at;  // while it is valid
};
struct TriggersReply {
  std::vector<Trigger> triggers;  // in order of registration
};
// What the first attempt of a delivery came to, for a request that waited for it.
struct FirstAttempt {
  WebhookId webhook;
  bool is_over = false;  // else it was still open when the wait ended
  OutcomeClass outcome = OutcomeClass::kCancelled;
  std::uint16_t http_status = 0;
};
// To app/backend: the filter that a TestTrigger is about. `none`: the trigger has no filter.
struct FilterToTry {
  std::optional<Filter> filter;
};
// Result of one event of a TestTrigger, in the order asked, stored ones (newest first) last.
struct TrialResult {
  std::optional<EventId> event_id;  // of a stored event
  std::string event_name;
  bool matches = false;
  std::string failed_field;  // the first field that did not match, as "a.b"
};
struct RecentEvents {
  std::vector<EventPtr> events;
};
struct TriggerTestReply {
  std::vector<TrialResult> results;
};
struct EventTypeView {
  EventType type;
  bool built_in = false;
};
struct EventTypeReply {
  EventTypeView event_type;
  bool created = false;
};
// Built-in ones in the order of the catalogue, then the others by name.
struct EventTypesReply {
  std::vector<EventTypeView> event_types;
};
// To app/backend: nothing of this was accepted, for it was prepared under rules that have changed.
// Comes after the change; to be prepared anew and asked again.
struct StaleRules {
  PublishEvents request;
};
struct PublishedEvent {
  EventId id;
  bool duplicate = false;
  std::uint32_t webhooks = 0;
  std::vector<FirstAttempt> deliveries{};  // of a reply that waited; one for each webhook
  std::vector<base::Error> faults{};       // Acceptance::kEach: not accepted, and why
};
struct PublishReply {
  std::vector<PublishedEvent> events;
  Duration waited_for{0};  // PublishEvents::wait, when it was granted
};
// What one webhook of a hook call came to.
struct HookWebhook {
  WebhookId webhook;
  OutcomeClass outcome = OutcomeClass::kOk;
  std::uint16_t http_status = 0;  // 0: there was no answer
  Duration duration{0};
  bool operator==(const HookWebhook&) const = default;
};
enum class HookDecision : std::uint8_t { kContinue, kDeny };
struct HookReply {
  HookDecision decision = HookDecision::kContinue;
  std::string reason;                  // of kDeny; never empty then
  std::vector<HookClaim> claims;       // merged; empty with kDeny
  std::vector<std::string> conflicts;  // claims that two webhooks gave different values
  std::vector<std::string> dropped;    // reserved claims that a webhook gave
  std::vector<HookWebhook> webhooks;   // in order of registration
  Duration waited_for{0};              // CallHook::wait
};
// One delivery of a stored event, as the delivery log knows it.
struct DeliveryView {
  WebhookId webhook;
  DeliveryState state = DeliveryState::kReady;
  std::uint16_t attempts = 0;
  std::optional<WallTime> next_attempt;
  std::optional<AttemptRecord> last_attempt;
};
struct EventReply {
  EventPtr event;
  std::vector<DeliveryView> deliveries;
};

// A page may be shorter than asked for, or empty, and still have a position to go on from: what is
// looked at for one page is bounded.
struct LoggedDeliveriesReply {
  WebhookId webhook;
  std::vector<LoggedDelivery> deliveries;
  std::optional<LogPosition> next;
};
struct LoggedEventsReply {
  std::vector<LoggedEvent> events;
  std::optional<LogPosition> next;
};
struct DeliveryReply {
  WebhookId webhook;
  LoggedDelivery delivery;
  std::vector<AttemptRecord> attempts;  // newest first
};

// `through`: every event up to it has been looked at. `newest`: of the store when it was read.
// Events up to `erased_before` may have been erased by retention.
struct EventsAfterReply {
  std::vector<EventPtr> events;
  EventSeq through;
  EventSeq newest;
  EventSeq erased_before;
};
struct DeadLettersReply {
  std::vector<DeadLetter> letters;
  std::optional<DeadLetterPosition> next;
};
// The delivery as it stands now: given again, or given up.
struct DeliveryMended {
  WebhookId webhook;
  EventId event;
  DeliveryState state = DeliveryState::kReady;
  std::uint16_t attempts = 0;  // made so far
};
struct JobReply {
  RecoverJob job;
};
struct JobsReply {
  std::vector<RecoverJob> jobs;  // newest first
};
// Deliveries that are not over. Every one is in exactly one of the parts.
struct PendingCounts {
  std::uint64_t pending = 0;
  std::uint64_t ready = 0;      // want an attempt as soon as there is room
  std::uint64_t in_flight = 0;  // on the wire
  std::uint64_t delayed = 0;    // wait for their next attempt
  std::uint64_t in_line = 0;    // behind another one of their ordering key
  std::uint64_t parked = 0;     // the webhook is paused, or its receiver is left alone for a while
  bool operator==(const PendingCounts&) const = default;
};
struct PendingOfOneWebhook {
  WebhookPtr webhook;
  PendingCounts counts;
};
struct PendingReply {
  PendingCounts counts;
  std::optional<WallTime> oldest_accepted_at;  // unless it was not found at once
  std::vector<PendingOfOneWebhook> webhooks;   // those with pending deliveries
  std::optional<WebhookRef> next;              // more follow behind this one
};
struct HeldKey {
  std::string key;
  EventId head;
  std::string event_name;
  WallTime accepted_at;
  std::uint16_t attempts = 0;
  std::optional<WallTime> next_attempt{};
  std::uint64_t waiting = 0;  // behind the head
};
struct OrderingKeysReply {
  WebhookId webhook;
  std::vector<HeldKey> keys;
  bool is_whole = true;  // false: there are more keys than were looked at or shown
};

using Reply = std::variant<
    Refusal, Done, TriggerAdded, OrganizationReply, OrganizationsReply, ApiKeyReply, ApiKeysReply,
    SigningKeyReply, SigningKeysReply, JwksReply, WebhookReply, WebhooksReply, SecretRotated,
    SecretReply, TriggersReply, FilterToTry, RecentEvents, TriggerTestReply, EventTypeReply,
    EventTypesReply, StaleRules, PublishReply, HookReply, EventReply, LoggedDeliveriesReply,
    LoggedEventsReply, DeliveryReply, EventsAfterReply, DeadLettersReply, DeliveryMended, JobReply,
    JobsReply, PendingReply, OrderingKeysReply, BackupReply, BackupsReply, ConfigReloaded>;

}  // namespace triggerd::model
