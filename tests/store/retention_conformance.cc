// What retention keeps and erases, of every store.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/store/store_conformance.h"
#include "tests/store/store_samples.h"

namespace triggerd::store::testing {
namespace {

using model::DeliveryState;
using model::EventSeq;
using model::WebhookRef;
using ::testing::ElementsAre;

model::Event event_at(std::uint64_t seq, std::uint8_t org = 1) {
  model::Event made = event(seq);
  made.org = id_of<model::OrgId>(org);
  made.accepted_at = wall(static_cast<std::int64_t>(seq));
  return made;
}

model::AttemptRecord ended(std::uint32_t webhook, std::uint64_t seq, DeliveryState state) {
  model::AttemptRecord made = attempt(webhook, seq, 1);
  made.accepted_at = wall(static_cast<std::int64_t>(seq));
  made.state_after = state;
  made.due = model::WallTime();
  return made;
}

RetentionProgress run_pass(Store& store, const RetentionRules& rules, std::uint32_t events_max) {
  RetentionProgress total;
  RetentionStep step{rules, EventSeq(0), events_max};
  for (int i = 0; i < 1000; ++i) {
    const base::Result<RetentionProgress> progress = store.retain(step);
    EXPECT_TRUE(progress.ok()) << progress.error().message;
    if (!progress.ok()) break;
    EXPECT_LE(progress.value().events, events_max);
    total.events += progress.value().events;
    total.attempts += progress.value().attempts;
    if (!progress.value().from) return total;
    step.from = *progress.value().from;
  }
  ADD_FAILURE() << "a pass that does not end";
  return total;
}

std::vector<std::uint64_t> events_left(Store& store, std::uint64_t up_to) {
  std::vector<std::uint64_t> left;
  for (std::uint64_t seq = 0; seq <= up_to; ++seq) {
    const base::Result<model::EventPtr> event = store.read_event(EventSeq(seq));
    EXPECT_TRUE(event.ok());
    if (event.ok() && event.value() != nullptr) left.push_back(seq);
  }
  return left;
}

std::vector<std::uint64_t> listed(Store& store, std::uint8_t org = 1) {
  std::vector<std::uint64_t> seqs;
  const base::Result<ListPage> page =
      store.list(ListEvents{id_of<model::OrgId>(org), {}, {}, {}, 1000, 100'000});
  EXPECT_TRUE(page.ok());
  if (!page.ok()) return {};
  for (const model::LoggedEvent& line : page.value().logged_events) {
    seqs.push_back(line.event.seq.value());
  }
  return seqs;
}

std::size_t attempts_left(Store& store, std::uint32_t webhook, std::uint64_t seq) {
  const base::Result<ListPage> page = store.list(ListAttempts{WebhookRef(webhook), EventSeq(seq)});
  EXPECT_TRUE(page.ok());
  return page.ok() ? page.value().attempts.size() : 0;
}

TEST_P(StoreConformance, RetentionErasesWhatIsOldWithAllThatIsKnownOfIt) {
  ASSERT_TRUE(store()
                  .commit(batch(put(event_at(3)), put(event_at(4)), put(event_at(5)),
                                put(ended(1, 3, DeliveryState::kDelivered)),
                                put(ended(300, 3, DeliveryState::kCancelled)),
                                put(ended(1, 5, DeliveryState::kDelivered)), put(attempt(9, 3, 1)),
                                put(counters(100, 0))))
                  .ok());
  const RetentionProgress pass = run_pass(store(), {wall(5), wall(5), 0}, 10);
  EXPECT_EQ(pass.events, 2U);
  EXPECT_EQ(pass.attempts, 2U);
  reopen();
  EXPECT_THAT(events_left(store(), 9), ElementsAre(5));
  EXPECT_THAT(listed(store()), ElementsAre(5));
  EXPECT_EQ(attempts_left(store(), 1, 3), 0U);
  EXPECT_EQ(attempts_left(store(), 300, 3), 0U);
  EXPECT_EQ(attempts_left(store(), 1, 5), 1U);
  EXPECT_EQ(attempts_left(store(), 9, 3), 1U) << "not of a match of the event";
  const auto id = store().get({id_of<model::OrgId>(1), id_of<model::EventId>(3)});
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(id.value(), std::nullopt);
  EXPECT_EQ(run_pass(store(), {wall(5), wall(5), 0}, 10).events, 0U);
}

TEST_P(StoreConformance, RetentionKeepsWhatIsPendingAndDeadLettersForTheirOwnTime) {
  model::Event hook = event_at(5);
  hook.trigger_type = model::TriggerType::kSyncHook;
  model::PendingChunk parked = pending(3, 1);
  parked.entries[0].parked = true;
  ASSERT_TRUE(store()
                  .commit(batch(put(event_at(2)), put(event_at(3)), put(event_at(4)), put(hook),
                                put(event_at(6)), put(event_at(7)), put(parked),
                                put(ended(1, 4, DeliveryState::kDead)),
                                put(ended(1, 5, DeliveryState::kDead)), put(counters(100, 0))))
                  .ok());
  EXPECT_EQ(run_pass(store(), {wall(7), wall(0), 0}, 2).events, 3U);
  EXPECT_THAT(events_left(store(), 9), ElementsAre(3, 4, 7));
  EXPECT_EQ(attempts_left(store(), 1, 4), 1U);
  EXPECT_EQ(run_pass(store(), {wall(7), wall(5), 0}, 2).events, 1U);
  EXPECT_THAT(events_left(store(), 9), ElementsAre(3, 7));
  ASSERT_TRUE(store().commit(batch(model::ErasePending{EventSeq(3), 1})).ok());
  EXPECT_EQ(run_pass(store(), {wall(7), wall(5), 0}, 2).events, 1U);
  EXPECT_THAT(events_left(store(), 9), ElementsAre(7));
}

// The sequence of an event that is erased must not be given out again.
TEST_P(StoreConformance, RetentionErasesNothingFromTheStoredCounterOn) {
  ASSERT_TRUE(store().commit(batch(put(event_at(3)), put(event_at(4)), put(counters(4, 0)))).ok());
  run_pass(store(), {wall(100), wall(100), 0}, 10);
  EXPECT_THAT(events_left(store(), 9), ElementsAre(4));
}

TEST_P(StoreConformance, RetentionLeavesTheIdOfALaterEvent) {
  model::Event later = event_at(7);
  later.id = event_at(3).id;
  ASSERT_TRUE(store().commit(batch(put(event_at(3)), put(later), put(counters(100, 0)))).ok());
  run_pass(store(), {wall(5), wall(5), 0}, 10);
  const auto id = store().get({id_of<model::OrgId>(1), later.id});
  ASSERT_TRUE(id.ok() && id.value());
  EXPECT_EQ(id.value()->seq, EventSeq(7));
}

TEST_P(StoreConformance, LogOfADeletedOrganizationIsErasedOnceNothingOfItIsPending) {
  ASSERT_TRUE(store()
                  .commit(batch(put(event_at(3)), put(event_at(4, 2)), put(event_at(5)),
                                put(event_at(6)), put(event_at(9)), put(pending(5, 0)),
                                put(ended(1, 3, DeliveryState::kDead)),
                                put(ended(1, 4, DeliveryState::kDelivered)), put(counters(100, 0)),
                                model::EraseLog{id_of<model::OrgId>(1), EventSeq(7)}))
                  .ok());
  reopen();
  EXPECT_EQ(run_pass(store(), {wall(0), wall(0), 0}, 2).events, 2U);
  EXPECT_THAT(events_left(store(), 9), ElementsAre(4, 5, 9));
  EXPECT_EQ(attempts_left(store(), 1, 3), 0U);
  EXPECT_EQ(attempts_left(store(), 1, 4), 1U);
  ASSERT_TRUE(store().commit(batch(model::ErasePending{EventSeq(5), 0})).ok());
  EXPECT_EQ(run_pass(store(), {wall(0), wall(0), 0}, 2).events, 1U);
  EXPECT_THAT(listed(store()), ElementsAre(9)) << "of the organization that has its id now";
  EXPECT_EQ(run_pass(store(), {wall(0), wall(0), 0}, 2).events, 0U);
}

TEST_P(StoreConformance, RetentionBySizeErasesTheOldest) {
  constexpr std::uint64_t events = 600;
  constexpr std::size_t bytes = std::size_t{64} * 1024;
  model::Batch whole = batch(put(counters(events + 1, 0)));
  std::uint64_t state = 88172645463325252ULL;
  for (std::uint64_t seq = 1; seq <= events; ++seq) {
    model::Event large = event_at(seq);
    large.content.clear();
    while (large.content.size() < bytes) {  // that compression does not help
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      large.content.append(reinterpret_cast<const char*>(&state), sizeof(state));
    }
    whole.mutations.push_back(put(large));
    if (seq % 50 == 0) {
      ASSERT_TRUE(store().commit(whole).ok());
      whole.mutations.clear();
    }
  }
  reopen();  // measured is what lies in files
  const RetentionRules rules{wall(0), wall(0), 300 * bytes};
  const RetentionProgress pass = run_pass(store(), rules, 50);
  EXPECT_GE(pass.events, 200U);
  EXPECT_LE(pass.events, 420U);
  const std::vector<std::uint64_t> left = events_left(store(), events);
  ASSERT_FALSE(left.empty());
  EXPECT_EQ(left.back(), events);
  EXPECT_EQ(left.size(), events - pass.events);
  EXPECT_EQ(left.front(), pass.events + 1) << "the oldest went";
  reopen();
  // What was erased counts no more.
  EXPECT_LE(run_pass(store(), rules, 50).events, 150U);
  EXPECT_LE(run_pass(store(), rules, 50).events, 10U);
  EXPECT_GE(events_left(store(), events).size(), 200U);
}

// --- What a live stream reads -----------------------------------------------------------------

ListPage events_after(Store& store, std::uint64_t after, std::uint32_t count_max = 100,
                      std::size_t bytes_max = 1'000'000) {
  base::Result<ListPage> page = store.list(
      ListEventsAfter{id_of<model::OrgId>(1), EventSeq(after), count_max, bytes_max, 1000});
  EXPECT_TRUE(page.ok()) << page.error().message;
  return page.ok() ? std::move(page.value()) : ListPage{};
}

std::vector<std::uint64_t> seqs_of(const ListPage& page) {
  std::vector<std::uint64_t> seqs;
  for (const model::EventPtr& event : page.events) seqs.push_back(event->seq.value());
  return seqs;
}

TEST_P(StoreConformance, EventsBehindASequenceComeInOrder) {
  model::Event hook = event_at(6);
  hook.trigger_type = model::TriggerType::kSyncHook;
  ASSERT_TRUE(store()
                  .commit(batch(put(event_at(3)), put(event_at(4, 2)), put(event_at(5)), put(hook),
                                put(event_at(7)), put(event_at(8, 2))))
                  .ok());
  reopen();
  ListPage page = events_after(store(), 0);
  EXPECT_THAT(seqs_of(page), ElementsAre(3, 5, 7));
  EXPECT_EQ(*page.events[0], event_at(3));
  EXPECT_TRUE(page.is_whole);
  EXPECT_EQ(page.looked_at_through, EventSeq(7));
  EXPECT_THAT(seqs_of(events_after(store(), 3)), ElementsAre(5, 7));
  EXPECT_THAT(seqs_of(events_after(store(), 6)), ElementsAre(7));
  page = events_after(store(), 7);
  EXPECT_THAT(seqs_of(page), ElementsAre());
  EXPECT_TRUE(page.is_whole);
  EXPECT_EQ(page.looked_at_through, std::nullopt);
}

TEST_P(StoreConformance, EventsBehindASequenceComeInBoundedPages) {
  ASSERT_TRUE(store().commit(batch(put(event_at(3)), put(event_at(4)), put(event_at(5)))).ok());
  ListPage page = events_after(store(), 0, 2);
  EXPECT_THAT(seqs_of(page), ElementsAre(3, 4));
  EXPECT_FALSE(page.is_whole);
  EXPECT_EQ(page.looked_at_through, EventSeq(4));
  page = events_after(store(), 0, 3);
  EXPECT_THAT(seqs_of(page), ElementsAre(3, 4, 5));
  EXPECT_TRUE(page.is_whole);
  page = events_after(store(), 0, 100, event_at(3).content.size() + 1);
  EXPECT_THAT(seqs_of(page), ElementsAre(3, 4)) << "the last one may pass the limit";
  EXPECT_FALSE(page.is_whole);
  base::Result<ListPage> looked =
      store().list(ListEventsAfter{id_of<model::OrgId>(1), EventSeq(0), 100, 1'000'000, 1});
  ASSERT_TRUE(looked.ok());
  EXPECT_THAT(seqs_of(looked.value()), ElementsAre(3));
}

TEST_P(StoreConformance, EventsBehindASequenceSayWhereRetentionHasBeen) {
  model::Counters counters;
  counters.next_event = EventSeq(100);
  ASSERT_TRUE(store()
                  .commit(batch(put(event_at(3)), put(event_at(4, 2)), put(event_at(5)),
                                put(event_at(9)), put(counters)))
                  .ok());
  EXPECT_LE(events_after(store(), 0).erased_before, EventSeq(3));
  RetentionRules rules;
  rules.events_before = wall(5);
  rules.dead_before = wall(5);
  run_pass(store(), rules, 100);
  reopen();
  // 3 and 4 are gone, 5 is not: whoever has seen 4 has missed nothing.
  EXPECT_EQ(events_after(store(), 0).erased_before, EventSeq(5));
  rules.events_before = wall(100);
  rules.dead_before = wall(100);
  run_pass(store(), rules, 100);
  EXPECT_EQ(events_after(store(), 0).erased_before, EventSeq(10));
}

}  // namespace
}  // namespace triggerd::store::testing
