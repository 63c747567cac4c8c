// The lists that mending asks for, of every store.
#include <gmock/gmock.h>

#include <cstdint>
#include <vector>

#include "engine/model/limits.h"
#include "tests/store/store_conformance.h"
#include "tests/store/store_samples.h"

namespace triggerd::store::testing {
namespace {

using model::DeliveryState;
using model::EventSeq;
using model::WebhookRef;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint32_t kRowsMax = 100'000;
constexpr std::size_t kBytesMax = 1'000'000;

const model::OrgId kOrg = id_of<model::OrgId>(1);
const model::OrgId kOther = id_of<model::OrgId>(2);

ListPage list(Store& store, const ListQuery& query) {
  base::Result<ListPage> page = store.list(query);
  EXPECT_TRUE(page.ok()) << page.error().message;
  return page.ok() ? std::move(page.value()) : ListPage{};
}

// Deliveries that are over, as the engine leaves them: no pending rows.
struct Ends {
  model::Batch batch{model::BatchSeq(1), {}};

  void accept(std::uint64_t seq, const std::vector<std::uint32_t>& webhooks,
              model::OrgId org = kOrg) {
    model::Event added = event(seq);
    added.org = org;
    added.accepted_at = wall(static_cast<std::int64_t>(seq));
    added.matches.clear();
    for (const std::uint32_t webhook : webhooks) {
      added.matches.push_back({WebhookRef(webhook), model::Generation(7)});
    }
    batch.mutations.push_back(put(added));
  }
  void end(std::uint32_t webhook, std::uint64_t seq, DeliveryState state, std::uint16_t number = 1,
           model::OrgId org = kOrg) {
    model::AttemptRecord ended = attempt(webhook, seq, number);
    ended.accepted_at = wall(static_cast<std::int64_t>(seq));
    ended.state_after = state;
    ended.due = {};
    batch.mutations.emplace_back(model::PutAttempt{ended, org});
  }
  void commit_to(Store& store) { ASSERT_TRUE(store.commit(batch).ok()); }
};

ListFinals finals_of(std::uint32_t webhook, std::uint64_t after, std::uint8_t states) {
  ListFinals query;
  query.org = kOrg;
  query.webhook = WebhookRef(webhook);
  query.after = EventSeq(after);
  query.until = wall(1'000'000);
  query.states = states;
  query.count_max = 10;
  query.looked_at_max = kRowsMax;
  query.bytes_max = kBytesMax;
  return query;
}

std::vector<std::uint64_t> seqs_of(const ListPage& page) {
  std::vector<std::uint64_t> seqs;
  for (const model::StoredDelivery& delivery : page.finals) {
    seqs.push_back(delivery.event->seq.value());
  }
  return seqs;
}

std::vector<std::pair<std::uint64_t, std::uint32_t>> places_of(const ListPage& page) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> places;
  for (const model::DeadLetter& letter : page.dead) {
    places.emplace_back(letter.delivery.seq.value(), letter.webhook.value());
  }
  return places;
}

ListDead dead_of(model::OrgId org) {
  ListDead query;
  query.org = org;
  query.count_max = 10;
  query.looked_at_max = kRowsMax;
  query.bytes_max = kBytesMax;
  return query;
}

TEST_P(StoreConformance, FinalsComeOldestFirstWithTheirEvents) {
  Ends ends;
  for (std::uint64_t seq = 1; seq <= 6; ++seq) ends.accept(seq, {1, 2});
  ends.end(1, 1, DeliveryState::kDelivered);
  ends.end(1, 2, DeliveryState::kDead, 4);
  ends.end(1, 3, DeliveryState::kCancelled, model::kNoAttempt);
  ends.end(1, 5, DeliveryState::kDead);
  ends.end(2, 4, DeliveryState::kDead);
  ends.commit_to(store());
  reopen();
  const ListPage dead = list(store(), finals_of(1, 0, model::kRecoverDead));
  EXPECT_THAT(seqs_of(dead), ElementsAre(2, 5));
  EXPECT_FALSE(dead.finals_to);
  EXPECT_EQ(dead.finals[0].attempts, 4);
  EXPECT_EQ(dead.finals[0].state, DeliveryState::kDead);
  EXPECT_EQ(dead.finals[0].match, 0U);
  EXPECT_EQ(dead.finals[0].event->content, event(2).content);
  EXPECT_THAT(seqs_of(list(store(), finals_of(1, 0, model::kRecoverCancelled))), ElementsAre(3));
  const ListPage both =
      list(store(), finals_of(1, 0, model::kRecoverDead | model::kRecoverCancelled));
  EXPECT_THAT(seqs_of(both), ElementsAre(2, 3, 5));
  EXPECT_EQ(both.finals[1].attempts, 0);
  const ListPage second = list(store(), finals_of(2, 0, model::kRecoverDead));
  ASSERT_THAT(seqs_of(second), ElementsAre(4));
  EXPECT_EQ(second.finals[0].match, 1U);
}

TEST_P(StoreConformance, WhatIsOverComesWithThePendingRowThatItShares) {
  std::vector<std::uint32_t> webhooks(66);
  for (std::uint32_t i = 0; i < webhooks.size(); ++i) webhooks[i] = i + 1;
  Ends ends;
  ends.accept(1, webhooks);
  ends.accept(2, {66});
  ends.end(66, 1, DeliveryState::kDead);
  ends.end(66, 2, DeliveryState::kDead);
  const model::PendingChunk shared = pending(
      1, 1, {pending_entry(65, DeliveryState::kReady), pending_entry(66, DeliveryState::kDead)});
  ends.batch.mutations.push_back(put(pending(1, 0)));
  ends.batch.mutations.push_back(put(shared));
  ends.commit_to(store());
  reopen();
  const ListPage page = list(store(), finals_of(66, 0, model::kRecoverDead));
  ASSERT_THAT(seqs_of(page), ElementsAre(1, 2));
  EXPECT_EQ(page.finals[0].row, shared);
  EXPECT_EQ(page.finals[1].row, std::nullopt);
  EXPECT_THAT(list(store(), ListAttempts{WebhookRef(66), EventSeq(1)}).pending,
              ElementsAre(shared));
  EXPECT_EQ(list(store(), ListAttempts{WebhookRef(66), EventSeq(1)}).deliveries.at(0).state,
            DeliveryState::kDead);
  EXPECT_THAT(list(store(), ListAttempts{WebhookRef(66), EventSeq(2)}).pending, IsEmpty());
}

TEST_P(StoreConformance, FinalsGoOnWhereThePageEnded) {
  Ends ends;
  for (std::uint64_t seq = 1; seq <= 9; ++seq) {
    ends.accept(seq, {1});
    ends.end(1, seq, DeliveryState::kDead);
  }
  ends.commit_to(store());
  reopen();
  ListFinals query = finals_of(1, 0, model::kRecoverDead);
  query.since = wall(3);
  query.until = wall(8);
  query.count_max = 2;
  const ListPage first = list(store(), query);
  EXPECT_THAT(seqs_of(first), ElementsAre(3, 4));
  ASSERT_TRUE(first.finals_to);
  query.after = *first.finals_to;
  query.count_max = 10;
  query.bytes_max = 1;
  const ListPage second = list(store(), query);
  EXPECT_THAT(seqs_of(second), ElementsAre(5));
  ASSERT_TRUE(second.finals_to);
  query.after = *second.finals_to;
  query.bytes_max = kBytesMax;
  query.looked_at_max = 1;
  const ListPage third = list(store(), query);
  EXPECT_THAT(seqs_of(third), ElementsAre(6));
  query.after = *third.finals_to;
  query.looked_at_max = kRowsMax;
  const ListPage last = list(store(), query);
  EXPECT_THAT(seqs_of(last), ElementsAre(7));
  EXPECT_FALSE(last.finals_to);
}

TEST_P(StoreConformance, DeadLettersOfAnOrganizationNewestFirst) {
  Ends ends;
  ends.accept(1, {1, 2});
  ends.accept(2, {1}, kOther);
  ends.accept(3, {1, 2});
  ends.accept(4, {3});
  ends.end(1, 1, DeliveryState::kDead);
  ends.end(2, 1, DeliveryState::kDead);
  ends.end(1, 2, DeliveryState::kDead, 1, kOther);
  ends.end(1, 3, DeliveryState::kDelivered);
  ends.end(2, 3, DeliveryState::kDead, 2);
  ends.end(3, 4, DeliveryState::kCancelled, model::kNoAttempt);
  ends.commit_to(store());
  reopen();
  using Place = std::pair<std::uint64_t, std::uint32_t>;
  const ListPage all = list(store(), dead_of(kOrg));
  EXPECT_THAT(places_of(all), ElementsAre(Place(3, 2), Place(1, 2), Place(1, 1)));
  EXPECT_FALSE(all.dead_next);
  EXPECT_EQ(all.dead[0].delivery.attempts, 2);
  EXPECT_EQ(all.dead[0].event, nullptr);
  EXPECT_THAT(places_of(list(store(), dead_of(kOther))), ElementsAre(Place(2, 1)));

  ListDead paged = dead_of(kOrg);
  paged.count_max = 2;
  paged.with_events = true;
  const ListPage first = list(store(), paged);
  EXPECT_THAT(places_of(first), ElementsAre(Place(3, 2), Place(1, 2)));
  ASSERT_NE(first.dead[0].event, nullptr);
  EXPECT_EQ(first.dead[0].event->content, event(3).content);
  paged.position = first.dead_next;
  EXPECT_THAT(places_of(list(store(), paged)), ElementsAre(Place(1, 1)));

  ListDead of_webhook = dead_of(kOrg);
  of_webhook.webhook = WebhookRef(2);
  EXPECT_THAT(places_of(list(store(), of_webhook)), ElementsAre(Place(3, 2), Place(1, 2)));
  ListDead before = dead_of(kOrg);
  before.filter.until = wall(3);
  EXPECT_THAT(places_of(list(store(), before)), ElementsAre(Place(1, 2), Place(1, 1)));
  ListDead since = dead_of(kOrg);
  since.filter.since = wall(2);
  EXPECT_THAT(places_of(list(store(), since)), ElementsAre(Place(3, 2)));
}

TEST_P(StoreConformance, WhatIsGivenAgainIsNoDeadLetterAnyMore) {
  Ends ends;
  ends.accept(1, {1});
  ends.end(1, 1, DeliveryState::kDead, 3);
  ends.commit_to(store());
  Ends again;
  again.batch.mutations.emplace_back(model::ReopenDelivery{WebhookRef(1), EventSeq(1), kOrg});
  again.commit_to(store());
  reopen();
  EXPECT_THAT(list(store(), dead_of(kOrg)).dead, IsEmpty());
  EXPECT_THAT(list(store(), finals_of(1, 0, model::kRecoverDead)).finals, IsEmpty());
}

TEST_P(StoreConformance, RetentionTakesDeadLettersAlong) {
  Ends ends;
  ends.accept(1, {1});
  ends.end(1, 1, DeliveryState::kDead);
  ends.batch.mutations.push_back(put(counters(2, 2)));
  ends.commit_to(store());
  RetentionStep step;
  step.rules = {wall(100), wall(100), 0};
  step.events_max = 100;
  for (bool more = true; more;) {
    const auto progress = store().retain(step);
    ASSERT_TRUE(progress.ok());
    more = progress.value().from.has_value();
    step.from = progress.value().from.value_or(EventSeq(0));
  }
  EXPECT_THAT(list(store(), dead_of(kOrg)).dead, IsEmpty());
}

TEST_P(StoreConformance, JobsAreKeptUntilTheyAreErased) {
  ASSERT_TRUE(
      store()
          .commit(batch(put(organization(1)), model::PutJob{job(1, 4)}, model::PutJob{job(1, 5)}))
          .ok());
  ASSERT_TRUE(store().commit(batch(model::EraseJob{kOrg, id_of<model::JobId>(4)})).ok());
  reopen();
  std::vector<model::RecoverJob> jobs;
  ASSERT_TRUE(store()
                  .scan([&jobs](model::Record record) {
                    if (auto* found = std::get_if<model::RecoverJob>(&record)) {
                      jobs.push_back(std::move(*found));
                    }
                  })
                  .ok());
  EXPECT_THAT(jobs, ElementsAre(job(1, 5)));
}

}  // namespace
}  // namespace triggerd::store::testing
