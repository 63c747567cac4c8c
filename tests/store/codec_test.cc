#include "store/codec.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <xxhash.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "engine/model/limits.h"
#include "tests/store/store_samples.h"

namespace triggerd::store::testing {
namespace {

template <class Record>
std::string encoded(const Record& record) {
  std::string row = "what stood there before";
  encode(record, row);
  return row;
}

// --- Any record -------------------------------------------------------------------------------

template <class T>
T any() {
  return *rc::gen::arbitrary<T>();
}
template <class Enum>
Enum any_between(Enum first, Enum last) {
  return static_cast<Enum>(
      *rc::gen::inRange<int>(static_cast<int>(first), static_cast<int>(last) + 1));
}
template <class Id>
Id any_uuid() {
  base::Uuid uuid;
  for (std::uint8_t& byte : uuid.bytes) byte = any<std::uint8_t>();
  return Id(uuid);
}
template <class Integer>
Integer any_integer() {
  // Every length of a number, not only the small ones.
  return static_cast<Integer>(any<std::uint64_t>() >> *rc::gen::inRange(0, 64));
}
model::WallTime any_time() {
  return model::WallTime(base::Duration(static_cast<std::int64_t>(any_integer<std::uint64_t>())));
}
base::Duration any_duration() {
  return any_time().time_since_epoch();
}

model::DeliverySettings any_settings() {
  model::DeliverySettings settings;
  if (any<bool>()) {
    settings.schedule.emplace(*rc::gen::inRange<std::size_t>(0, 20));
    for (base::Duration& delay : *settings.schedule) delay = any_duration();
  }
  if (any<bool>()) {
    settings.rate = {any_integer<std::uint32_t>(), any_integer<std::uint32_t>()};
  }
  if (any<bool>()) settings.max_in_flight = any_integer<std::uint32_t>();
  if (any<bool>()) {
    settings.format =
        any_between(model::DeliveryFormat::kJwt, model::DeliveryFormat::kCloudEventsBinary);
  }
  if (any<bool>()) settings.signatures = any<std::uint8_t>();
  if (any<bool>()) settings.ordering = any_between(model::Ordering::kNone, model::Ordering::kKey);
  if (any<bool>()) {
    settings.on_failure = any_between(model::OnFailure::kOpen, model::OnFailure::kClosed);
  }
  return settings;
}

template <class Record>
Record any_record();

template <>
model::Organization any_record() {
  return {any_uuid<model::OrgId>(), any<std::string>(), any_time()};
}
template <>
model::ApiKey any_record() {
  model::ApiKey key;
  key.id = any_uuid<model::ApiKeyId>();
  key.org = any_uuid<model::OrgId>();
  key.name = any<std::string>();
  for (std::uint8_t& byte : key.digest) byte = any<std::uint8_t>();
  key.scopes = any<std::uint8_t>();
  key.created_at = any_time();
  return key;
}
template <>
WebhookRow any_record() {
  WebhookRow row;
  row.webhook.id = any_uuid<model::WebhookId>();
  row.webhook.org = any_uuid<model::OrgId>();
  row.webhook.ref = model::WebhookRef(any_integer<std::uint32_t>());
  row.webhook.name = any<std::string>();
  row.webhook.target_url = any<std::string>();
  row.webhook.description = any<std::string>();
  row.webhook.timeout = any_duration();
  row.webhook.created_at = any_time();
  row.webhook.state = any_between(model::WebhookState::kActive, model::WebhookState::kDisabled);
  row.webhook.disabled_reason =
      any_between(model::DisabledReason::kNone, model::DisabledReason::kFailing);
  row.webhook.failing_since = any_time();
  row.webhook.delivery = any_settings();
  row.sealed = any<std::string>();
  return row;
}
model::FilterScalar any_scalar() {
  switch (*rc::gen::inRange(0, 5)) {
    case 0:
      return std::monostate();
    case 1:
      return any<bool>();
    case 2:
      return static_cast<std::int64_t>(any_integer<std::uint64_t>());
    case 3:
      return any<std::int32_t>() / 7.0;
    default:
      return any<std::string>();
  }
}
template <class Each>
auto any_list(std::size_t count_max, Each each) {
  std::vector<decltype(each())> list(*rc::gen::inRange(std::size_t{0}, count_max + 1));
  for (auto& element : list) element = each();
  return list;
}
model::FilterTest any_filter_test() {
  switch (*rc::gen::inRange(0, 5)) {
    case 0:
      return model::ExactTest{any_scalar()};
    case 1:
      return model::SuffixTest{any<std::string>()};
    case 2:
      return model::AnythingButTest{any_list(3, any_scalar), any<std::vector<std::string>>(), {}};
    case 3: {
      model::CidrTest test;
      test.network.address.v4 = any<bool>();
      for (std::uint8_t& byte : test.network.address.bytes) byte = any<std::uint8_t>();
      test.network.prefix_bits = any<std::uint8_t>() % (test.network.address.v4 ? 33U : 129U);
      return test;
    }
    default:
      return model::NumericTest{any_list(2, [] {
        return model::NumericBound{
            any_between(model::NumericOperator::kEqual, model::NumericOperator::kGreaterOrEqual),
            any_scalar()};
      })};
  }
}
model::FilterGroup any_group(int depth) {
  model::FilterGroup group;
  group.fields = any_list(2, [] {
    return model::FilterField{any<model::FilterPath>(), any_list(3, any_filter_test)};
  });
  if (depth > 0) {
    group.any_of =
        any_list(2, [depth] { return any_list(2, [depth] { return any_group(depth - 1); }); });
  }
  return group;
}
template <>
model::Trigger any_record() {
  model::Trigger trigger{any_uuid<model::OrgId>(), model::WebhookRef(any_integer<std::uint32_t>()),
                         any_between(model::TriggerType::kEvent, model::TriggerType::kSyncHook),
                         any<std::string>(), model::Generation(any_integer<std::uint32_t>())};
  if (any<bool>()) trigger.filter = model::Filter{any<std::string>(), any_group(2)};
  return trigger;
}
template <>
model::EventType any_record() {
  return {any_uuid<model::OrgId>(), any<std::string>(), any<std::string>(), any<std::string>(),
          any_time()};
}
template <>
model::Event any_record() {
  model::Event event;
  event.seq = model::EventSeq(any_integer<std::uint64_t>());
  event.id = any_uuid<model::EventId>();
  event.org = any_uuid<model::OrgId>();
  event.name = any<std::string>();
  event.accepted_at = any_time();
  event.timestamp = any_time();
  event.is_test = any<bool>();
  event.ordering_key = any<std::string>();
  event.traceparent = any<std::string>();
  event.source = any<std::string>();
  event.subject = any<std::string>();
  event.content = any<std::string>();
  event.own_members_at = any_integer<std::uint32_t>();
  event.trigger_type = any_between(model::TriggerType::kEvent, model::TriggerType::kSyncHook);
  event.matches.resize(*rc::gen::inRange<std::size_t>(0, 200));
  for (model::Match& match : event.matches) {
    match = {model::WebhookRef(any_integer<std::uint32_t>()),
             model::Generation(any_integer<std::uint32_t>())};
  }
  return event;
}
template <>
model::PendingChunk any_record() {
  model::PendingChunk pending;
  pending.seq = model::EventSeq(any_integer<std::uint64_t>());
  pending.chunk = any_integer<std::uint32_t>();
  pending.org = any_uuid<model::OrgId>();
  pending.event_id = any_uuid<model::EventId>();
  pending.event_name = any<std::string>();
  pending.matches_in_all = any_integer<std::uint32_t>();
  pending.accepted_at = any_time();
  pending.ordering_key = any<std::string>();
  pending.entries.resize(*rc::gen::inRange<std::size_t>(0, 65));
  for (model::PendingEntry& entry : pending.entries) {
    entry.webhook = model::WebhookRef(any_integer<std::uint32_t>());
    entry.generation = model::Generation(any_integer<std::uint32_t>());
    entry.state = any_between(model::DeliveryState::kReady, model::DeliveryState::kCancelled);
    entry.attempts = any<std::uint8_t>();
    entry.due = any_time();
    entry.parked = !model::is_final(entry.state) && any<bool>();
  }
  return pending;
}
template <>
model::AttemptRecord any_record() {
  model::AttemptRecord attempt;
  attempt.webhook = model::WebhookRef(any_integer<std::uint32_t>());
  attempt.seq = model::EventSeq(any_integer<std::uint64_t>());
  attempt.event_id = any_uuid<model::EventId>();
  attempt.event_name = any<std::string>();
  attempt.trigger_type = any_between(model::TriggerType::kEvent, model::TriggerType::kSyncHook);
  attempt.accepted_at = any_time();
  attempt.number = any_integer<std::uint16_t>();
  attempt.state_after = any_between(model::DeliveryState::kReady, model::DeliveryState::kCancelled);
  attempt.due = any_time();
  attempt.outcome.kind = any_between(model::OutcomeClass::kOk, model::kLastOutcomeClass);
  attempt.outcome.http_status = any_integer<std::uint16_t>();
  attempt.outcome.retry_after = any_duration();
  attempt.outcome.timings = {any_integer<std::uint32_t>(), any_integer<std::uint32_t>(),
                             any_integer<std::uint32_t>(), any_integer<std::uint32_t>(),
                             any_integer<std::uint32_t>(), any_integer<std::uint32_t>()};
  attempt.outcome.started_at = any_time();
  attempt.outcome.detail = any<std::string>();
  attempt.outcome.answer = any<std::string>();
  attempt.outcome.answer_bytes = any_integer<std::uint32_t>();
  return attempt;
}
template <>
model::SigningKey any_record() {
  return {any<std::string>(), any_time(),         any_time(),
          any<std::string>(), any<std::string>(), any<std::string>()};
}
template <>
model::Counters any_record() {
  return {model::WebhookRef(any_integer<std::uint32_t>()),
          model::Generation(any_integer<std::uint32_t>()),
          model::EventSeq(any_integer<std::uint64_t>()),
          model::EventSeq(any_integer<std::uint64_t>())};
}
template <>
EventRow any_record() {
  return {model::EventSeq(any_integer<std::uint64_t>()), any_time(), any_integer<std::uint32_t>()};
}
template <>
model::EventSummary any_record() {
  return {model::EventSeq(any_integer<std::uint64_t>()),
          any_uuid<model::EventId>(),
          any_uuid<model::OrgId>(),
          any<std::string>(),
          any_time(),
          any_time(),
          any<bool>(),
          any_between(model::TriggerType::kEvent, model::TriggerType::kSyncHook),
          any_integer<std::uint32_t>()};
}
template <>
model::RecoverJob any_record() {
  model::RecoverJob job;
  job.id = any_uuid<model::JobId>();
  job.org = any_uuid<model::OrgId>();
  job.webhook = model::WebhookRef(any_integer<std::uint32_t>());
  job.webhook_id = any_uuid<model::WebhookId>();
  job.since = any_time();
  job.until = any_time();
  job.states = any<std::uint8_t>();
  job.per_second = any_integer<std::uint32_t>();
  job.state = any_between(model::JobState::kRunning, model::JobState::kFailed);
  job.created_at = any_time();
  job.ended_at = any_time();
  job.position = model::EventSeq(any_integer<std::uint64_t>());
  job.recovered = any_integer<std::uint64_t>();
  job.skipped = any_integer<std::uint64_t>();
  job.reason = any<std::string>();
  return job;
}
template <>
WebhookSecrets any_record() {
  WebhookSecrets secrets;
  secrets.headers.resize(*rc::gen::inRange<std::size_t>(0, 5));
  for (model::Header& header : secrets.headers) {
    header = {any<std::string>(), any<std::vector<std::string>>()};
  }
  secrets.signing.resize(*rc::gen::inRange<std::size_t>(0, model::kSigningSecretsMax + 1));
  for (model::SigningSecret& secret : secrets.signing) {
    for (std::uint8_t& byte : secret.hmac_key) byte = any<std::uint8_t>();
    for (std::uint8_t& byte : secret.ed25519_seed) byte = any<std::uint8_t>();
    for (std::uint8_t& byte : secret.ed25519_public) byte = any<std::uint8_t>();
    secret.created_at = any_time();
    secret.expires_at = any_time();
  }
  return secrets;
}

// --- One sample of each, with its file of the format's fixtures ---------------------------------

template <class Record>
struct Sample;
#define TRIGGERD_SAMPLE(Record, Name, Value)   \
  template <>                                  \
  struct Sample<Record> {                      \
    static constexpr const char* kName = Name; \
    static Record value() { return Value; }    \
  }
WebhookRow sample_webhook_row() {
  WebhookRow row{webhook(300), "sealed bytes"};
  row.webhook.custom_headers.clear();
  row.webhook.secrets.clear();
  return row;
}
model::Trigger sample_trigger() {
  model::Trigger sample = trigger(300, "PersonCreated_v1", 70'000);
  sample.filter = filter();
  return sample;
}
TRIGGERD_SAMPLE(model::Organization, "organization", organization(1));
TRIGGERD_SAMPLE(model::ApiKey, "api_key", api_key(1, 2));
TRIGGERD_SAMPLE(WebhookRow, "webhook", sample_webhook_row());
TRIGGERD_SAMPLE(model::Trigger, "trigger", sample_trigger());
TRIGGERD_SAMPLE(model::EventType, "event_type", event_type(1, "OrderPlaced_v1"));
TRIGGERD_SAMPLE(model::Event, "event", event(1'000'000));
TRIGGERD_SAMPLE(model::EventSummary, "event_summary", model::summary_of(event(1'000'000)));
TRIGGERD_SAMPLE(model::PendingChunk, "pending", pending(1'000'000, 2));
TRIGGERD_SAMPLE(model::AttemptRecord, "attempt", attempt(300, 1'000'000, model::kNoAttempt));
TRIGGERD_SAMPLE(model::SigningKey, "signing_key", signing_key("kid-1"));
TRIGGERD_SAMPLE(model::Counters, "counters", counters(1'000'001, 999'000));
TRIGGERD_SAMPLE(EventRow, "event_id", (EventRow{model::EventSeq(1'000'000), wall(1), 2}));
TRIGGERD_SAMPLE(model::RecoverJob, "job", job(1, 2));
TRIGGERD_SAMPLE(WebhookSecrets, "webhook_secrets",
                (WebhookSecrets{webhook(1).custom_headers, webhook(1).secrets}));
#undef TRIGGERD_SAMPLE

template <class Record>
class Codec : public ::testing::Test {};
using Records = ::testing::Types<model::Organization, model::ApiKey, model::EventType, WebhookRow,
                                 model::Trigger, model::Event, model::PendingChunk,
                                 model::AttemptRecord, model::SigningKey, model::Counters, EventRow,
                                 WebhookSecrets, model::EventSummary, model::RecoverJob>;
TYPED_TEST_SUITE(Codec, Records);

template <class Record>
void expect_corrupt(std::string_view row, const std::string& what) {
  const base::Result<Record> read = decode<Record>(row);
  ASSERT_FALSE(read.ok()) << what;
  ASSERT_EQ(read.error().code, base::ErrorCode::kCorrupt) << what;
}

// The body changed, the checksum made to fit again: what remains is the check of the layout.
std::string with_checksum(std::string bytes) {
  const std::uint64_t checksum = XXH3_64bits(bytes.data(), bytes.size());
  for (unsigned i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(checksum >> (8 * i)));
  return bytes;
}

TYPED_TEST(Codec, AnyRecordComesBackAsItWas) {
  EXPECT_TRUE(rc::check([] {
    const auto record = any_record<TypeParam>();
    const base::Result<TypeParam> read = decode<TypeParam>(encoded(record));
    RC_ASSERT(read.ok());
    RC_ASSERT(read.value() == record);
  }));
}

TYPED_TEST(Codec, EveryFlippedBitIsCorrupt) {
  const std::string row = encoded(Sample<TypeParam>::value());
  for (std::size_t bit = 0; bit < row.size() * 8; ++bit) {
    std::string flipped = row;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    expect_corrupt<TypeParam>(flipped, "bit " + std::to_string(bit));
  }
}

TYPED_TEST(Codec, EveryCutAndEveryExtensionIsCorrupt) {
  const std::string row = encoded(Sample<TypeParam>::value());
  for (std::size_t size = 0; size < row.size(); ++size) {
    expect_corrupt<TypeParam>(row.substr(0, size), "cut to " + std::to_string(size));
  }
  expect_corrupt<TypeParam>(row + '\0', "longer");
  expect_corrupt<TypeParam>(row + row, "twice");
}

TYPED_TEST(Codec, EveryCutOrLongerBodyIsCorruptEvenWithAMatchingChecksum) {
  const std::string row = encoded(Sample<TypeParam>::value());
  for (std::size_t size = 0; size + 8 < row.size(); ++size) {
    expect_corrupt<TypeParam>(with_checksum(row.substr(0, size)), std::to_string(size));
  }
  expect_corrupt<TypeParam>(with_checksum(row.substr(0, row.size() - 8) + '\0'), "longer");
}

TYPED_TEST(Codec, WhatIsAcceptedIsWhatTheEncoderMakes) {
  const std::string row = encoded(Sample<TypeParam>::value());
  const std::string summed = row.substr(0, row.size() - 8);
  for (std::size_t at = 0; at < summed.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string changed = summed;
      changed[at] = static_cast<char>(value);
      changed = with_checksum(changed);
      const base::Result<TypeParam> read = decode<TypeParam>(changed);
      if (read.ok()) {
        ASSERT_EQ(encoded(read.value()), changed) << "byte " << at << " set to " << value;
      }
    }
  }
}

TYPED_TEST(Codec, RowOfAnotherVersionOrKindIsCorrupt) {
  const std::string row = encoded(Sample<TypeParam>::value());
  std::string summed = row.substr(0, row.size() - 8);
  summed[0] = 2;
  const base::Result<TypeParam> newer = decode<TypeParam>(with_checksum(summed));
  ASSERT_FALSE(newer.ok());
  EXPECT_NE(newer.error().message.find("row version 2"), std::string::npos);
  summed[0] = 1;
  summed[1] = 99;
  expect_corrupt<TypeParam>(with_checksum(summed), "kind 99");
}

std::string hexadecimal(const std::string& bytes) {
  std::ostringstream text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    static constexpr char digits[] = "0123456789abcdef";
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    text << digits[byte >> 4] << digits[byte & 0xf] << (i % 32 == 31 ? "\n" : "");
  }
  if (bytes.size() % 32 != 0) text << '\n';
  return text.str();
}

std::string from_hexadecimal(std::istream& in) {
  std::string bytes;
  std::string line;
  while (std::getline(in, line)) {
    for (std::size_t i = 0; i + 1 < line.size(); i += 2) {
      bytes.push_back(static_cast<char>(std::stoi(line.substr(i, 2), nullptr, 16)));
    }
  }
  return bytes;
}

// A store written by any released triggerd stays readable: these files never change.
TYPED_TEST(Codec, RowsOfFormat1AreRead) {
  const std::string path =
      std::string("tests/data/store_format_1/") + Sample<TypeParam>::kName + ".hex";
  const TypeParam sample = Sample<TypeParam>::value();
  if (const char* rewrite = std::getenv("TRIGGERD_REWRITE"); rewrite != nullptr) {
    std::ofstream(path) << hexadecimal(encoded(sample));
  }
  std::ifstream file(path);
  ASSERT_TRUE(file.is_open()) << path;
  const std::string row = from_hexadecimal(file);
  const base::Result<TypeParam> read = decode<TypeParam>(row);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value(), sample);
  EXPECT_EQ(hexadecimal(encoded(sample)), hexadecimal(row)) << "the layout of version 1 changed";
}

TEST(CodecParked, AParkedEntryIsWhatItWasWithTheHighBitOfItsState) {
  model::PendingChunk parked = Sample<model::PendingChunk>::value();
  std::string expected = encoded(parked);
  parked.entries[0].parked = true;
  const std::string row = encoded(parked);
  expected.resize(expected.size() - 8);
  const auto state_at = static_cast<std::size_t>(
      std::mismatch(expected.begin(), expected.end(), row.begin()).first - expected.begin());
  ASSERT_EQ(expected[state_at], static_cast<char>(model::DeliveryState::kDelayed));
  expected[state_at] = static_cast<char>(expected[state_at] | 0x80);
  EXPECT_EQ(row, with_checksum(expected));

  expected[state_at] =
      static_cast<char>(static_cast<unsigned>(model::DeliveryState::kDead) | 0x80U);
  expect_corrupt<model::PendingChunk>(with_checksum(expected), "over, and parked");
  expected[state_at] = static_cast<char>(0x80);
  expect_corrupt<model::PendingChunk>(with_checksum(expected), "in no state");
}

TEST(CodecLimits, TextAtTheLimitIsStored) {
  model::Organization largest = organization(1);
  largest.name.assign(kRowTextBytesMax, 'n');
  const base::Result<model::Organization> read = decode<model::Organization>(encoded(largest));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value(), largest);
}

TEST(CodecLimitsDeathTest, TextOverTheLimitIsOurMistake) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  model::Organization larger = organization(1);
  larger.name.assign(kRowTextBytesMax + 1, 'n');
  EXPECT_DEATH(encoded(larger), "bytes_max");
}

TEST(CodecLimits, ACountBeyondTheRowAllocatesNothing) {
  // A list of 16383 headers that the row has no room for.
  expect_corrupt<WebhookSecrets>(with_checksum(std::string("\x01\x0b\xff\x7f", 4)), "16383");
}

TEST(CodecNumbers, LongFormsAreRefused) {
  // Two empty lists: 0 and 0; the same number in two bytes is another text for the same thing.
  EXPECT_TRUE(decode<WebhookSecrets>(with_checksum(std::string("\x01\x0b\x00\x00", 4))).ok());
  expect_corrupt<WebhookSecrets>(with_checksum(std::string("\x01\x0b\x80\x00\x00", 5)),
                                 "long zero");
}

}  // namespace
}  // namespace triggerd::store::testing
