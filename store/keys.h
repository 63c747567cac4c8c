// Keys of stored rows: which column family, and which bytes. Integers are big-endian, so that the
// order of the bytes is the order of the numbers.
//
//   column      key                                              row (store/codec)
//   ---------   ----------------------------------------------   ---------------------------------
//   registry    'a' org[16] id[16]                               ApiKey
//               'e' org[16] name                                 EventType
//               'j' org[16] id[16]                               RecoverJob
//               'o' org[16]                                      Organization
//               's' kid                                          SigningKey
//               't' org[16] webhook[4] type[1] name              Trigger
//               'w' webhook[4]                                   WebhookRow
//               'x' org[16]                                      seq[8]: EraseLog
//   events      seq[8]                                           Event
//   event_ids   org[16] event id[16]                             EventRow
//   pending     seq[8] chunk[4]                                  PendingChunk
//   attempts    webhook[4] seq[8] number[2]                      AttemptRecord
//   org_events  org[16] seq[8]                                   EventSummary
//   parked      webhook[4] kind[1] due[8] seq[8]                 match[4]
//   finals      'w' webhook[4] state[1] seq[8]                   nothing
//               's' seq[8] state[1] webhook[4]                   nothing
//               'o' org[16] seq[8] webhook[4]                    nothing: dead letters alone
//   meta        "counters"                                       Counters
//               "format"                                         decimal digits, readable for ever
//               "key_check"                                      sealed text: is this the right
//                                                                key?
//               "retained_from"                                  seq[8]: retention has been there
//
// Events are keyed by sequence, not by the ids that clients choose: they are written in order.
// The attempts of one delivery lie together, the highest number last.
// `finals` finds what is rare among much: deliveries that are dead or cancelled, of a webhook and
// of an event, and dead letters of an organization.
// `parked` leads from a webhook to its pending deliveries that nobody holds in memory
// (model::ParkedKey; `due` in ns since 1970, 0 for fresh ones). Each of them is marked in its
// pending row, and has one row here. A change of any of this is a new format version
// (store/rocks_store).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/model/output.h"
#include "engine/model/records.h"

namespace triggerd::store {

// Column families, by name.
inline constexpr std::string_view kRegistryColumn = "registry";
inline constexpr std::string_view kEventsColumn = "events";
inline constexpr std::string_view kEventIdsColumn = "event_ids";
inline constexpr std::string_view kPendingColumn = "pending";
inline constexpr std::string_view kAttemptsColumn = "attempts";
inline constexpr std::string_view kOrgEventsColumn = "org_events";
inline constexpr std::string_view kParkedColumn = "parked";
inline constexpr std::string_view kFinalsColumn = "finals";
inline constexpr std::string_view kMetaColumn = "meta";

// Rows of the registry by kind: the first byte of the key.
inline constexpr char kApiKeyPrefix = 'a';
inline constexpr char kEventTypePrefix = 'e';
inline constexpr char kJobPrefix = 'j';
inline constexpr char kOrganizationPrefix = 'o';
inline constexpr char kSigningKeyPrefix = 's';
inline constexpr char kTriggerPrefix = 't';
inline constexpr char kWebhookPrefix = 'w';
inline constexpr char kErasurePrefix = 'x';

// Rows of finals by what they are found from.
inline constexpr char kFinalOfEventPrefix = 's';
inline constexpr char kFinalOfWebhookPrefix = 'w';
inline constexpr char kDeadOfOrgPrefix = 'o';

// Rows of meta.
inline constexpr std::string_view kCountersKey = "counters";
inline constexpr std::string_view kFormatKey = "format";
inline constexpr std::string_view kKeyCheckKey = "key_check";
inline constexpr std::string_view kRetainedFromKey = "retained_from";

[[nodiscard]] std::string organization_key(model::OrgId org);
[[nodiscard]] std::string api_key_key(model::OrgId org, model::ApiKeyId id);
[[nodiscard]] std::string webhook_key(model::WebhookRef webhook);
[[nodiscard]] std::string event_type_key(model::OrgId org, std::string_view name);
// Of the identity alone: organization, webhook, type, name.
[[nodiscard]] std::string trigger_key(const model::Trigger& trigger);
[[nodiscard]] std::string signing_key_key(std::string_view kid);
[[nodiscard]] std::string event_key(model::EventSeq seq);
[[nodiscard]] std::string event_id_key(model::OrgId org, model::EventId id);
[[nodiscard]] std::string pending_key(model::EventSeq seq, std::uint32_t chunk);
[[nodiscard]] std::string attempt_key(model::WebhookRef webhook, model::EventSeq seq,
                                      std::uint16_t number);
// Requires: `due` not before 1970, and none of a fresh one.
[[nodiscard]] std::string parked_key(const model::ParkedKey& parked);
// Behind every parked_key of this webhook and kind.
[[nodiscard]] std::string parked_end_key(model::WebhookRef webhook, model::ParkedKind kind);
[[nodiscard]] std::string parked_row(std::uint32_t match);

[[nodiscard]] std::string org_event_key(model::OrgId org, model::EventSeq seq);
[[nodiscard]] std::string final_of_webhook_key(model::WebhookRef webhook,
                                               model::DeliveryState state, model::EventSeq seq);
[[nodiscard]] std::string final_of_event_key(model::EventSeq seq, model::DeliveryState state,
                                             model::WebhookRef webhook);
[[nodiscard]] std::string dead_of_org_key(model::OrgId org, model::EventSeq seq,
                                          model::WebhookRef webhook);
[[nodiscard]] std::string erasure_key(model::OrgId org);
[[nodiscard]] std::string job_key(model::OrgId org, model::JobId id);

// Bytes of attempt_key that all attempts of one delivery share.
inline constexpr std::size_t kAttemptPrefixBytes = 4 + 8;
inline constexpr std::size_t kEventKeyBytes = 8;
inline constexpr std::size_t kParkedKeyBytes = 4 + 1 + 8 + 8;
inline constexpr std::size_t kOrgEventKeyBytes = 16 + 8;
inline constexpr std::size_t kFinalOfWebhookKeyBytes = 1 + 4 + 1 + 8;
inline constexpr std::size_t kFinalOfEventKeyBytes = 1 + 8 + 1 + 4;
inline constexpr std::size_t kDeadOfOrgKeyBytes = 1 + 16 + 8 + 4;

// The sequence in an event_key. Requires: kEventKeyBytes bytes.
[[nodiscard]] model::EventSeq event_seq_of(std::string_view key);
// The webhook at the end of a dead_of_org_key. Requires: 4 bytes.
[[nodiscard]] model::WebhookRef webhook_ref_of(std::string_view key);
// What a row of `parked` says; nothing: it has another form.
[[nodiscard]] std::optional<model::ParkedLoaded::Delivery> parked_of(std::string_view key,
                                                                     std::string_view row);

}  // namespace triggerd::store
