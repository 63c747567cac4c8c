#include "store/codec.h"

#include <xxhash.h>

#include <type_traits>

#include "engine/base/assert.h"
#include "engine/model/limits.h"
#include "store/row_bytes.h"

namespace triggerd::store {
namespace {

static_assert(kRowTextBytesMax >= model::kNameBytesMax);
static_assert(kRowTextBytesMax >= model::kUrlBytesMax);
static_assert(kRowTextBytesMax >= model::kDescriptionBytesMax);
static_assert(kRowTextBytesMax >= model::kOrderingKeyBytesMax);
static_assert(kRowTextBytesMax >= model::kCloudEventSourceBytesMax);
static_assert(kRowTextBytesMax >= model::kCloudEventSubjectBytesMax);
static_assert(kRowTextBytesMax >= model::kAnswerBytesRead);
static_assert(kRowTextBytesMax >= 2 * model::kCustomHeaderBytesMax, "sealed, with its lengths");
static_assert(kRowContentBytesMax >= model::kBodyBytesMax);
static_assert(kRowListMax >= model::kPendingChunkEntries);
static_assert(kRowListMax >= model::kCustomHeadersMax);
static_assert(kRowListMax >= model::kFilterTestsMax);
static_assert(kRowTextBytesMax >= model::kFilterBytesMax);
static_assert(kRowTextBytesMax >= model::kSchemaBytesMax);
static_assert(kRowFilterDepthMax >= model::kFilterDepthMax);
static_assert(kRowMatchesMax >= model::kMatchesPerRequestMax);

// Each fields() names the body of one row, once for both directions: `row` is a RowWriter with a
// const record, or a RowReader.
template <class Record, class T>
concept is_a = std::is_same_v<std::remove_const_t<Record>, T>;

//   Organization:  id uuid | name text | created_at time
constexpr std::uint8_t kind_of(const model::Organization*) {
  return 1;
}
template <class Row, is_a<model::Organization> Record>
void fields(Row& row, Record& organization) {
  row.uuid(organization.id);
  row.text(organization.name, kRowTextBytesMax);
  row.time(organization.created_at);
}

//   ApiKey:  id uuid | org uuid | name text | digest 32 bytes | scopes byte | created_at time
constexpr std::uint8_t kind_of(const model::ApiKey*) {
  return 2;
}
template <class Row, is_a<model::ApiKey> Record>
void fields(Row& row, Record& key) {
  row.uuid(key.id);
  row.uuid(key.org);
  row.text(key.name, kRowTextBytesMax);
  row.bytes(key.digest);
  row.byte(key.scopes);
  row.time(key.created_at);
}

//   WebhookRow:  id uuid | org uuid | ref number | name text | target_url text | description text |
//                sealed text | timeout signed (ns) | created_at time | state byte |
//                disabled_reason byte | failing_since time | settings
//   settings:    schedule list? of signed (ns) | rate? (thousandths number, burst number) |
//                max_in_flight number? | format byte? | signatures byte? | ordering byte? |
//                on_failure byte?
constexpr std::uint8_t kind_of(const WebhookRow*) {
  return 3;
}
template <class Row, is_a<model::DeliverySettings> Settings>
void settings_fields(Row& row, Settings& settings) {
  row.optional(settings.schedule, [](Row& in, auto& schedule) {
    in.list(schedule, kRowListMax, [](Row& each, auto& delay) { each.duration(delay); });
  });
  row.optional(settings.rate, [](Row& in, auto& rate) {
    in.number(rate.per_second_thousandths);
    in.number(rate.burst);
  });
  row.optional(settings.max_in_flight, [](Row& in, auto& value) { in.number(value); });
  row.optional(settings.format, [](Row& in, auto& value) {
    in.enumerator(value, model::DeliveryFormat::kJwt, model::DeliveryFormat::kCloudEventsBinary);
  });
  row.optional(settings.signatures, [](Row& in, auto& value) { in.byte(value); });
  row.optional(settings.ordering, [](Row& in, auto& value) {
    in.enumerator(value, model::Ordering::kNone, model::Ordering::kKey);
  });
  row.optional(settings.on_failure, [](Row& in, auto& value) {
    in.enumerator(value, model::OnFailure::kOpen, model::OnFailure::kClosed);
  });
}
template <class Row, is_a<WebhookRow> Record>
void fields(Row& row, Record& stored) {
  auto& webhook = stored.webhook;
  row.uuid(webhook.id);
  row.uuid(webhook.org);
  row.number(webhook.ref);
  row.text(webhook.name, kRowTextBytesMax);
  row.text(webhook.target_url, kRowTextBytesMax);
  row.text(webhook.description, kRowTextBytesMax);
  row.text(stored.sealed, kRowTextBytesMax);
  row.duration(webhook.timeout);
  row.time(webhook.created_at);
  row.enumerator(webhook.state, model::WebhookState::kActive, model::WebhookState::kDisabled);
  row.enumerator(webhook.disabled_reason, model::DisabledReason::kNone,
                 model::DisabledReason::kFailing);
  row.time(webhook.failing_since);
  settings_fields(row, webhook.delivery);
}

// The parts of a filter (engine/model/filter.h).
//
//   scalar:  choice of null () | boolean flag | integer signed | number real | string text
template <class Row, is_a<model::FilterScalar> Scalar>
void fields(Row& row, Scalar& scalar) {
  row.choice(scalar, [](Row& in, auto& value) {
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, bool>) in.flag(value);
    if constexpr (std::is_same_v<Value, std::int64_t>) in.signed_number(value);
    if constexpr (std::is_same_v<Value, double>) in.real(value);
    if constexpr (std::is_same_v<Value, std::string>) in.text(value, kRowTextBytesMax);
  });
}

template <class Row, class Texts>
void text_list(Row& row, Texts& texts) {
  row.list(texts, kRowListMax, [](Row& in, auto& text) { in.text(text, kRowTextBytesMax); });
}

//   test:  choice of exact scalar | prefix text | suffix text |
//          anything-but (values list of scalar, prefixes list of text, suffixes list of text) |
//          exists flag | numeric list of (operator byte, scalar) |
//          cidr (v4 flag, address 16 bytes, prefix_bits number)
template <class Row, is_a<model::FilterTest> Test>
void fields(Row& row, Test& test) {
  row.choice(test, [](Row& in, auto& kind) {
    using Kind = std::remove_cvref_t<decltype(kind)>;
    const auto scalars = [](Row& each, auto& scalar) { fields(each, scalar); };
    if constexpr (std::is_same_v<Kind, model::ExactTest>) fields(in, kind.value);
    if constexpr (std::is_same_v<Kind, model::PrefixTest>) in.text(kind.prefix, kRowTextBytesMax);
    if constexpr (std::is_same_v<Kind, model::SuffixTest>) in.text(kind.suffix, kRowTextBytesMax);
    if constexpr (std::is_same_v<Kind, model::AnythingButTest>) {
      in.list(kind.values, kRowListMax, scalars);
      text_list(in, kind.prefixes);
      text_list(in, kind.suffixes);
    }
    if constexpr (std::is_same_v<Kind, model::ExistsTest>) in.flag(kind.exists);
    if constexpr (std::is_same_v<Kind, model::NumericTest>) {
      in.list(kind.bounds, kRowListMax, [](Row& each, auto& bound) {
        each.enumerator(bound.op, model::NumericOperator::kEqual,
                        model::NumericOperator::kGreaterOrEqual);
        fields(each, bound.number);
      });
    }
    if constexpr (std::is_same_v<Kind, model::CidrTest>) {
      in.flag(kind.network.address.v4);
      in.bytes(kind.network.address.bytes);
      in.number(kind.network.prefix_bits);
      in.refuse_unless(kind.network.prefix_bits <= (kind.network.address.v4 ? 32U : 128U));
    }
  });
}

//   group:  fields list of (path list of text, tests list of test) | any_of list of list of group
template <class Row, class Group>
void filter_group(Row& row, Group& group, std::size_t depth) {
  row.refuse_unless(depth <= kRowFilterDepthMax);
  row.list(group.fields, kRowListMax, [](Row& in, auto& field) {
    text_list(in, field.path);
    in.list(field.tests, kRowListMax, [](Row& each, auto& test) { fields(each, test); });
  });
  row.list(group.any_of, kRowListMax, [depth](Row& in, auto& groups) {
    in.list(groups, kRowListMax,
            [depth](Row& each, auto& inner) { filter_group(each, inner, depth + 1); });
  });
}

//   Trigger:  org uuid | webhook number | type byte | name text | generation number |
//             filter (text, group)?
constexpr std::uint8_t kind_of(const model::Trigger*) {
  return 4;
}
template <class Row, is_a<model::Trigger> Record>
void fields(Row& row, Record& trigger) {
  row.uuid(trigger.org);
  row.number(trigger.webhook);
  row.enumerator(trigger.type, model::TriggerType::kEvent, model::TriggerType::kSyncHook);
  row.text(trigger.name, kRowTextBytesMax);
  row.number(trigger.generation);
  row.optional(trigger.filter, [](Row& in, auto& filter) {
    in.text(filter.text, kRowTextBytesMax);
    filter_group(in, filter.root, 0);
  });
}

//   Event:  seq number | id uuid | org uuid | name text | accepted_at time | timestamp time |
//           is_test flag | ordering_key text | traceparent text | source text |
//           subject text | own_members_at number |
//           trigger_type byte | matches list of (webhook number, generation number) |
//           content text, as it is delivered
constexpr std::uint8_t kind_of(const model::Event*) {
  return 5;
}
template <class Row, is_a<model::Event> Record>
void fields(Row& row, Record& event) {
  row.number(event.seq);
  row.uuid(event.id);
  row.uuid(event.org);
  row.text(event.name, kRowTextBytesMax);
  row.time(event.accepted_at);
  row.time(event.timestamp);
  row.flag(event.is_test);
  row.text(event.ordering_key, kRowTextBytesMax);
  row.text(event.traceparent, kRowTextBytesMax);
  row.text(event.source, kRowTextBytesMax);
  row.text(event.subject, kRowTextBytesMax);
  row.number(event.own_members_at);
  row.enumerator(event.trigger_type, model::TriggerType::kEvent, model::TriggerType::kSyncHook);
  row.list(event.matches, kRowMatchesMax, [](Row& in, auto& match) {
    in.number(match.webhook);
    in.number(match.generation);
  });
  row.text(event.content, kRowContentBytesMax);
}

//   PendingChunk:  seq number | chunk number | org uuid | event_id uuid | event_name text |
//                  matches_in_all number | accepted_at time | ordering_key text |
//                  entries list of (webhook number, generation number,
//                                   state byte (its high bit: parked), attempts byte,
//                                   attempts_before byte,
//                                   due signed (ns since 1970; most are 0, one byte))
constexpr std::uint8_t kind_of(const model::PendingChunk*) {
  return 6;
}
template <class Row, is_a<model::PendingChunk> Record>
void fields(Row& row, Record& pending) {
  row.number(pending.seq);
  row.number(pending.chunk);
  row.uuid(pending.org);
  row.uuid(pending.event_id);
  row.text(pending.event_name, kRowTextBytesMax);
  row.number(pending.matches_in_all);
  row.time(pending.accepted_at);
  row.text(pending.ordering_key, kRowTextBytesMax);
  row.list(pending.entries, kRowListMax, [](Row& in, auto& entry) {
    in.number(entry.webhook);
    in.number(entry.generation);
    in.flagged_enumerator(entry.state, model::DeliveryState::kReady,
                          model::DeliveryState::kCancelled, entry.parked);
    in.refuse_unless(!entry.parked || !model::is_final(entry.state));
    in.byte(entry.attempts);
    in.byte(entry.attempts_before);
    in.due(entry.due);
  });
}

//   AttemptRecord:  webhook number | seq number | event_id uuid | event_name text |
//                   trigger_type byte | accepted_at time | number number | state_after byte |
//                   due signed | outcome kind byte | http_status number | retry_after signed (ns) |
//                   queue_us, dns_us, connect_us, tls_us, first_byte_us, total_us numbers |
//                   started_at time | detail text | answer text | answer_bytes number
constexpr std::uint8_t kind_of(const model::AttemptRecord*) {
  return 7;
}
template <class Row, is_a<model::AttemptRecord> Record>
void fields(Row& row, Record& attempt) {
  row.number(attempt.webhook);
  row.number(attempt.seq);
  row.uuid(attempt.event_id);
  row.text(attempt.event_name, kRowTextBytesMax);
  row.enumerator(attempt.trigger_type, model::TriggerType::kEvent, model::TriggerType::kSyncHook);
  row.time(attempt.accepted_at);
  row.number(attempt.number);
  row.enumerator(attempt.state_after, model::DeliveryState::kReady,
                 model::DeliveryState::kCancelled);
  row.due(attempt.due);
  auto& outcome = attempt.outcome;
  row.enumerator(outcome.kind, model::OutcomeClass::kOk, model::kLastOutcomeClass);
  row.number(outcome.http_status);
  row.duration(outcome.retry_after);
  row.number(outcome.timings.queue_us);
  row.number(outcome.timings.dns_us);
  row.number(outcome.timings.connect_us);
  row.number(outcome.timings.tls_us);
  row.number(outcome.timings.first_byte_us);
  row.number(outcome.timings.total_us);
  row.time(outcome.started_at);
  row.text(outcome.detail, kRowTextBytesMax);
  row.text(outcome.answer, kRowTextBytesMax);
  row.number(outcome.answer_bytes);
}

//   SigningKey:  kid text | created_at time | active_from time | public_x text | public_y text |
//                sealed_private_key text
constexpr std::uint8_t kind_of(const model::SigningKey*) {
  return 8;
}
template <class Row, is_a<model::SigningKey> Record>
void fields(Row& row, Record& key) {
  row.text(key.kid, kRowTextBytesMax);
  row.time(key.created_at);
  row.time(key.active_from);
  row.text(key.public_x, kRowTextBytesMax);
  row.text(key.public_y, kRowTextBytesMax);
  row.text(key.sealed_private_key, kRowTextBytesMax);
}

//   Counters:  next_webhook number | next_generation number | next_event number |
//              first_pending number
constexpr std::uint8_t kind_of(const model::Counters*) {
  return 9;
}
template <class Row, is_a<model::Counters> Record>
void fields(Row& row, Record& counters) {
  row.number(counters.next_webhook);
  row.number(counters.next_generation);
  row.number(counters.next_event);
  row.number(counters.first_pending);
}

//   EventRow:  seq number | accepted_at time | matches number
constexpr std::uint8_t kind_of(const EventRow*) {
  return 10;
}
template <class Row, is_a<EventRow> Record>
void fields(Row& row, Record& event) {
  row.number(event.seq);
  row.time(event.accepted_at);
  row.number(event.matches);
}

//   WebhookSecrets:  list of (name text, values list of text) | list of (hmac_key 32 bytes,
//                    ed25519_seed 32 bytes, ed25519_public 32 bytes, created_at time,
//                    expires_at time); sealed before it is stored
constexpr std::uint8_t kind_of(const WebhookSecrets*) {
  return 11;
}
template <class Row, is_a<WebhookSecrets> Record>
void fields(Row& row, Record& secrets) {
  row.list(secrets.headers, kRowListMax, [](Row& in, auto& header) {
    in.text(header.name, kRowTextBytesMax);
    in.list(header.values, kRowListMax,
            [](Row& each, auto& value) { each.text(value, kRowTextBytesMax); });
  });
  row.list(secrets.signing, kRowListMax, [](Row& in, auto& secret) {
    in.bytes(secret.hmac_key);
    in.bytes(secret.ed25519_seed);
    in.bytes(secret.ed25519_public);
    in.time(secret.created_at);
    in.time(secret.expires_at);
  });
}

//   EventType:  org uuid | name text | description text | schema text | created_at time
constexpr std::uint8_t kind_of(const model::EventType*) {
  return 12;
}
template <class Row, is_a<model::EventType> Record>
void fields(Row& row, Record& type) {
  row.uuid(type.org);
  row.text(type.name, kRowTextBytesMax);
  row.text(type.description, kRowTextBytesMax);
  row.text(type.schema, kRowTextBytesMax);
  row.time(type.created_at);
}

//   EventSummary:  seq number | id uuid | org uuid | name text | accepted_at time |
//                  timestamp time | is_test flag | trigger_type byte | webhooks number
constexpr std::uint8_t kind_of(const model::EventSummary*) {
  return 13;
}
template <class Row, is_a<model::EventSummary> Record>
void fields(Row& row, Record& event) {
  row.number(event.seq);
  row.uuid(event.id);
  row.uuid(event.org);
  row.text(event.name, kRowTextBytesMax);
  row.time(event.accepted_at);
  row.time(event.timestamp);
  row.flag(event.is_test);
  row.enumerator(event.trigger_type, model::TriggerType::kEvent, model::TriggerType::kSyncHook);
  row.number(event.webhooks);
}

//   RecoverJob:  id uuid | org uuid | webhook number | webhook_id uuid | since time | until time |
//                states byte | per_second number | state byte | created_at time | ended_at time |
//                position number | recovered number | skipped number | reason text
constexpr std::uint8_t kind_of(const model::RecoverJob*) {
  return 14;
}
template <class Row, is_a<model::RecoverJob> Record>
void fields(Row& row, Record& job) {
  row.uuid(job.id);
  row.uuid(job.org);
  row.number(job.webhook);
  row.uuid(job.webhook_id);
  row.time(job.since);
  row.time(job.until);
  row.byte(job.states);
  row.number(job.per_second);
  row.enumerator(job.state, model::JobState::kRunning, model::JobState::kFailed);
  row.time(job.created_at);
  row.time(job.ended_at);
  row.number(job.position);
  row.number(job.recovered);
  row.number(job.skipped);
  row.text(job.reason, kRowTextBytesMax);
}

constexpr std::size_t kChecksumBytes = 8;

std::uint64_t stored_checksum(std::string_view row) {
  std::uint64_t value = 0;
  const std::string_view bytes = row.substr(row.size() - kChecksumBytes);
  for (std::size_t i = 0; i < kChecksumBytes; ++i) {
    value |= std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << (8 * i);
  }
  return value;
}

constexpr const char* kKindNames[] = {
    "",         "organization",    "API key",    "webhook",       "trigger",
    "event",    "pending",         "attempt",    "signing key",   "counters",
    "event id", "webhook secrets", "event type", "event summary", "job"};

base::Error corrupt(std::uint8_t kind, std::string fault) {
  return {base::ErrorCode::kCorrupt,
          std::string("stored row (") + kKindNames[kind] + "): " + std::move(fault)};
}

}  // namespace

template <class Record>
void encode(const Record& record, std::string& out) {
  out.clear();
  out.push_back(static_cast<char>(kRowVersion));
  out.push_back(static_cast<char>(kind_of(&record)));
  RowWriter writer(out);
  fields(writer, record);
  const std::uint64_t checksum = XXH3_64bits(out.data(), out.size());
  for (std::size_t i = 0; i < kChecksumBytes; ++i) {
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(checksum >> (8 * i))));
  }
}

template <class Record>
base::Result<Record> decode(std::string_view row) {
  Record record;
  const std::uint8_t kind = kind_of(&record);
  if (row.size() < kRowFrameBytes) return corrupt(kind, "shorter than its frame");
  const std::string_view summed = row.substr(0, row.size() - kChecksumBytes);
  if (XXH3_64bits(summed.data(), summed.size()) != stored_checksum(row)) {
    return corrupt(kind, "checksum mismatch");
  }
  const auto version = static_cast<std::uint8_t>(row[0]);
  if (version != kRowVersion) {
    return corrupt(kind, "row version " + std::to_string(version) + ", this triggerd reads " +
                             std::to_string(kRowVersion));
  }
  if (static_cast<std::uint8_t>(row[1]) != kind) return corrupt(kind, "a row of another kind");
  RowReader reader(summed.substr(2));
  fields(reader, record);
  if (!reader.ok()) return corrupt(kind, "layout is wrong");
  return record;
}

#define TRIGGERD_ROW(Record)                                 \
  template void encode<Record>(const Record&, std::string&); \
  template base::Result<Record> decode<Record>(std::string_view)
TRIGGERD_ROW(model::Organization);
TRIGGERD_ROW(model::ApiKey);
TRIGGERD_ROW(WebhookRow);
TRIGGERD_ROW(model::EventType);
TRIGGERD_ROW(model::Trigger);
TRIGGERD_ROW(model::Event);
TRIGGERD_ROW(model::PendingChunk);
TRIGGERD_ROW(model::AttemptRecord);
TRIGGERD_ROW(model::SigningKey);
TRIGGERD_ROW(model::Counters);
TRIGGERD_ROW(EventRow);
TRIGGERD_ROW(WebhookSecrets);
TRIGGERD_ROW(model::EventSummary);
TRIGGERD_ROW(model::RecoverJob);
#undef TRIGGERD_ROW

}  // namespace triggerd::store
