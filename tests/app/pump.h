// Runs a loop until what a test waits for is there.
#pragma once

#include <chrono>
#include <thread>

#include "engine/loop/event_loop.h"

namespace triggerd::app {

// False when `done` stays false for half a minute: the test hangs no longer than that.
template <class Done>
[[nodiscard]] bool pump_until(loop::EventLoop& event_loop, const Done& done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    event_loop.run_once();
    std::this_thread::yield();
  }
  return true;
}

// Some ticks, so that whatever is ready happens.
inline void pump(loop::EventLoop& event_loop) {
  for (int i = 0; i < 20; ++i) event_loop.run_once();
}

}  // namespace triggerd::app
