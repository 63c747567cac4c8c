#include "app/retention.h"

#include <memory>

#include <gtest/gtest.h>

#include "store/memory_store.h"
#include "tests/app/pump.h"

namespace triggerd::app {
namespace {

// Erases in pieces, pass after pass, and stops when it is destroyed.
TEST(Retention, ErasesWhatIsOldAndKeepsWhatIsNot) {
  loop::EventLoop event_loop;
  store::MemoryStore store;
  const base::WallTime now = event_loop.now().wall;
  constexpr std::uint64_t old_events = model::kRetentionStepEvents + 10;
  model::Batch batch;
  for (std::uint64_t seq = 1; seq <= old_events + 1; ++seq) {
    auto event = std::make_shared<model::Event>();
    event->seq = model::EventSeq(seq);
    event->accepted_at = now - std::chrono::hours(seq <= old_events ? 25 : 23);
    batch.mutations.emplace_back(model::PutEvent{event});
  }
  model::Counters counters;
  counters.next_event = model::EventSeq(old_events + 2);
  batch.mutations.emplace_back(model::PutCounters{counters});
  ASSERT_TRUE(store.commit(batch).ok());
  {
    RetentionOptions options;
    options.age = std::chrono::hours(24);
    options.interval = std::chrono::milliseconds(1);
    Retention retention(event_loop, store, options);
    retention.start();
    ASSERT_TRUE(pump_until(event_loop, [&store] {
      return store.read_event(model::EventSeq(old_events)).value() == nullptr;
    }));
  }
  EXPECT_EQ(store.read_event(model::EventSeq(1)).value(), nullptr);
  EXPECT_NE(store.read_event(model::EventSeq(old_events + 1)).value(), nullptr);
}

// A pass that rests for an hour begins soon when the interval is a short one.
TEST(Retention, AnotherIntervalHoldsForThePassThatRests) {
  loop::EventLoop event_loop;
  store::MemoryStore store;
  auto event = std::make_shared<model::Event>();
  event->seq = model::EventSeq(1);
  event->accepted_at = event_loop.now().wall - std::chrono::hours(25);
  model::Counters counters;
  counters.next_event = model::EventSeq(2);
  ASSERT_TRUE(store
                  .commit(model::Batch{model::BatchSeq(1),
                                       {model::PutEvent{event}, model::PutCounters{counters}}})
                  .ok());
  RetentionOptions options;
  options.age = std::chrono::hours(48);
  options.interval = std::chrono::hours(1);
  Retention retention(event_loop, store, options);
  retention.start();
  options.age = std::chrono::hours(24);
  options.interval = std::chrono::milliseconds(1);
  retention.use(options);
  ASSERT_TRUE(pump_until(
      event_loop, [&store] { return store.read_event(model::EventSeq(1)).value() == nullptr; }));
}

}  // namespace
}  // namespace triggerd::app
