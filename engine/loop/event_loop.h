// A libuv loop with an owner, and the three handles that everything here is built of: timer, file
// descriptor watcher, and (mailbox.h) the way in from other threads.
//
// Thread: an EventLoop and its handles belong to the thread that calls run(); before run() and
// after it returned, to the thread that holds it. Handles do not outlive their loop.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <uv.h>

#include "engine/base/time.h"

namespace triggerd::loop {

class EventLoop {
 public:
  EventLoop();
  // Requires: run() is not running and every handle is destroyed.
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs until stop() is called. May be called again afterwards.
  void run();
  // Runs what is ready and returns; for tests.
  void run_once();
  // Makes run() return at the end of the tick. Loop thread only (elsewhere: post a message).
  void stop();

  // Runs `task` once at the end of this tick, after all sockets and timers: the one place from
  // which new work is started, so that no library is called from its own callback. A task deferred
  // by a task runs in the next tick.
  void defer(std::function<void()> task);

  // Both clocks, read now.
  [[nodiscard]] base::Now now() const { return base::read_clocks(); }
  [[nodiscard]] uv_loop_t* raw() { return &loop_; }

 private:
  void run_deferred();

  uv_loop_t loop_{};
  uv_check_t* check_ = nullptr;  // runs the deferred tasks
  uv_idle_t* idle_ = nullptr;    // keeps a tick from sleeping while tasks wait
  std::vector<std::function<void()>> deferred_;
};

// One deadline. Restarting moves it. Milliseconds are libuv's grain: it fires at or after the time.
class Timer {
 public:
  Timer(EventLoop& loop, std::function<void()> on_fire);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void start_after(base::Duration delay);
  void start_at(base::MonoTime deadline);
  void stop();

 private:
  EventLoop& loop_;
  uv_timer_t* handle_;
  std::function<void()> on_fire_;
};

// Tells when a descriptor that somebody else owns is readable or writable. Level-triggered.
class FdWatcher {
 public:
  // `on_ready` gets UV_READABLE | UV_WRITABLE | UV_DISCONNECT bits; on a poll error both directions
  // are reported, so that the owner finds the error by using the descriptor.
  FdWatcher(EventLoop& loop, int fd, std::function<void(int events)> on_ready);
  // Destroy before the descriptor is closed.
  ~FdWatcher();
  FdWatcher(const FdWatcher&) = delete;
  FdWatcher& operator=(const FdWatcher&) = delete;

  // 0 stops watching; the same events again cost nothing.
  void watch(int events);
  [[nodiscard]] int watched() const { return events_; }

 private:
  uv_poll_t* handle_;
  std::function<void(int)> on_ready_;
  int events_ = 0;
};

}  // namespace triggerd::loop
