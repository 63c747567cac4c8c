#include "engine/core/pending_events.h"

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "engine/base/random.h"

namespace triggerd::core {
namespace {

constexpr std::size_t kPayload = 10'000;

std::uint32_t add(PendingEvents& events, std::uint64_t seq) {
  PendingEvent event;
  event.seq = model::EventSeq(seq);
  event.count = event.open = event.active = 1;
  event.deliveries = std::make_unique<PendingDelivery[]>(1);
  const std::uint32_t place = events.add(std::move(event));
  auto content = std::make_shared<model::Event>();
  content->seq = model::EventSeq(seq);
  content->content = std::string(kPayload, 'x');
  events.keep(place, content);
  return place;
}

void set_active(PendingEvents& events, std::uint32_t place, std::uint32_t active) {
  events.at(place).active = active;
  events.settle(place);
}

TEST(PendingEvents, StayInOrderOfSequenceAsOthersGo) {
  PendingEvents events(1'000'000);
  const std::uint32_t first = add(events, 1);
  const std::uint32_t second = add(events, 2);
  const std::uint32_t third = add(events, 3);
  events.erase(second);
  EXPECT_EQ(events.first(), first);
  EXPECT_EQ(events.after(first), third);
  const std::uint32_t fourth = add(events, 4);
  EXPECT_EQ(fourth, second);  // its place is used again
  EXPECT_EQ(events.after(third), fourth);
  events.erase(first);
  EXPECT_EQ(events.first(), third);
  events.erase(third);
  events.erase(fourth);
  EXPECT_EQ(events.first(), kNoEvent);
  EXPECT_EQ(events.last(), kNoEvent);
  EXPECT_EQ(events.payload_bytes(), 0U);
}

TEST(PendingEvents, KeepPayloadsUpToTheLimit) {
  PendingEvents events(3 * kPayload);
  add(events, 1);
  add(events, 2);
  events.trim();
  EXPECT_NE(events.at(0).content, nullptr);
  EXPECT_NE(events.at(1).content, nullptr);
  add(events, 3);
  events.trim();
  EXPECT_LE(events.payload_bytes(), 3 * kPayload);
}

TEST(PendingEvents, DropFirstWhatWaitsLongestThenTheNewest) {
  PendingEvents events(2 * kPayload + kPayload / 2);
  const std::uint32_t first = add(events, 1);
  const std::uint32_t second = add(events, 2);
  const std::uint32_t third = add(events, 3);
  set_active(events, second, 0);
  set_active(events, first, 0);
  events.trim();
  EXPECT_EQ(events.at(second).content, nullptr);
  EXPECT_NE(events.at(first).content, nullptr);
  EXPECT_NE(events.at(third).content, nullptr);

  set_active(events, first, 1);  // due again: behind the others, but wanted
  const std::uint32_t fourth = add(events, 4);
  events.trim();
  EXPECT_NE(events.at(third).content, nullptr);
  EXPECT_NE(events.at(first).content, nullptr);
  EXPECT_EQ(events.at(fourth).content, nullptr);
}

TEST(PendingEvents, DoNotDropWhatIsInUse) {
  PendingEvents events(0);
  const std::uint32_t first = add(events, 1);
  events.at(first).busy = 1;
  const std::uint32_t second = add(events, 2);
  events.trim();
  EXPECT_NE(events.at(first).content, nullptr);
  EXPECT_EQ(events.at(second).content, nullptr);
}

std::uint32_t insert(PendingEvents& events, std::uint64_t seq) {
  PendingEvent event;
  event.seq = model::EventSeq(seq);
  event.deliveries = std::make_unique<PendingDelivery[]>(0);
  return events.insert(std::move(event));
}

// Against a plain map: events come at the end and in between, go anywhere, and are found.
TEST(PendingEvents, AreFoundBySequenceWhereverTheyCameIn) {
  base::SeededRandom random(7);
  PendingEvents events(1'000'000'000);
  std::map<std::uint64_t, std::uint32_t> plain;
  std::uint64_t next = 1;
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t dice = random.below(10);
    if (dice < 6 || plain.empty()) {
      next += 1 + random.below(3);
      plain[next] = insert(events, next);
    } else if (dice < 8) {
      const std::uint64_t seq = 1 + random.below(next);
      if (!plain.contains(seq)) plain[seq] = insert(events, seq);
    } else {
      auto gone = plain.lower_bound(random.below(next + 1));
      if (gone == plain.end()) gone = plain.begin();
      events.erase(gone->second);
      plain.erase(gone);
    }
    const std::uint64_t wanted = random.below(next + 2);
    const auto expected = plain.lower_bound(wanted);
    const std::uint32_t found = events.find_from(model::EventSeq(wanted));
    ASSERT_EQ(found, expected == plain.end() ? kNoEvent : expected->second);
  }
  std::uint32_t place = events.first();
  for (const auto& [seq, expected] : plain) {
    ASSERT_EQ(place, expected);
    place = events.after(place);
  }
  EXPECT_EQ(place, kNoEvent);
}

}  // namespace
}  // namespace triggerd::core
