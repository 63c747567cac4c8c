// What is counted on a hot path: one thread writes, any reads, nobody waits. No lock, no
// allocation, no read-modify-write: a cell costs a load and a store.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace triggerd::app::metrics {

// Goes up only. Thread: add() by one, value() by any.
class Count {
 public:
  void add(std::uint64_t number = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + number, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Goes up and down. Thread: set() by one, value() by any.
class Level {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// How often a value fell under each of N upper bounds (and above all), and the sum of all.
// Thread: observe() by one, the rest by any; a reader may miss the newest observation in one part.
template <std::size_t N>
class Distribution {
 public:
  using Bounds = std::array<double, N>;

  // `bounds` rise, and outlive this.
  explicit Distribution(const Bounds& bounds) : bounds_(&bounds) {}

  void observe(double value) {
    std::size_t bucket = 0;
    while (bucket < N && value > (*bounds_)[bucket]) ++bucket;
    counts_[bucket].add();
    sum_.set(sum_.value() + value);
  }

  [[nodiscard]] const Bounds& bounds() const { return *bounds_; }
  // Of the bucket below bounds()[index] alone; index N: above the last bound.
  [[nodiscard]] std::uint64_t count_in(std::size_t index) const { return counts_[index].value(); }
  [[nodiscard]] double sum() const { return sum_.value(); }

 private:
  const Bounds* bounds_;
  std::array<Count, N + 1> counts_;
  Level sum_;
};

// Seconds, as OpenTelemetry buckets the durations of HTTP.
inline constexpr std::array<double, 14> kSecondsBounds{.005, .01, .025, .05, .075, .1,  .25,
                                                       .5,   .75, 1,    2.5, 5,    7.5, 10};
using Seconds = Distribution<kSecondsBounds.size()>;

}  // namespace triggerd::app::metrics
