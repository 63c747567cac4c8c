// Runs what is measured and its floor in one benchmark, and shows floor and ratio as counters.
#pragma once

#include <cstdint>
#include <ctime>

#include <benchmark/benchmark.h>

namespace triggerd::bench {

// Of this thread, so that a busy machine does not count.
[[nodiscard]] inline double thread_cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

// `ours` is what the benchmark measures; `floor` runs as often, right after it. Both are callables
// that keep their result from being optimised away.
template <class Ours, class Floor>
void beside(benchmark::State& state, Ours&& ours, Floor&& floor) {
  const double begin = thread_cpu_ns();
  for (auto iteration : state) ours();
  const double middle = thread_cpu_ns();
  for (benchmark::IterationCount i = 0; i < state.iterations(); ++i) floor();
  const double end = thread_cpu_ns();
  state.counters["floor_ns"] = (end - middle) / static_cast<double>(state.iterations());
  state.counters["ratio"] = (middle - begin) / (end - middle);
}

}  // namespace triggerd::bench
