#include "app/demo/tally.h"

#include <algorithm>
#include <bit>

#include "engine/base/assert.h"

namespace triggerd::app {

void DemoTally::sent(base::EventId event, base::MonoTime at) {
  const std::lock_guard<std::mutex> lock(mutex_);
  rows_[event].sent_at = at;
}

void DemoTally::accepted(base::EventId event, std::uint32_t webhooks) {
  const std::lock_guard<std::mutex> lock(mutex_);
  rows_[event].expected = webhooks;
  ++accepted_;
  expected_ += webhooks;
}

void DemoTally::called(base::EventId event, std::size_t webhook, base::MonoTime at) {
  TRIGGERD_ASSERT(webhook < 64);
  const std::lock_guard<std::mutex> lock(mutex_);
  Row& row = rows_[event];
  const std::uint64_t bit = std::uint64_t{1} << webhook;
  if ((row.arrived_at & bit) != 0) {
    ++duplicates_;
    return;
  }
  row.arrived_at |= bit;
  latencies_.push_back(at - row.sent_at);
}

void DemoTally::rejected() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++rejected_;
}

DemoTally::Counts DemoTally::counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return Counts{accepted_, expected_, latencies_.size()};
}

DemoFigures DemoTally::figures() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  DemoFigures figures;
  figures.accepted = accepted_;
  figures.duplicates = duplicates_;
  figures.rejected = rejected_;
  for (const auto& [event, row] : rows_) {
    const auto arrived = static_cast<std::uint32_t>(std::popcount(row.arrived_at));
    figures.expected += row.expected;
    figures.delivered += arrived;
    if (row.expected > arrived) figures.lost += row.expected - arrived;
  }
  figures.latencies = latencies_;
  std::sort(figures.latencies.begin(), figures.latencies.end());
  return figures;
}

}  // namespace triggerd::app
