// Lists of parked deliveries, of every store.
#include <gmock/gmock.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/model/limits.h"
#include "tests/store/store_conformance.h"
#include "tests/store/store_samples.h"

namespace triggerd::store::testing {
namespace {

using model::DeliveryState;
using model::EventSeq;
using model::ParkedKey;
using model::ParkedKind;
using model::WebhookRef;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::size_t kBytesMax = 1'000'000;

// A row of deliveries of one event, all of them parked; with a time those that wait for it.
struct Row {
  std::vector<std::uint32_t> webhooks;
  std::uint64_t seq = 0;
  std::optional<std::int64_t> due;
  std::uint32_t chunk = 0;
};
ParkedKey key_of(const Row& row, std::uint32_t webhook) {
  if (!row.due) return {WebhookRef(webhook), ParkedKind::kFresh, {}, EventSeq(row.seq)};
  return {WebhookRef(webhook), ParkedKind::kDelayed, wall(*row.due), EventSeq(row.seq)};
}
model::PendingChunk chunk_of(const Row& row) {
  std::vector<model::PendingEntry> entries;
  for (const std::uint32_t webhook : row.webhooks) {
    entries.push_back(pending_entry(webhook, DeliveryState::kReady));
    if (row.due) entries.back() = pending_entry(webhook, DeliveryState::kDelayed);
    if (row.due) entries.back().due = wall(*row.due);
    entries.back().parked = true;
  }
  return pending(row.seq, row.chunk, entries);
}
model::Batch parked(const std::vector<Row>& rows) {
  model::Batch batch{model::BatchSeq(1), {}};
  for (const Row& row : rows) {
    batch.mutations.push_back(put(event(row.seq)));
    batch.mutations.push_back(put(chunk_of(row)));
    auto match = static_cast<std::uint32_t>(row.chunk * model::kPendingChunkEntries);
    for (const std::uint32_t webhook : row.webhooks) {
      batch.mutations.emplace_back(model::PutParked{key_of(row, webhook), match++});
    }
  }
  return batch;
}

model::ReadParked::Lane fresh(std::uint32_t webhook, std::uint64_t from,
                              std::uint32_t count_max = 100) {
  return {{WebhookRef(webhook), ParkedKind::kFresh, {}, EventSeq(from)}, {}, count_max};
}
model::ReadParked::Lane delayed(std::uint32_t webhook, std::int64_t until,
                                std::uint32_t count_max = 100) {
  return {{WebhookRef(webhook), ParkedKind::kDelayed, {}, EventSeq(0)}, wall(until), count_max};
}

model::ParkedLoaded list(Store& store, const std::vector<model::ReadParked::Lane>& lanes,
                         std::size_t bytes_max = kBytesMax, std::uint64_t first_pending = 0) {
  base::Result<ListPage> page = store.list(ListParked{{lanes, EventSeq(first_pending)}, bytes_max});
  EXPECT_TRUE(page.ok()) << page.error().message;
  return page.ok() ? std::move(page.value().parked) : model::ParkedLoaded{};
}

std::vector<std::uint64_t> seqs_of(const model::ParkedLoaded::Lane& lane) {
  std::vector<std::uint64_t> seqs;
  for (const auto& delivery : lane.deliveries) seqs.push_back(delivery.key.seq.value());
  return seqs;
}
std::vector<std::uint64_t> events_of(const model::ParkedLoaded& loaded) {
  std::vector<std::uint64_t> seqs;
  for (const model::EventPtr& event : loaded.events) seqs.push_back(event->seq.value());
  return seqs;
}

TEST_P(StoreConformance, NothingIsParkedInANewStore) {
  const model::ParkedLoaded loaded = list(store(), {fresh(1, 0), delayed(1, 100)});
  ASSERT_EQ(loaded.lanes.size(), 2U);
  for (const auto& lane : loaded.lanes) {
    EXPECT_THAT(lane.deliveries, IsEmpty());
    EXPECT_EQ(lane.next, std::nullopt);
  }
  EXPECT_THAT(loaded.chunks, IsEmpty());
  EXPECT_EQ(loaded.first_pending, std::nullopt);
  EXPECT_THAT(list(store(), {}).lanes, IsEmpty());
}

TEST_P(StoreConformance, ParkedDeliveriesComeByAcceptanceOrByTheirTime) {
  ASSERT_TRUE(store()
                  .commit(parked({{{1}, 300, {}},
                                  {{1}, 2, {}},
                                  {{1}, 255, {}},
                                  {{2}, 4, {}},
                                  {{1}, 9, 70},
                                  {{1}, 10, 3},
                                  {{1}, 8, 70},
                                  {{256}, 7, 1}}))
                  .ok());
  reopen();
  const model::ParkedLoaded loaded =
      list(store(), {fresh(2, 0), delayed(1, 100), fresh(1, 0), delayed(2, 100)});
  ASSERT_EQ(loaded.lanes.size(), 4U);
  EXPECT_THAT(seqs_of(loaded.lanes[0]), ElementsAre(4));
  EXPECT_THAT(seqs_of(loaded.lanes[1]), ElementsAre(10, 8, 9));
  EXPECT_EQ(loaded.lanes[1].deliveries[0].key, key_of({{1}, 10, 3}, 1));
  EXPECT_THAT(seqs_of(loaded.lanes[2]), ElementsAre(2, 255, 300));
  EXPECT_THAT(loaded.lanes[3].deliveries, IsEmpty());
  for (const auto& lane : loaded.lanes) EXPECT_EQ(lane.next, std::nullopt);
  EXPECT_EQ(loaded.first_pending, EventSeq(2));
}

TEST_P(StoreConformance, ParkedListsBeginAtAKeyAndSayWhatFollows) {
  const std::vector<Row> rows = {{{1}, 2, {}}, {{1}, 3, {}}, {{1}, 4, {}}, {{1}, 5, 10},
                                 {{1}, 6, 20}, {{1}, 7, 20}, {{1}, 8, 30}};
  ASSERT_TRUE(store().commit(parked(rows)).ok());
  reopen();
  const auto only = [this](const model::ReadParked::Lane& lane) {
    return list(store(), {lane}).lanes.at(0);
  };
  EXPECT_THAT(seqs_of(only(fresh(1, 3))), ElementsAre(3, 4)) << "inclusive";
  EXPECT_THAT(seqs_of(only(fresh(1, 5))), IsEmpty());
  EXPECT_EQ(only(fresh(1, 5)).next, std::nullopt) << "those of another kind do not follow";
  EXPECT_THAT(seqs_of(only(fresh(1, 2, 2))), ElementsAre(2, 3));
  EXPECT_EQ(only(fresh(1, 2, 2)).next, key_of(rows[2], 1));
  EXPECT_EQ(only(fresh(1, 2, 3)).next, std::nullopt);
  EXPECT_THAT(seqs_of(only(fresh(1, 2, 0))), IsEmpty());
  EXPECT_EQ(only(fresh(1, 2, 0)).next, key_of(rows[0], 1));
  EXPECT_THAT(seqs_of(only(delayed(1, 20))), ElementsAre(5, 6, 7)) << "until is inclusive";
  EXPECT_EQ(only(delayed(1, 20)).next, key_of(rows[6], 1));
  EXPECT_EQ(only(delayed(1, 9)).next, key_of(rows[3], 1));
  EXPECT_EQ(only(delayed(1, 30)).next, std::nullopt);
  model::ReadParked::Lane behind = delayed(1, 30);
  behind.from = key_of(rows[5], 1);
  EXPECT_THAT(seqs_of(only(behind)), ElementsAre(7, 8));
}

TEST_P(StoreConformance, ParkedDeliveriesComeWithTheirRowsEachOnce) {
  const Row first{{1, 2}, 5, {}, 0};
  const Row second{{3}, 5, {}, 1};
  const Row later{{1}, 9, {}, 0};
  const Row others{{4}, 7, {}, 0};
  ASSERT_TRUE(store().commit(parked({later, second, first, others})).ok());
  reopen();
  const model::ParkedLoaded loaded = list(store(), {fresh(3, 0), fresh(2, 0), fresh(1, 0)});
  EXPECT_THAT(loaded.chunks, ElementsAre(chunk_of(first), chunk_of(second), chunk_of(later)));
  EXPECT_EQ(loaded.lanes[0].deliveries.at(0).match, 64U);
  EXPECT_EQ(loaded.lanes[1].deliveries.at(0).match, 1U);
  EXPECT_THAT(events_of(loaded), ElementsAre(5, 9));
  EXPECT_EQ(*loaded.events[0], event(5));
}

TEST_P(StoreConformance, ContentsOfParkedDeliveriesEndWhereThePageDoes) {
  std::vector<Row> rows;
  for (std::uint64_t seq = 1; seq <= 9; ++seq) rows.push_back({{1}, seq, {}});
  ASSERT_TRUE(store().commit(parked(rows)).ok());
  reopen();
  const std::size_t each = event(1).content.size();
  const auto events = [this](std::size_t bytes_max) {
    const model::ParkedLoaded loaded = list(store(), {fresh(1, 0)}, bytes_max);
    EXPECT_EQ(loaded.lanes.at(0).deliveries.size(), 9U);
    EXPECT_EQ(loaded.chunks.size(), 9U);
    return events_of(loaded);
  };
  EXPECT_THAT(events(0), IsEmpty());
  EXPECT_THAT(events(1), ElementsAre(1));
  EXPECT_THAT(events(3 * each), ElementsAre(1, 2, 3));
  EXPECT_THAT(events(3 * each + 1), ElementsAre(1, 2, 3, 4)) << "passed by one at most";
}

TEST_P(StoreConformance, AnEventThatIsGoneIsLeftOutOfWhatIsParked) {
  model::Batch batch = parked({{{1}, 4, {}}});
  const Row gone{{1}, 3, {}};
  batch.mutations.push_back(put(chunk_of(gone)));
  batch.mutations.emplace_back(model::PutParked{key_of(gone, 1), 0});
  ASSERT_TRUE(store().commit(batch).ok());
  const model::ParkedLoaded loaded = list(store(), {fresh(1, 0)});
  EXPECT_THAT(seqs_of(loaded.lanes.at(0)), ElementsAre(3, 4));
  EXPECT_THAT(events_of(loaded), ElementsAre(4));
}

TEST_P(StoreConformance, WhatIsParkedNoMoreIsNotListed) {
  const Row row{{1, 2}, 5, 10};
  ASSERT_TRUE(store().commit(parked({row, {{1}, 6, {}}})).ok());
  model::PendingChunk taken = chunk_of(row);
  taken.entries[0].parked = false;
  ASSERT_TRUE(store()
                  .commit(batch(put(taken), model::EraseParked{key_of(row, 1)},
                                model::EraseParked{key_of({{7}, 1, {}}, 7)}))
                  .ok());
  reopen();
  const model::ParkedLoaded loaded = list(store(), {delayed(1, 100), delayed(2, 100), fresh(1, 0)});
  EXPECT_THAT(seqs_of(loaded.lanes[0]), IsEmpty());
  EXPECT_THAT(seqs_of(loaded.lanes[1]), ElementsAre(5));
  EXPECT_THAT(seqs_of(loaded.lanes[2]), ElementsAre(6));
  EXPECT_EQ(loaded.chunks[0], taken);
}

TEST_P(StoreConformance, ListsOfParkedDeliveriesTellTheFirstPendingRow) {
  ASSERT_TRUE(store().commit(batch(put(pending(254, 3)), put(pending(256, 1)))).ok());
  reopen();
  EXPECT_EQ(list(store(), {}, 0, 0).first_pending, EventSeq(254));
  EXPECT_EQ(list(store(), {}, 0, 254).first_pending, EventSeq(254));
  EXPECT_EQ(list(store(), {}, 0, 255).first_pending, EventSeq(256));
  EXPECT_EQ(list(store(), {}, 0, 257).first_pending, std::nullopt);
}

TEST_P(StoreConformance, AParkedDeliveryThatIsNotWhereItsKeySaysIsCorrupt) {
  const Row row{{1}, 5, {}};
  model::PendingChunk held = chunk_of(row);
  held.entries[0].parked = false;
  model::PendingChunk of_another = chunk_of(row);
  of_another.entries[0].webhook = WebhookRef(2);
  model::PendingChunk shorter = chunk_of(row);
  shorter.entries.clear();
  const std::vector<model::Mutation> faults = {model::ErasePending{EventSeq(5), 0}, put(held),
                                               put(of_another), put(shorter)};
  for (const model::Mutation& fault : faults) {
    ASSERT_TRUE(store().commit(parked({row})).ok());
    EXPECT_TRUE(store().list(ListParked{{{fresh(1, 0)}, {}}, kBytesMax}).ok());
    ASSERT_TRUE(store().commit(batch(fault)).ok());
    const auto page = store().list(ListParked{{{fresh(1, 0)}, {}}, kBytesMax});
    ASSERT_FALSE(page.ok()) << fault.index();
    EXPECT_EQ(page.error().code, base::ErrorCode::kCorrupt);
  }
}

TEST_P(StoreConformance, WhatIsParkedIsListedAsOfOneMoment) {
  std::atomic<bool> over = false;
  std::thread committer([this, &over] {
    std::vector<Row> rows;
    for (std::uint64_t seq = 1; seq <= 20; ++seq) rows.push_back({{1}, seq, {}});
    for (int turn = 0; turn < 60; ++turn) {
      EXPECT_TRUE(store().commit(parked(rows)).ok());
      model::Batch taken{model::BatchSeq(1), {}};
      for (const Row& row : rows) {
        taken.mutations.emplace_back(model::EraseParked{key_of(row, 1)});
        taken.mutations.emplace_back(model::ErasePending{EventSeq(row.seq), 0});
      }
      EXPECT_TRUE(store().commit(taken).ok());
    }
    over = true;
  });
  while (!over) {
    const model::ParkedLoaded loaded = list(store(), {fresh(1, 0), fresh(1, 0, 5)});
    EXPECT_TRUE(loaded.chunks.empty() || loaded.chunks.size() == 20) << loaded.chunks.size();
    EXPECT_EQ(loaded.first_pending.has_value(), !loaded.chunks.empty());
    EXPECT_EQ(loaded.lanes.at(1).next.has_value(), !loaded.chunks.empty());
  }
  committer.join();
}

}  // namespace
}  // namespace triggerd::store::testing
