// Every limit of triggerd, in one place, with its reason. Defaults of CONTRACT A9 and of the
// design; those that an operator may change are copied into the options structs that start there.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace triggerd::model {

// --- What an organization may register -------------------------------------------------------
inline constexpr std::size_t kWebhooksPerOrgMax = 10'000;
inline constexpr std::size_t kTriggersPerWebhookMax = 256;
inline constexpr std::size_t kNameBytesMax = 256;
inline constexpr std::size_t kDescriptionBytesMax = std::size_t{2} * 1024;
inline constexpr std::size_t kUrlBytesMax = std::size_t{2} * 1024;
inline constexpr std::size_t kCustomHeadersMax = 32;
inline constexpr std::size_t kCustomHeaderBytesMax = std::size_t{8} * 1024;
inline constexpr std::chrono::nanoseconds kTimeoutMax = std::chrono::seconds(20);
inline constexpr std::chrono::nanoseconds kEventTimeoutDefault = std::chrono::seconds(10);
inline constexpr std::chrono::nanoseconds kSyncHookTimeoutDefault = std::chrono::seconds(2);
inline constexpr std::uint32_t kMaxInFlightMax = 1000;  // `delivery.max_in_flight`
// `delivery.rate`: from one call in 1000 s; at the top it never holds a receiver back.
inline constexpr std::uint32_t kDeliveryRateThousandthsMin = 1;
inline constexpr std::uint32_t kDeliveryRateThousandthsMax = 100'000'000;
inline constexpr std::uint32_t kDeliveryBurstMax = 100'000;
// The current one, and the one before it while receivers change over.
inline constexpr std::size_t kSigningSecretsMax = 2;
// A filter: its text, its paths, what it asks in all, and how deep "$or" may stand in "$or".
inline constexpr std::size_t kFilterBytesMax = std::size_t{16} * 1024;
inline constexpr std::size_t kFilterPathSegmentsMax = 16;
inline constexpr std::size_t kFilterFieldsMax = 100;
inline constexpr std::size_t kFilterTestsMax = 1000;  // values of lists count one each
inline constexpr std::size_t kFilterValueBytesMax = 1024;
inline constexpr std::size_t kFilterDepthMax = 8;
// Different paths of all filters of an organization: what is taken out of each of its events.
inline constexpr std::size_t kFilterPathsPerOrgMax = 256;
// Event names that an organization adds; a schema, its nesting, and all schemas together.
inline constexpr std::size_t kEventTypesPerOrgMax = 1000;
inline constexpr std::size_t kSchemaBytesMax = std::size_t{32} * 1024;
inline constexpr std::size_t kSchemaDepthMax = 32;
inline constexpr std::size_t kSchemaBytesPerOrgMax = std::size_t{1024} * 1024;
inline constexpr std::size_t kApiKeysPerOrgMax = 100;
inline constexpr std::size_t kOrganizationsMax = 1'000'000;

// --- Signing keys -----------------------------------------------------------------------------
// The longest life of a token: the key that signed it stays published at least so long.
inline constexpr std::chrono::nanoseconds kTokenLifeMax = std::chrono::seconds(1200);
// How long a new key is published before it signs, so that receivers that keep the JWKS have it.
inline constexpr std::chrono::nanoseconds kKeyPublishLeadDefault = std::chrono::hours(1);
inline constexpr std::chrono::nanoseconds kKeyPublishLeadMax = std::chrono::hours(24 * 7);
// Keys published at a time: one more rotation is refused until the oldest has left.
inline constexpr std::size_t kSigningKeysMax = 16;
// How long a webhook's previous secret signs beside the new one.
inline constexpr std::chrono::nanoseconds kSecretOverlapDefault = std::chrono::hours(24);
inline constexpr std::chrono::nanoseconds kSecretOverlapMax = std::chrono::hours(24 * 30);

// --- What one request may carry ---------------------------------------------------------------
inline constexpr std::size_t kBodyBytesMax = std::size_t{4} * 1024 * 1024;
inline constexpr std::size_t kEventContentBytesMax = std::size_t{256} * 1024;
inline constexpr std::size_t kEventsPerBatchMax = 1000;
// Test events are accepted twice where duplicates are asked for.
inline constexpr std::size_t kTestEventsPerRequestMax = kEventsPerBatchMax / 2;
// One event of an SDK: whoever sends it has no key.
inline constexpr std::size_t kSdkBodyBytesMax = std::size_t{64} * 1024;
inline constexpr std::size_t kJsonDepthMax = 64;
inline constexpr std::size_t kOrderingKeyBytesMax = 256;
// A dry run of a filter: events given, stored events tried, and stored events looked at for them.
inline constexpr std::size_t kTrialEventsMax = 100;
inline constexpr std::size_t kTrialRecentMax = 100;
inline constexpr std::size_t kTrialScanMax = 10'000;
// Attributes of a CloudEvent; `type` is an event name.
inline constexpr std::size_t kCloudEventIdBytesMax = std::size_t{1} * 1024;
inline constexpr std::size_t kCloudEventSourceBytesMax = std::size_t{2} * 1024;
inline constexpr std::size_t kCloudEventSubjectBytesMax = std::size_t{1} * 1024;
// How long a publisher may wait for first attempts (Prefer: wait=N).
inline constexpr std::chrono::nanoseconds kPublishWaitMax = std::chrono::seconds(20);

// --- A stream of events (NDJSON) ----------------------------------------------------------------
// One line: the content, and room for the members beside it.
inline constexpr std::size_t kStreamLineBytesMax = kEventContentBytesMax + std::size_t{16} * 1024;
// Lines that become one PublishEvents, and the bytes past which no further line joins them. A
// stream holds two such groups (one asked, one collected) and a line that is not complete.
inline constexpr std::size_t kStreamGroupLinesMax = 512;
inline constexpr std::size_t kStreamGroupBytesMax = std::size_t{256} * 1024;
// Streams of one I/O loop: together they hold about 200 MiB at most.
inline constexpr std::size_t kStreamsMax = 256;

// --- The live stream of events and outcomes
// ------------------------------------------------------- Open at a time, of one organization and
// in all: one more is answered 429 or 503.
inline constexpr std::size_t kLiveStreamsPerOrgMax = 32;
inline constexpr std::size_t kLiveStreamsMax = 256;
// What is kept of an organization's feed on an I/O loop that has streams of it: a client that is
// further behind reads events from the store again.
inline constexpr std::size_t kFeedMessagesMax = 4096;
inline constexpr std::size_t kFeedBytesMax = std::size_t{512} * 1024;
// One read of the store for one client; the last event may pass the bytes.
inline constexpr std::uint32_t kLivePageEventsMax = 256;
inline constexpr std::size_t kLivePageBytesMax = std::size_t{256} * 1024;
// What is written at a time; the next piece waits until the client has taken this one.
inline constexpr std::size_t kLivePieceBytes = std::size_t{64} * 1024;
// A quiet stream says something so often, so that nobody between takes it for dead.
inline constexpr std::chrono::nanoseconds kLiveCommentInterval = std::chrono::seconds(15);
// What a client is told to wait before it connects again.
inline constexpr std::chrono::nanoseconds kLiveReconnectAfter = std::chrono::seconds(2);
// Patterns of names in one request.
inline constexpr std::size_t kNamePatternsMax = 32;

// --- Rates at the door --------------------------------------------------------------------------
// A rate lets `burst` through at once and refills evenly. These are the defaults; CONTRACT B2
// states the first two.
struct DoorRate {
  std::uint32_t per_minute = 0;
  std::uint32_t burst = 0;
  bool operator==(const DoorRate&) const = default;
};
inline constexpr DoorRate kTestEventsRate{10, 50};  // events of an organization
inline constexpr DoorRate kJwksRate{30, 60};        // requests of a client for an organization
// A page load sends a handful of events; an office behind one address many of them.
inline constexpr DoorRate kSdkClientRate{300, 100};
inline constexpr DoorRate kSdkOrganizationRate{60'000, 5'000};
inline constexpr std::uint32_t kDoorPerMinuteMax = 100'000'000;
inline constexpr std::uint32_t kDoorBurstMax = 1'000'000;
// Callers whose rate is remembered, of one kind (core/rate_limit says who is forgotten past it).
inline constexpr std::size_t kDoorKeysMax = 100'000;

// --- Synchronous hooks --------------------------------------------------------------------------
// How long a caller may wait (Prefer: wait=N); it is also the longest timeout of a webhook.
inline constexpr std::chrono::nanoseconds kHookWaitMax = kTimeoutMax;
// Calls under way, in all and of one organization: one organization cannot take all.
inline constexpr std::size_t kHookCallsMax = 4096;
inline constexpr std::size_t kHookCallsPerOrgMax = 1024;
// Webhooks that one call goes to: the merge of their answers is one turn's work.
inline constexpr std::size_t kHookWebhooksPerCallMax = 64;
// Contents and answers that the calls under way hold in memory, together.
inline constexpr std::size_t kHookBytesHeldMax = std::size_t{256} * 1024 * 1024;
// Claims in one answer, and bytes of a veto's reason that are passed on.
inline constexpr std::size_t kHookClaimsMax = 256;
inline constexpr std::size_t kHookReasonBytesMax = 1024;
// Bytes of finished calls that wait for the delivery log; past it calls are not logged.
inline constexpr std::size_t kHookLogBytesWaitingMax = std::size_t{64} * 1024 * 1024;

// --- What the engine holds --------------------------------------------------------------------
// A publish whose events x matches pass this is refused: one turn must stay short.
inline constexpr std::size_t kMatchesPerRequestMax = 200'000;
// Values at one path of one event that filters look at; TooManyValues says what follows.
inline constexpr std::size_t kFilterValuesPerPathMax = 1000;
// Comparisons of one publish with filters; a publish that needs more is refused.
inline constexpr std::size_t kFilterStepsPerRequestMax = 10'000'000;
// How often a publish is prepared anew because the rules changed meanwhile.
inline constexpr std::uint32_t kStaleRulesRetriesMax = 8;
// Deliveries not yet delivered, dead or cancelled; past them publish answers 503.
inline constexpr std::size_t kPendingPerOrgMax = 5'000'000;
inline constexpr std::size_t kPendingMax = 10'000'000;
// Calls on the wire: of one webhook, of one destination host, and in all.
inline constexpr std::uint32_t kInFlightPerWebhookDefault = 64;
inline constexpr std::uint32_t kInFlightPerHostDefault = 64;
inline constexpr std::uint32_t kInFlightDefault = 4096;
// Bytes of event payloads kept in memory; above it the oldest are read again when needed.
inline constexpr std::size_t kPayloadCacheBytesDefault = std::size_t{32} * 1024 * 1024;
// Deliveries that wait in memory, about: the others are parked in the store (core/parking).
// Webhooks with a backlog share this; however many they are, each keeps the minimum of its own.
inline constexpr std::size_t kResidentDefault = 100'000;
inline constexpr std::uint32_t kResidentPerWebhookMin = 4;
// Of a webhook that wants order: those that wait behind another of their key.
inline constexpr std::uint32_t kResidentInLineMin = 1024;
// One read of parked deliveries: webhooks, deliveries of one of them and in all, and contents.
inline constexpr std::size_t kParkedLanesPerRead = 64;
inline constexpr std::uint32_t kParkedPerLaneRead = 512;
inline constexpr std::uint32_t kParkedPerRead = 1024;
inline constexpr std::size_t kParkedPageBytes = std::size_t{4} * 1024 * 1024;
// Event ids remembered in memory; older ones are looked up in the store.
inline constexpr std::size_t kDedupIdsDefault = 1'000'000;
inline constexpr std::chrono::nanoseconds kDedupWindow = std::chrono::hours(24);
// Requests that wait for a read or a commit.
inline constexpr std::size_t kWaitingRequestsMax = 100'000;
// Requests that wait for first attempts, and the deliveries they wait for (some 40 bytes each). One
// more is answered without waiting: it is a preference.
inline constexpr std::size_t kWaitingPublishesMax = 10'000;
inline constexpr std::size_t kWatchedDeliveriesMax = 1'000'000;

// --- What one call of the engine does at most; the rest follows in the next ones ----------------
inline constexpr std::size_t kStartsPerTurn = 1024;  // deliveries looked at in order to start them
inline constexpr std::size_t kDuePerTurn = 1024;     // delayed deliveries that became due
inline constexpr std::size_t kSweptPerTurn = 4096;   // deliveries looked at for being cancelled
// What a refused publisher is asked to wait.
inline constexpr std::chrono::nanoseconds kOverloadRetryAfter = std::chrono::seconds(1);
// A payload that could not be read is asked for again.
inline constexpr std::chrono::nanoseconds kReadRetryDelay = std::chrono::seconds(1);
// Of an event accepted by this very process, a payload that "is not there" is doubted so often.
inline constexpr std::uint32_t kReadRetriesMax = 8;
// Accepted events between two stored counters: how much a recovery scan may see in vain.
inline constexpr std::uint64_t kEventsPerCounters = 4096;

// --- Retries ----------------------------------------------------------------------------------
inline constexpr std::size_t kScheduleEntriesMax = 20;
inline constexpr std::chrono::nanoseconds kScheduleEntryMax = std::chrono::hours(72);
inline constexpr std::chrono::nanoseconds kRetryAfterMax = std::chrono::hours(24);
inline constexpr double kRetryJitterDefault = 0.2;
inline constexpr std::chrono::nanoseconds kDisableAfterDefault = std::chrono::hours(5 * 24);
inline constexpr std::chrono::nanoseconds kDisableAfterMax = std::chrono::hours(365 * 24);

// --- Receivers' answers -----------------------------------------------------------------------
inline constexpr std::size_t kAnswerBytesRead = std::size_t{64} * 1024;
inline constexpr std::size_t kAnswerBytesKept = std::size_t{4} * 1024;
inline constexpr std::size_t kAnswerHeaderBytesMax = std::size_t{64} * 1024;

// --- The delivery log -------------------------------------------------------------------------
// Lines of a page.
inline constexpr std::uint32_t kLogPageDefault = 50;
inline constexpr std::uint32_t kLogPageMax = 200;
// Stored rows looked at for one page, so that a filter that little passes does not read them all.
inline constexpr std::uint32_t kLogRowsLookedAtMax = 4000;

// --- Mending ----------------------------------------------------------------------------------
// Jobs of an organization that run at a time, and finished ones that are kept, for how long.
inline constexpr std::size_t kRunningJobsPerOrgMax = 8;
inline constexpr std::size_t kJobsKeptPerOrgMax = 50;
inline constexpr std::chrono::nanoseconds kJobsKeptFor = std::chrono::hours(7 * 24);
// Deliveries that a job gives again in a second.
inline constexpr std::uint32_t kRecoverPerSecondDefault = 100;
inline constexpr std::uint32_t kRecoverPerSecondMax = 10'000;
// One read of a job: deliveries, bytes of their events, and rows looked at for them.
inline constexpr std::uint32_t kRecoverPageMax = 64;
inline constexpr std::size_t kRecoverPageBytesMax = std::size_t{4} * 1024 * 1024;
inline constexpr std::uint32_t kRecoverRowsLookedAtMax = 1000;
// A job waits while its webhook has so many deliveries pending, and looks again after the pause.
inline constexpr std::uint64_t kRecoverPendingMax = 1000;
inline constexpr std::chrono::nanoseconds kRecoverPause = std::chrono::milliseconds(200);
// A read that failed is made again, so often in a row.
inline constexpr std::uint32_t kRecoverReadRetriesMax = 30;
// Deliveries that are looked up in order to be given again by hand.
inline constexpr std::size_t kMendingReadsMax = 1000;
// Attempts after which a delivery is not given again: their number must fit its row.
inline constexpr std::uint8_t kAttemptsToReopenMax = 200;
// A page of an export of dead letters ends past this.
inline constexpr std::size_t kExportPageBytes = std::size_t{4} * 1024 * 1024;
// Webhooks of a page of what is pending, and events looked at for the oldest one.
inline constexpr std::uint32_t kPendingPageMax = 200;
inline constexpr std::uint32_t kOldestLookedAtMax = 20'000;
// Ordering keys that are looked at in order to find those that are held up, and how many are shown.
inline constexpr std::uint32_t kOrderingKeysLookedAtMax = 100'000;
inline constexpr std::size_t kOrderingKeysShownMax = 100;
// Between two events that tell of the breaker of one webhook.
inline constexpr std::chrono::nanoseconds kBreakerEventInterval = std::chrono::minutes(1);

// --- Retention --------------------------------------------------------------------------------
inline constexpr std::chrono::nanoseconds kRetentionAgeDefault = std::chrono::hours(30 * 24);
inline constexpr std::chrono::nanoseconds kRetentionDeadLetterAgeDefault =
    std::chrono::hours(90 * 24);
// At least as long as an event id is remembered.
inline constexpr std::chrono::nanoseconds kRetentionAgeMin = std::chrono::hours(24);
inline constexpr std::chrono::nanoseconds kRetentionAgeMax = std::chrono::hours(10 * 365 * 24);
// Between two passes; between two pieces of a pass, and how many events one looks at.
inline constexpr std::chrono::nanoseconds kRetentionInterval = std::chrono::minutes(1);
inline constexpr std::chrono::nanoseconds kRetentionRest = std::chrono::milliseconds(20);
inline constexpr std::uint32_t kRetentionStepEvents = 256;

// --- Backups ----------------------------------------------------------------------------------
inline constexpr std::uint32_t kBackupsKeptDefault = 7;
inline constexpr std::uint32_t kBackupsKeptMax = 1000;

// --- Stored rows ------------------------------------------------------------------------------
// Matches whose delivery states share one stored row: a wide event does not rewrite all of itself
// for each outcome, and the outcomes of a turn usually share a row.
inline constexpr std::size_t kPendingChunkEntries = 64;

static_assert(kEventContentBytesMax < kBodyBytesMax, "one event fits into a request");
static_assert(kStreamGroupLinesMax <= kEventsPerBatchMax);
static_assert(kStreamGroupBytesMax + kStreamLineBytesMax <= kBodyBytesMax);
static_assert(kMatchesPerRequestMax <= kWatchedDeliveriesMax);
static_assert(kLiveStreamsPerOrgMax <= kLiveStreamsMax);
static_assert(kAnswerBytesKept <= kAnswerBytesRead);
static_assert(kRetentionAgeMin >= kDedupWindow, "an id is not forgotten before its time");
static_assert(kLogPageMax <= kLogRowsLookedAtMax);
static_assert(kAttemptsToReopenMax + kScheduleEntriesMax < 255);
static_assert(kHookCallsPerOrgMax <= kHookCallsMax);
static_assert(kMatchesPerRequestMax >= kWebhooksPerOrgMax, "one event may match every webhook");
static_assert(kInFlightPerWebhookDefault <= kInFlightDefault);
static_assert(kPendingPerOrgMax <= kPendingMax);
static_assert(kTestEventsRate.burst <= kTestEventsPerRequestMax,
              "a burst of test events fits a batch");

}  // namespace triggerd::model
