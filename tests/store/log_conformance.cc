// The delivery log's lists, of every store: against a plain model, page by page, while rows come.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/random.h"
#include "tests/store/store_conformance.h"
#include "tests/store/store_samples.h"

namespace triggerd::store::testing {
namespace {

using model::DeliveryState;
using model::DeliveryStatus;
using model::EventSeq;
using model::WebhookRef;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint32_t kRowsMax = 100'000;

model::OrgId org(std::uint8_t number) {
  return id_of<model::OrgId>(number);
}

ListPage list(Store& store, const ListQuery& query) {
  base::Result<ListPage> page = store.list(query);
  EXPECT_TRUE(page.ok()) << page.error().message;
  return page.ok() ? std::move(page.value()) : ListPage{};
}

// An event and what is known of its deliveries, put as the engine puts them.
struct LogWriter {
  std::vector<model::Mutation> mutations;

  model::Event& accept(std::uint64_t seq, const std::vector<std::uint32_t>& webhooks,
                       const std::string& name = "PersonCreated_v1", std::uint8_t of = 1) {
    model::Event added = event(seq);
    added.org = org(of);
    added.name = name;
    added.accepted_at = wall(static_cast<std::int64_t>(seq));
    added.matches.clear();
    for (const std::uint32_t webhook : webhooks) {
      added.matches.push_back({WebhookRef(webhook), model::Generation(7)});
    }
    put_event(added);
    return events[seq];
  }
  void put_event(const model::Event& added) {
    events[added.seq.value()] = added;
    mutations.push_back(put(added));
    put_pending(added.seq.value());
  }
  // Attempt `number` of the delivery leads to this state.
  void attempt_at(std::uint32_t webhook, std::uint64_t seq, std::uint16_t number,
                  DeliveryState state) {
    model::AttemptRecord made = attempt(webhook, seq, number);
    made.event_name = events[seq].name;
    made.accepted_at = events[seq].accepted_at;
    made.state_after = state;
    if (state != DeliveryState::kDelayed) made.due = model::WallTime();
    mutations.push_back(put(made));
    const std::uint8_t before = entries[{seq, webhook}].attempts;
    model::PendingEntry& entry = entries[{seq, webhook}];
    entry = pending_entry(webhook, state);
    entry.attempts = number == model::kNoAttempt ? before : static_cast<std::uint8_t>(number);
    if (state == DeliveryState::kDelayed) entry.due = made.due;
    put_pending(seq);
  }
  void put_pending(std::uint64_t seq) {
    std::vector<model::PendingEntry> row;
    bool open = false;
    for (const model::Match& match : events[seq].matches) {
      auto [at, fresh] = entries.try_emplace({seq, match.webhook.value()});
      if (fresh) {
        at->second = pending_entry(match.webhook.value(), DeliveryState::kReady);
        at->second.attempts = 0;
      }
      open = open || !model::is_final(at->second.state);
      row.push_back(at->second);
    }
    if (!open) {
      mutations.emplace_back(model::ErasePending{EventSeq(seq), 0});
      return;
    }
    model::PendingChunk chunk = pending(seq, 0, row);
    chunk.event_name = events[seq].name;
    chunk.accepted_at = events[seq].accepted_at;
    mutations.push_back(put(chunk));
  }
  void commit_to(Store& store) {
    model::Batch whole;
    whole.mutations = std::exchange(mutations, {});
    ASSERT_TRUE(store.commit(whole).ok());
  }
  [[nodiscard]] model::PendingOfWebhook pending_of(std::uint32_t webhook) const {
    model::PendingOfWebhook found;
    for (const auto& [key, entry] : entries) {
      if (key.second != webhook) continue;
      found.newest = std::max(found.newest, EventSeq(key.first));
      if (!model::is_final(entry.state)) ++found.count;
    }
    return found;
  }
  // What a list of the webhook shows, newest first.
  [[nodiscard]] std::vector<std::uint64_t> expected(std::uint32_t webhook,
                                                    const model::LogFilter& filter) const {
    std::vector<std::uint64_t> seqs;
    for (auto at = entries.rbegin(); at != entries.rend(); ++at) {
      const auto& [seq, of] = at->first;
      const model::Event& event = events.at(seq);
      if (of != webhook) continue;
      if (filter.status && model::status_of(at->second.state) != *filter.status) continue;
      if (!filter.event_name.empty() && event.name != filter.event_name) continue;
      if (filter.since && event.accepted_at < *filter.since) continue;
      if (filter.until && event.accepted_at >= *filter.until) continue;
      seqs.push_back(seq);
    }
    return seqs;
  }

  std::map<std::uint64_t, model::Event> events;
  std::map<std::pair<std::uint64_t, std::uint32_t>, model::PendingEntry> entries;
};

ListLog log_of(const LogWriter& log, std::uint32_t webhook, model::LogFilter filter = {}) {
  return {org(1),       WebhookRef(webhook),     std::move(filter),
          std::nullopt, log.pending_of(webhook), 100,
          kRowsMax};
}

std::vector<std::uint64_t> seqs_of(const ListPage& page) {
  std::vector<std::uint64_t> seqs;
  for (const model::LoggedDelivery& line : page.deliveries) seqs.push_back(line.seq.value());
  for (const model::LoggedEvent& line : page.logged_events) seqs.push_back(line.event.seq.value());
  return seqs;
}

TEST_P(StoreConformance, LogOfAWebhookIsNewestFirstAndOfItAlone) {
  LogWriter log;
  for (const std::uint64_t seq : {3U, 5U, 6U, 7U, 9U}) log.accept(seq, {1, 2});
  log.accept(8, {2});
  log.attempt_at(1, 3, 1, DeliveryState::kDelayed);
  log.attempt_at(1, 3, 2, DeliveryState::kDead);
  log.attempt_at(1, 5, 1, DeliveryState::kDelivered);
  log.attempt_at(1, 6, 1, DeliveryState::kDelayed);
  log.attempt_at(1, 9, model::kNoAttempt, DeliveryState::kCancelled);
  log.commit_to(store());
  reopen();
  const ListPage page = list(store(), log_of(log, 1));
  EXPECT_THAT(seqs_of(page), ElementsAre(9, 7, 6, 5, 3));
  EXPECT_FALSE(page.next);

  const model::LoggedDelivery& cancelled = page.deliveries[0];
  EXPECT_EQ(cancelled.state, DeliveryState::kCancelled);
  EXPECT_EQ(cancelled.attempts, 0);
  const model::LoggedDelivery& ready = page.deliveries[1];
  EXPECT_EQ(ready.state, DeliveryState::kReady);
  EXPECT_EQ(ready.event_id, id_of<model::EventId>(7));
  EXPECT_EQ(ready.event_name, "PersonCreated_v1");
  EXPECT_EQ(ready.accepted_at, wall(7));
  EXPECT_FALSE(ready.last_attempt);
  const model::LoggedDelivery& delayed = page.deliveries[2];
  EXPECT_EQ(delayed.state, DeliveryState::kDelayed);
  EXPECT_EQ(delayed.next_attempt, wall(90));
  ASSERT_TRUE(delayed.last_attempt);
  EXPECT_EQ(delayed.last_attempt->number, 1);
  EXPECT_EQ(page.deliveries[4].attempts, 2);
  EXPECT_EQ(page.deliveries[4].state, DeliveryState::kDead);
}

TEST_P(StoreConformance, LogIsEmptyForAWebhookWithoutDeliveries) {
  LogWriter log;
  log.accept(3, {2});
  log.attempt_at(2, 3, 1, DeliveryState::kDead);
  log.commit_to(store());
  for (const std::uint32_t webhook : {1U, 3U}) {
    for (const auto status : {DeliveryStatus::kPending, DeliveryStatus::kDelivered,
                              DeliveryStatus::kDead, DeliveryStatus::kCancelled}) {
      const ListPage page = list(store(), log_of(log, webhook, {status, "", {}, {}}));
      EXPECT_THAT(page.deliveries, IsEmpty());
      EXPECT_FALSE(page.next);
    }
    EXPECT_THAT(list(store(), log_of(log, webhook)).deliveries, IsEmpty());
  }
}

TEST_P(StoreConformance, ReopenedDeliveryIsPendingAgainAndNotListedAsDead) {
  LogWriter log;
  log.accept(3, {1});
  log.attempt_at(1, 3, 1, DeliveryState::kDelayed);
  log.attempt_at(1, 3, model::kNoAttempt, DeliveryState::kDead);
  log.mutations.emplace_back(model::ReopenDelivery{WebhookRef(1), EventSeq(3)});
  log.entries[{3, 1}].state = DeliveryState::kReady;
  log.put_pending(3);
  log.commit_to(store());
  reopen();
  EXPECT_THAT(list(store(), log_of(log, 1, {DeliveryStatus::kDead, "", {}, {}})).deliveries,
              IsEmpty());
  const ListPage page = list(store(), log_of(log, 1));
  ASSERT_THAT(seqs_of(page), ElementsAre(3));
  EXPECT_EQ(page.deliveries[0].state, DeliveryState::kReady);
  EXPECT_EQ(page.deliveries[0].attempts, 1);
  const ListEvents dead{org(1), {DeliveryStatus::kDead, "", {}, {}}, {}, {}, 10, kRowsMax};
  EXPECT_THAT(list(store(), dead).logged_events, IsEmpty());
}

TEST_P(StoreConformance, AttemptsOfADeliveryAreAllThereLastFirst) {
  LogWriter log;
  log.accept(3, {1, 2});
  log.accept(4, {1});
  log.attempt_at(1, 3, 1, DeliveryState::kDelayed);
  log.attempt_at(1, 3, 2, DeliveryState::kDelayed);
  log.attempt_at(1, 4, 1, DeliveryState::kDelivered);
  log.commit_to(store());
  reopen();
  const ListPage page = list(store(), ListAttempts{WebhookRef(1), EventSeq(3)});
  ASSERT_EQ(page.attempts.size(), 2U);
  EXPECT_EQ(page.attempts[0].number, 2);
  EXPECT_EQ(page.attempts[1].number, 1);
  ASSERT_EQ(page.deliveries.size(), 1U);
  EXPECT_EQ(page.deliveries[0].state, DeliveryState::kDelayed);
  EXPECT_EQ(page.deliveries[0].attempts, 2);
  ASSERT_EQ(page.pending.size(), 1U);
  EXPECT_EQ(page.pending[0].seq, EventSeq(3));

  const ListPage unattempted = list(store(), ListAttempts{WebhookRef(2), EventSeq(3)});
  EXPECT_THAT(unattempted.attempts, IsEmpty());
  ASSERT_EQ(unattempted.deliveries.size(), 1U);
  EXPECT_EQ(unattempted.deliveries[0].state, DeliveryState::kReady);
  EXPECT_THAT(list(store(), ListAttempts{WebhookRef(2), EventSeq(4)}).deliveries, IsEmpty());
}

TEST_P(StoreConformance, EventsOfAnOrganizationAreListedWithTheirDeliveries) {
  LogWriter log;
  log.accept(3, {1, 2, 3, 4});
  log.accept(4, {9}, "PersonCreated_v1", 2);
  log.accept(5, {}, "PersonDeleted_v1");
  log.attempt_at(1, 3, 1, DeliveryState::kDelivered);
  log.attempt_at(2, 3, 1, DeliveryState::kDead);
  log.attempt_at(3, 3, model::kNoAttempt, DeliveryState::kCancelled);
  log.commit_to(store());
  reopen();
  const auto events = [this](model::LogFilter filter) {
    return list(store(), ListEvents{org(1), std::move(filter), {}, {}, 10, kRowsMax});
  };
  const ListPage page = events({});
  ASSERT_THAT(seqs_of(page), ElementsAre(5, 3));
  EXPECT_EQ(page.logged_events[1].event, model::summary_of(log.events[3]));
  EXPECT_EQ(page.logged_events[1].deliveries, (model::DeliveryCounts{1, 1, 1, 1}));
  EXPECT_EQ(page.logged_events[0].deliveries, model::DeliveryCounts{});
  EXPECT_THAT(seqs_of(events({{}, "PersonDeleted_v1", {}, {}})), ElementsAre(5));
  EXPECT_THAT(seqs_of(events({DeliveryStatus::kPending, "", {}, {}})), ElementsAre(3));
  EXPECT_THAT(seqs_of(events({{}, "", wall(4), {}})), ElementsAre(5));
  EXPECT_THAT(seqs_of(events({{}, "", {}, wall(5)})), ElementsAre(3));
  EXPECT_THAT(seqs_of(events({{}, "", {}, wall(3)})), IsEmpty());
}

TEST_P(StoreConformance, NoEventIsPendingBelowTheOldest) {
  LogWriter log;
  log.accept(3, {1});
  log.accept(4, {1});
  log.commit_to(store());
  ListEvents query{org(1), {DeliveryStatus::kPending, "", {}, {}}, {}, EventSeq(4), 10, kRowsMax};
  EXPECT_THAT(seqs_of(list(store(), query)), ElementsAre(4));
  query.pending_oldest = EventSeq(3);
  EXPECT_THAT(seqs_of(list(store(), query)), ElementsAre(4, 3));
}

TEST_P(StoreConformance, WorkForAPageIsBoundedAndTheListStillGetsThrough) {
  LogWriter log;
  for (std::uint64_t seq = 1; seq <= 300; ++seq) {
    log.accept(seq, {seq % 100 == 1 ? 1U : 2U}, seq % 2 == 0 ? "A_v1" : "B_v1");
    if (seq % 3 == 0) log.attempt_at(2, seq, 1, DeliveryState::kDelivered);
  }
  log.accept(5000, {2}, "A_v1");
  log.commit_to(store());
  for (const model::LogFilter& filter :
       {model::LogFilter{}, model::LogFilter{DeliveryStatus::kPending, "", {}, {}},
        model::LogFilter{{}, "B_v1", {}, {}}}) {
    ListLog query = log_of(log, 1, filter);
    query.looked_at_max = 20;
    std::vector<std::uint64_t> seen;
    bool was_empty = false;
    int pages = 0;
    for (; pages < 500; ++pages) {
      const ListPage page = list(store(), query);
      for (const std::uint64_t seq : seqs_of(page)) seen.push_back(seq);
      was_empty |= page.deliveries.empty();
      if (!page.next) break;
      query.position = page.next;
    }
    EXPECT_EQ(seen, log.expected(1, filter));
    EXPECT_TRUE(was_empty);
    EXPECT_LT(pages, 500);
  }
}

TEST_P(StoreConformance, PendingIsNotLookedForBelowTheOldest) {
  LogWriter log;
  log.accept(3, {1});
  log.accept(500'000, {1});
  log.accept(900'000, {1});
  log.commit_to(store());
  ListLog query = log_of(log, 1, {DeliveryStatus::kPending, "", {}, {}});
  query.looked_at_max = 2000;
  query.pending.oldest = EventSeq(899'000);
  query.pending.count = 1000;
  const ListPage page = list(store(), query);
  EXPECT_THAT(seqs_of(page), ElementsAre(900'000));
  EXPECT_FALSE(page.next);
}

TEST_P(StoreConformance, CountThatIsTooHighCostsAndHidesNothing) {
  LogWriter log;
  log.accept(3, {1});
  log.accept(4, {2});
  log.attempt_at(1, 3, 1, DeliveryState::kDelivered);
  log.commit_to(store());
  ListLog query = log_of(log, 1);
  query.pending.count = 1000;
  const ListPage page = list(store(), query);
  EXPECT_THAT(seqs_of(page), ElementsAre(3));
  EXPECT_FALSE(page.next);
}

// What came later than the count must not be taken for what it counted.
TEST_P(StoreConformance, DeliveriesAcceptedAfterTheCountDoNotHideOlderOnes) {
  LogWriter log;
  log.accept(3, {1});
  const model::PendingOfWebhook counted = log.pending_of(1);
  log.accept(4, {1});
  log.commit_to(store());
  ListLog query = log_of(log, 1);
  query.pending = counted;
  EXPECT_THAT(seqs_of(list(store(), query)), ElementsAre(3));
}

// Any history, read page by page while it goes on: what was there at the first page and stays as it
// is is shown once, in order; nothing is shown twice.
TEST_P(StoreConformance, PagingAgreesWithAPlainModelWhileRowsArrive) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    driver_again();
    base::SeededRandom random(seed);
    LogWriter log;
    std::uint64_t next = 1;
    const auto live = [&](std::size_t steps) {
      for (std::size_t i = 0; i < steps; ++i) {
        if (random.below(3) == 0 || next < 5) {
          next += random.below(50) == 0 ? 3000 : 1 + random.below(2);
          std::vector<std::uint32_t> webhooks;
          for (const std::uint32_t webhook : {1U, 2U, 3U}) {
            if (random.below(2) == 0) webhooks.push_back(webhook);
          }
          log.accept(next, webhooks, random.below(2) == 0 ? "A_v1" : "B_v1");
          continue;
        }
        auto at = log.entries.begin();
        if (at == log.entries.end()) continue;
        std::advance(at, static_cast<std::ptrdiff_t>(random.below(log.entries.size())));
        if (model::is_final(at->second.state)) continue;
        static constexpr DeliveryState states[] = {DeliveryState::kDelayed, DeliveryState::kDelayed,
                                                   DeliveryState::kDelivered, DeliveryState::kDead,
                                                   DeliveryState::kCancelled};
        const DeliveryState to = states[random.below(5)];
        const bool without = to != DeliveryState::kDelayed && random.below(4) == 0;
        const auto number = static_cast<std::uint16_t>(at->second.attempts + 1);
        log.attempt_at(at->first.second, at->first.first, without ? model::kNoAttempt : number, to);
      }
      log.commit_to(store());
    };
    live(150);
    model::LogFilter filter;
    if (random.below(2) == 0) filter.status = static_cast<DeliveryStatus>(1 + random.below(4));
    if (random.below(3) == 0) filter.event_name = "A_v1";
    const auto some_time = [&] { return wall(static_cast<std::int64_t>(random.below(next + 2))); };
    if (random.below(3) == 0) filter.since = some_time();
    if (random.below(3) == 0) filter.until = some_time();

    const std::vector<std::uint64_t> before = log.expected(1, filter);
    ListLog query = log_of(log, 1, filter);
    query.count_max = static_cast<std::uint32_t>(1 + random.below(7));
    query.looked_at_max = static_cast<std::uint32_t>(random.below(2) == 0 ? 16 : kRowsMax);
    std::vector<std::uint64_t> seen;
    for (int pages = 0; pages < 3000; ++pages) {
      const ListPage page = list(store(), query);
      for (const std::uint64_t seq : seqs_of(page)) seen.push_back(seq);
      ASSERT_LE(page.deliveries.size(), query.count_max);
      if (!page.next) break;
      ASSERT_LT(pages, 2999) << "never ends";
      query.position = page.next;
      if (random.below(3) == 0) live(10);
      query.pending = log.pending_of(1);
    }
    const std::vector<std::uint64_t> after = log.expected(1, filter);
    EXPECT_TRUE(std::is_sorted(seen.rbegin(), seen.rend()));
    EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
    const std::set<std::uint64_t> seen_set(seen.begin(), seen.end());
    const std::set<std::uint64_t> later(after.begin(), after.end());
    for (const std::uint64_t seq : before) {
      if (later.count(seq) == 0) continue;
      EXPECT_EQ(seen_set.count(seq), 1U) << "seed " << seed << " " << seq;
    }
    std::set<std::uint64_t> ever(before.begin(), before.end());
    ever.insert(after.begin(), after.end());
    if (!filter.status) {
      for (const std::uint64_t seq : seen) EXPECT_EQ(ever.count(seq), 1U) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace triggerd::store::testing
