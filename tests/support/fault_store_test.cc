#include "tests/support/fault_store.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "tests/support/sim_clock.h"

namespace triggerd::support {
namespace {

model::OrgId org() {
  base::Uuid uuid;
  uuid.bytes[0] = 7;
  return model::OrgId(uuid);
}

model::EventId event_id(std::uint8_t number) {
  base::Uuid uuid;
  uuid.bytes[15] = number;
  return model::EventId(uuid);
}

model::Batch event_batch(std::uint8_t number) {
  auto event = std::make_shared<model::Event>();
  event->seq = model::EventSeq(number);
  event->id = event_id(number);
  event->org = org();
  event->matches.push_back({model::WebhookRef(3), model::Generation(4)});
  model::PendingChunk chunk;
  chunk.seq = event->seq;
  model::PendingEntry entry;
  entry.webhook = model::WebhookRef(3);
  entry.generation = model::Generation(4);
  chunk.entries.push_back(entry);
  model::Batch batch;
  batch.seq = model::BatchSeq(number);
  batch.mutations.emplace_back(model::PutEvent{event});
  batch.mutations.emplace_back(model::PutPending{chunk});
  return batch;
}

model::ParkedKey parked_key(std::uint8_t number) {
  return {model::WebhookRef(3), model::ParkedKind::kFresh, {}, model::EventSeq(number)};
}

bool has_event(FaultStore& store, std::uint8_t number) {
  const auto row = store.get({org(), event_id(number)});
  return row.ok() && row.value().has_value();
}

TEST(FaultStore, ShowsABatchOnlyOnceItIsSynced) {
  FaultStore store;
  store.begin_commit(event_batch(1));
  EXPECT_TRUE(store.commit_under_way());
  EXPECT_FALSE(has_event(store, 1));
  EXPECT_TRUE(store.end_commit().ok());
  EXPECT_TRUE(has_event(store, 1));
  EXPECT_NE(store.read_event(model::EventSeq(1)).value(), nullptr);
}

TEST(FaultStore, CrashForgetsWhatWasNotSynced) {
  FaultStore store;
  ASSERT_TRUE(store.commit(event_batch(1)).ok());
  store.begin_commit(event_batch(2));
  store.crash(Unsynced::kLost);
  EXPECT_TRUE(has_event(store, 1));
  EXPECT_FALSE(has_event(store, 2));
}

TEST(FaultStore, CrashMayKeepTheBatchUnderWayWhole) {
  FaultStore store;
  store.begin_commit(event_batch(2));
  store.crash(Unsynced::kKept);
  EXPECT_TRUE(has_event(store, 2));
  EXPECT_EQ(store.durable().pending.size(), 1U);
}

TEST(FaultStore, AFailedCommitPoisonsUntilReopened) {
  for (const Unsynced unsynced : {Unsynced::kKept, Unsynced::kLost}) {
    FaultStore store;
    store.fail_commit(base::ErrorCode::kUnavailable, unsynced);
    const base::Status failed = store.commit(event_batch(1));
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().code, base::ErrorCode::kUnavailable);
    EXPECT_TRUE(store.poisoned());
    EXPECT_FALSE(store.commit(event_batch(2)).ok());
    store.reopen();
    EXPECT_EQ(has_event(store, 1), unsynced == Unsynced::kKept);
    EXPECT_TRUE(store.commit(event_batch(3)).ok());
  }
}

TEST(FaultStore, ReadsFailAsOftenAsTold) {
  FaultStore store;
  ASSERT_TRUE(store.commit(event_batch(1)).ok());
  store.fail_reads(1);
  EXPECT_FALSE(store.read_event(model::EventSeq(1)).ok());
  EXPECT_TRUE(store.read_event(model::EventSeq(1)).ok());
}

TEST(FaultStore, ScanGivesTheCountersFirstAndBeyondEveryEvent) {
  FaultStore store;
  model::Batch batch = event_batch(9);
  batch.mutations.emplace_back(model::PutCounters{});
  ASSERT_TRUE(store.commit(batch).ok());
  std::vector<model::Record> records;
  ASSERT_TRUE(
      store.scan([&records](model::Record record) { records.push_back(std::move(record)); }).ok());
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(std::get<model::Counters>(records[0]).next_event, model::EventSeq(10));
  EXPECT_EQ(std::get<model::PendingChunk>(records[1]).seq, model::EventSeq(9));
}

TEST(FaultStore, KeepsTheAttemptWithTheHighestNumber) {
  FaultStore store;
  model::Batch batch;
  for (const std::uint16_t number : {std::uint16_t{2}, std::uint16_t{1}}) {
    model::AttemptRecord attempt;
    attempt.seq = model::EventSeq(1);
    attempt.webhook = model::WebhookRef(3);
    attempt.number = number;
    batch.mutations.emplace_back(model::PutAttempt{attempt});
  }
  ASSERT_TRUE(store.commit(batch).ok());
  const auto page = store.list(store::ListDeliveries{model::EventSeq(1), {model::WebhookRef(3)}});
  ASSERT_EQ(page.value().attempts.size(), 1U);
  EXPECT_EQ(page.value().attempts[0].number, 2);
}

TEST(FaultStore, ListsParkedDeliveriesWithTheirRowsAndEvents) {
  FaultStore store;
  for (std::uint8_t i = 1; i <= 5; ++i) {
    model::Batch batch = event_batch(i);
    std::get<model::PutPending>(batch.mutations[1]).chunk.entries[0].parked = true;
    batch.mutations.emplace_back(model::PutParked{parked_key(i), 0});
    ASSERT_TRUE(store.commit(batch).ok());
  }
  check_parked(store.durable().parked, store.durable().pending);
  store::ListParked query;
  query.what.lanes.push_back({parked_key(2), {}, /*count_max=*/2});
  query.bytes_max = 1000;
  const model::ParkedLoaded loaded = store.list(query).value().parked;
  ASSERT_EQ(loaded.lanes.at(0).deliveries.size(), 2U);
  EXPECT_EQ(loaded.lanes[0].deliveries[0].key, parked_key(2));
  EXPECT_EQ(loaded.lanes[0].next, parked_key(4));
  EXPECT_EQ(loaded.chunks.size(), 2U);
  EXPECT_EQ(loaded.events.size(), 2U);
  EXPECT_EQ(loaded.first_pending, model::EventSeq(1));
}

TEST(SimClock, WallJumpsAloneAndRunsAlong) {
  SimClock clock(base::WallTime(std::chrono::hours(10)));
  clock.jump_wall(std::chrono::hours(-2));
  const base::MonoTime before = clock.now().mono;
  clock.advance(std::chrono::seconds(5));
  EXPECT_EQ(clock.now().mono - before, std::chrono::seconds(5));
  EXPECT_EQ(clock.now().wall.time_since_epoch(), std::chrono::hours(8) + std::chrono::seconds(5));
}

}  // namespace
}  // namespace triggerd::support
