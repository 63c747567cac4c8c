// Keys of stored rows: which column family, and which bytes. Integers are big-endian, so that the
// order of the bytes is the order of the numbers.
//
//   column      key                                              row (store/codec)
//   ---------   ----------------------------------------------   ---------------------------------
//   registry    'a' org[16] id[16]                               ApiKey
//               'e' org[16] name                                 EventType
//               'o' org[16]                                      Organization
//               's' kid                                          SigningKey
//               't' org[16] webhook[4] type[1] name              Trigger
//               'w' webhook[4]                                   WebhookRow
//   events      seq[8]                                           Event
//   event_ids   org[16] event id[16]                             EventRow
//   pending     seq[8] chunk[4]                                  PendingChunk
//   attempts    webhook[4] seq[8] number[2]                      AttemptRecord
//   meta        "counters"                                       Counters
//               "format"                                         decimal digits, readable for ever
//               "key_check"                                      sealed text: is this the right
//               key?
//
// Events are keyed by sequence, not by the ids that clients choose: they are written in order.
// The attempts of one delivery lie together, the highest number last.
// A change of any of this is a new format version (store/rocks_store).
#pragma once

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
inline constexpr std::string_view kMetaColumn = "meta";

// Rows of the registry by kind: the first byte of the key.
inline constexpr char kApiKeyPrefix = 'a';
inline constexpr char kEventTypePrefix = 'e';
inline constexpr char kOrganizationPrefix = 'o';
inline constexpr char kSigningKeyPrefix = 's';
inline constexpr char kTriggerPrefix = 't';
inline constexpr char kWebhookPrefix = 'w';

// Rows of meta.
inline constexpr std::string_view kCountersKey = "counters";
inline constexpr std::string_view kFormatKey = "format";
inline constexpr std::string_view kKeyCheckKey = "key_check";

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

// Bytes of attempt_key that all attempts of one delivery share.
inline constexpr std::size_t kAttemptPrefixBytes = 4 + 8;
inline constexpr std::size_t kEventKeyBytes = 8;

// The sequence in an event_key. Requires: kEventKeyBytes bytes.
[[nodiscard]] model::EventSeq event_seq_of(std::string_view key);

}  // namespace triggerd::store
