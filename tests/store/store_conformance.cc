#include "tests/store/store_conformance.h"

#include <gmock/gmock.h>

#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "engine/model/limits.h"
#include "tests/store/store_samples.h"

namespace triggerd::store::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<model::Record> scan_all(Store& store) {
  std::vector<model::Record> records;
  const base::Status status =
      store.scan([&records](model::Record record) { records.push_back(std::move(record)); });
  EXPECT_TRUE(status.ok());
  return records;
}

template <class Record>
std::vector<Record> scan_of(Store& store) {
  std::vector<Record> found;
  for (const model::Record& record : scan_all(store)) {
    if (const auto* wanted = std::get_if<Record>(&record)) found.push_back(*wanted);
  }
  return found;
}

ListPage list(Store& store, const ListQuery& query) {
  base::Result<ListPage> page = store.list(query);
  EXPECT_TRUE(page.ok());
  return page.ok() ? std::move(page.value()) : ListPage{};
}

std::optional<EventRow> get(Store& store, model::OrgId org, model::EventId id) {
  const base::Result<std::optional<EventRow>> row = store.get({org, id});
  EXPECT_TRUE(row.ok());
  return row.ok() ? row.value() : std::nullopt;
}

model::EventPtr read(Store& store, std::uint64_t seq) {
  const base::Result<model::EventPtr> event = store.read_event(model::EventSeq(seq));
  EXPECT_TRUE(event.ok());
  return event.ok() ? event.value() : nullptr;
}

ListDeliveries deliveries(std::uint64_t seq, const std::vector<std::uint32_t>& webhooks) {
  ListDeliveries query;
  query.seq = model::EventSeq(seq);
  for (const std::uint32_t webhook : webhooks) query.webhooks.emplace_back(webhook);
  return query;
}

TEST_P(StoreConformance, NewStoreIsEmpty) {
  EXPECT_THAT(scan_all(store()), IsEmpty());
  EXPECT_EQ(read(store(), 0), nullptr);
  EXPECT_EQ(get(store(), id_of<model::OrgId>(1), id_of<model::EventId>(1)), std::nullopt);
  EXPECT_THAT(list(store(), deliveries(1, {1, 2})).attempts, IsEmpty());
}

TEST_P(StoreConformance, EmptyBatchCommitsAndChangesNothing) {
  EXPECT_TRUE(store().commit(batch()).ok());
  EXPECT_THAT(scan_all(store()), IsEmpty());
}

TEST_P(StoreConformance, ScanGivesEverythingInTheOrderOfTheContract) {
  ASSERT_TRUE(
      store()
          .commit(batch(put(pending(12, 1)), put(pending(12, 0)), put(pending(3, 0)),
                        put(trigger(2, "b", 20)), put(trigger(9, "a", 10)),
                        put(trigger(1, "c", 30)), put(webhook(300)), put(webhook(2)),
                        put(event_type(1, "b")), put(event_type(1, "a")), put(api_key(1, 5)),
                        put(organization(1)), put(signing_key("k1")), put(counters(50, 0))))
          .ok());
  reopen();
  const std::vector<model::Record> expected = {
      counters(50, 0),     signing_key("k1"),   organization(1),     api_key(1, 5),
      event_type(1, "a"),  event_type(1, "b"),  webhook(2),          webhook(300),
      trigger(9, "a", 10), trigger(2, "b", 20), trigger(1, "c", 30), pending(3, 0),
      pending(12, 0),      pending(12, 1)};
  EXPECT_EQ(scan_all(store()), expected);
}

TEST_P(StoreConformance, PutReplacesByIdentity) {
  model::Organization renamed = organization(1);
  renamed.name = "other";
  model::ApiKey wider = api_key(1, 2);
  wider.scopes = model::kScopesAll;
  model::Webhook paused = webhook(3);
  paused.state = model::WebhookState::kPaused;
  paused.custom_headers.clear();
  model::SigningKey rotated = signing_key("k");
  rotated.public_x = "other";
  model::EventType described = event_type(1, "a");
  described.schema.clear();
  model::Trigger filtered = trigger(3, "a", 2);
  filtered.filter = filter();
  ASSERT_TRUE(store()
                  .commit(batch(put(organization(1)), put(api_key(1, 2)), put(webhook(3)),
                                put(event_type(1, "a")), put(trigger(3, "a", 1)),
                                put(pending(4, 0)), put(signing_key("k")), put(counters(5, 1))))
                  .ok());
  ASSERT_TRUE(
      store()
          .commit(batch(put(renamed), put(wider), put(paused), put(described), put(filtered),
                        put(pending(4, 0, {})), put(rotated), put(counters(6, 2))))
          .ok());
  reopen();
  const std::vector<model::Record> expected = {
      counters(6, 2), rotated, renamed, wider, described, paused, filtered, pending(4, 0, {})};
  EXPECT_EQ(scan_all(store()), expected);
}

TEST_P(StoreConformance, EraseRemovesExactlyTheRowNamed) {
  const model::Trigger erased_as = trigger(3, "a", 999);  // the generation is not the identity
  ASSERT_TRUE(
      store()
          .commit(batch(put(organization(1)), put(organization(2)), put(api_key(1, 2)),
                        put(api_key(1, 3)), put(api_key(2, 2)), put(event_type(1, "a")),
                        put(event_type(1, "ab")), put(event_type(2, "a")), put(webhook(3)),
                        put(webhook(4)), put(trigger(3, "a", 1)), put(trigger(3, "ab", 2)),
                        put(trigger(4, "a", 3)), put(pending(4, 0)), put(pending(4, 1)),
                        put(pending(5, 0)), put(signing_key("k1")), put(signing_key("k11"))))
          .ok());
  ASSERT_TRUE(
      store()
          .commit(batch(model::EraseOrganization{id_of<model::OrgId>(1)},
                        model::EraseApiKey{id_of<model::OrgId>(1), id_of<model::ApiKeyId>(2)},
                        model::EraseEventType{id_of<model::OrgId>(1), "a"},
                        model::EraseWebhook{id_of<model::OrgId>(1), model::WebhookRef(3)},
                        model::EraseTrigger{erased_as}, model::ErasePending{model::EventSeq(4), 0},
                        model::EraseSigningKey{"k1"}))
          .ok());
  reopen();
  const std::vector<model::Record> expected = {
      signing_key("k11"),  organization(2),    api_key(1, 3), api_key(2, 2),
      event_type(1, "ab"), event_type(2, "a"), webhook(4),    trigger(3, "ab", 2),
      trigger(4, "a", 3),  pending(4, 1),      pending(5, 0)};
  EXPECT_EQ(scan_all(store()), expected);
}

TEST_P(StoreConformance, RecentEventsAreThoseOfTheOrganizationAndNameNewestFirst) {
  model::Event other_name = event(7);
  other_name.name = "PersonDeleted_v1";
  model::Event other_org = event(8);
  other_org.org = id_of<model::OrgId>(2);
  ASSERT_TRUE(store()
                  .commit(batch(put(event(5)), put(event(6)), put(other_name), put(other_org),
                                put(event(9))))
                  .ok());
  reopen();
  const auto recent = [this](std::uint32_t count_max, std::uint64_t looked_at_max) {
    std::vector<std::uint64_t> seqs;
    const ListRecentEvents query{id_of<model::OrgId>(1), "PersonCreated_v1", count_max,
                                 looked_at_max};
    for (const model::EventPtr& found : list(store(), query).events) {
      seqs.push_back(found->seq.value());
    }
    return seqs;
  };
  EXPECT_THAT(recent(10, 100), ElementsAre(9, 6, 5));
  EXPECT_THAT(recent(2, 100), ElementsAre(9, 6));
  EXPECT_THAT(recent(0, 100), IsEmpty());
  EXPECT_THAT(recent(10, 4), ElementsAre(9, 6)) << "looks at four";
  const ListRecentEvents whole{id_of<model::OrgId>(1), "PersonCreated_v1", 1, 1};
  EXPECT_EQ(*list(store(), whole).events.at(0), event(9));
}

TEST_P(StoreConformance, ErasingWhatIsNotThereIsFine) {
  EXPECT_TRUE(
      store()
          .commit(batch(model::EraseOrganization{id_of<model::OrgId>(1)},
                        model::ErasePending{model::EventSeq(4), 0},
                        model::EraseEventType{id_of<model::OrgId>(1), "a"},
                        model::EraseTrigger{trigger(1, "a", 1)}, model::EraseSigningKey{"k"}))
          .ok());
  EXPECT_THAT(scan_all(store()), IsEmpty());
}

TEST_P(StoreConformance, MutationsOfABatchApplyInOrder) {
  ASSERT_TRUE(store()
                  .commit(batch(put(pending(1, 0)), model::ErasePending{model::EventSeq(1), 0},
                                put(pending(2, 0)), model::ErasePending{model::EventSeq(2), 0},
                                put(pending(2, 0, {})), put(counters(1, 0)), put(counters(9, 0))))
                  .ok());
  reopen();
  const std::vector<model::Record> expected = {counters(9, 0), pending(2, 0, {})};
  EXPECT_EQ(scan_all(store()), expected);
}

TEST_P(StoreConformance, EventIsReadBackByteForByte) {
  model::Event odd = event(7);
  odd.content = std::string("{\"\0\xff\n\":1}", 9);
  odd.matches.clear();
  ASSERT_TRUE(store().commit(batch(put(event(6)), put(odd))).ok());
  reopen();
  ASSERT_NE(read(store(), 6), nullptr);
  EXPECT_EQ(*read(store(), 6), event(6));
  ASSERT_NE(read(store(), 7), nullptr);
  EXPECT_EQ(*read(store(), 7), odd);
  EXPECT_EQ(read(store(), 5), nullptr);
  EXPECT_EQ(read(store(), 8), nullptr);
}

TEST_P(StoreConformance, EventIdLeadsToItsSequenceWithinItsOrganization) {
  ASSERT_TRUE(store().commit(batch(put(event(6)))).ok());
  reopen();
  const model::Event stored = event(6);
  const EventRow expected{stored.seq, stored.accepted_at, 2};
  EXPECT_EQ(get(store(), stored.org, stored.id), expected);
  EXPECT_EQ(get(store(), id_of<model::OrgId>(2), stored.id), std::nullopt);
  EXPECT_EQ(get(store(), stored.org, id_of<model::EventId>(7)), std::nullopt);
}

TEST_P(StoreConformance, LargestRowsSurvive) {
  model::Event wide = event(1);
  wide.content.assign(model::kEventContentBytesMax, 'x');
  wide.matches.clear();
  for (std::uint32_t i = 0; i < model::kWebhooksPerOrgMax; ++i) {
    wide.matches.push_back({model::WebhookRef(i * 400'000), model::Generation(~i)});
  }
  model::AttemptRecord talkative = attempt(1, 1, 1);
  talkative.outcome.answer.assign(model::kAnswerBytesKept, '\xee');
  model::Webhook secretive = webhook(1);
  secretive.custom_headers.assign(model::kCustomHeadersMax,
                                  {"X-Long", {std::string(250, 's'), "two"}});
  std::vector<model::PendingEntry> entries(model::kPendingChunkEntries,
                                           pending_entry(9, model::DeliveryState::kDelayed));
  ASSERT_TRUE(store()
                  .commit(batch(put(wide), put(talkative), put(secretive),
                                put(pending(1, UINT32_MAX, entries))))
                  .ok());
  reopen();
  ASSERT_NE(read(store(), 1), nullptr);
  EXPECT_EQ(*read(store(), 1), wide);
  EXPECT_THAT(list(store(), deliveries(1, {1})).attempts, ElementsAre(talkative));
  EXPECT_THAT(list(store(), deliveries(1, {})).pending,
              ElementsAre(pending(1, UINT32_MAX, entries)));
  EXPECT_THAT(scan_of<model::Webhook>(store()), ElementsAre(secretive));
}

TEST_P(StoreConformance, NextEventIsBeyondEveryStoredEvent) {
  ASSERT_TRUE(store().commit(batch(put(counters(3, 1)), put(event(9)))).ok());
  reopen();
  model::Counters raised = counters(10, 1);
  EXPECT_THAT(scan_of<model::Counters>(store()), ElementsAre(raised));
  ASSERT_TRUE(store().commit(batch(put(counters(77, 1)))).ok());
  reopen();
  EXPECT_THAT(scan_of<model::Counters>(store()), ElementsAre(counters(77, 1)));
}

TEST_P(StoreConformance, EventsWithoutCountersStillRaiseTheNextSequence) {
  ASSERT_TRUE(store().commit(batch(put(event(255)))).ok());
  reopen();
  model::Counters least;
  least.next_event = model::EventSeq(256);
  EXPECT_THAT(scan_of<model::Counters>(store()), ElementsAre(least));
}

TEST_P(StoreConformance, ScanStartsPendingAtTheWatermark) {
  ASSERT_TRUE(store()
                  .commit(batch(put(pending(254, 0)), put(pending(255, 3)), put(pending(256, 0)),
                                put(pending(1ULL << 40, 0)), put(counters(1, 255))))
                  .ok());
  reopen();
  EXPECT_THAT(scan_of<model::PendingChunk>(store()),
              ElementsAre(pending(255, 3), pending(256, 0), pending(1ULL << 40, 0)));
}

TEST_P(StoreConformance, DeliveryLogGivesTheHighestNumberOfEachInTheOrderAsked) {
  ASSERT_TRUE(
      store()
          .commit(batch(put(attempt(1, 5, 1)), put(attempt(1, 5, 2)), put(attempt(1, 5, 256)),
                        put(attempt(1, 6, 300)), put(attempt(1, 4, 400)), put(attempt(2, 5, 1)),
                        put(attempt(2, 5, model::kNoAttempt)), put(attempt(3, 4, 7)),
                        put(attempt(3, 6, 7)), put(pending(5, 1)), put(pending(5, 0)),
                        put(pending(4, 0)), put(pending(6, 0))))
          .ok());
  reopen();
  const ListPage page = list(store(), deliveries(5, {2, 9, 3, 1}));
  EXPECT_THAT(page.attempts,
              ElementsAre(attempt(2, 5, model::kNoAttempt), attempt(2, 5, 1), attempt(1, 5, 256)))
      << "behind an end without an attempt the last one";
  EXPECT_THAT(page.pending, ElementsAre(pending(5, 0), pending(5, 1)));
}

TEST_P(StoreConformance, ReadsSeeWholeBatchesWhileCommitsGoOn) {
  constexpr std::uint64_t batches = 200;
  std::thread committer([this] {
    for (std::uint64_t seq = 1; seq <= batches; ++seq) {
      const base::Status status = store().commit(
          batch(put(attempt(1, 1, static_cast<std::uint16_t>(seq))), put(pending(1, 0, {})),
                put(attempt(2, 1, static_cast<std::uint16_t>(seq))), put(event(seq))));
      EXPECT_TRUE(status.ok());
    }
  });
  std::uint16_t last = 0;
  bool has_gone_back = false;
  bool has_seen_half = false;
  for (int turn = 0; turn < 300; ++turn) {
    const ListPage page = list(store(), deliveries(1, {1, 2}));
    if (page.attempts.empty()) continue;
    has_seen_half |= page.attempts.size() != 2 || page.pending.size() != 1 ||
                     page.attempts[0].number != page.attempts[1].number;
    has_gone_back |= page.attempts[0].number < last;
    last = page.attempts[0].number;
    has_seen_half |= read(store(), last) == nullptr;
  }
  committer.join();
  EXPECT_FALSE(has_gone_back);
  EXPECT_FALSE(has_seen_half);
  EXPECT_EQ(read(store(), batches)->seq, model::EventSeq(batches));
}

TEST_P(StoreConformance, CloseIsIdempotent) {
  EXPECT_TRUE(store().close().ok());
  EXPECT_TRUE(store().close().ok());
}

}  // namespace
}  // namespace triggerd::store::testing
