#include "engine/loop/event_loop.h"

#include <chrono>
#include <utility>

#include "engine/base/assert.h"

namespace triggerd::loop {
namespace {

// A handle's memory goes at its close callback, never earlier (libuv, handle.rst).
template <class Handle>
void close_and_delete(Handle* handle) {
  handle->data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(handle),
           [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
}

}  // namespace

EventLoop::EventLoop() : check_(new uv_check_t), idle_(new uv_idle_t) {
  TRIGGERD_ASSERT(uv_loop_init(&loop_) == 0);
  TRIGGERD_ASSERT(uv_check_init(&loop_, check_) == 0);
  TRIGGERD_ASSERT(uv_idle_init(&loop_, idle_) == 0);
  check_->data = this;
  uv_check_start(check_, [](uv_check_t* handle) {
    if (handle->data != nullptr) static_cast<EventLoop*>(handle->data)->run_deferred();
  });
  // The check alone must not keep a loop alive that has nothing else to do.
  uv_unref(reinterpret_cast<uv_handle_t*>(check_));
}

EventLoop::~EventLoop() {
  close_and_delete(check_);
  close_and_delete(idle_);
  uv_run(&loop_, UV_RUN_DEFAULT);
  TRIGGERD_ASSERT(uv_loop_close(&loop_) == 0);
}

void EventLoop::run() {
  uv_run(&loop_, UV_RUN_DEFAULT);
}

void EventLoop::run_once() {
  uv_run(&loop_, UV_RUN_NOWAIT);
}

void EventLoop::stop() {
  uv_stop(&loop_);
}

void EventLoop::defer(std::function<void()> task) {
  if (deferred_.empty()) uv_idle_start(idle_, [](uv_idle_t*) {});
  deferred_.push_back(std::move(task));
}

void EventLoop::run_deferred() {
  if (deferred_.empty()) return;
  std::vector<std::function<void()>> tasks;
  tasks.swap(deferred_);
  uv_idle_stop(idle_);
  for (const std::function<void()>& task : tasks) task();
}

Timer::Timer(EventLoop& loop, std::function<void()> on_fire)
    : loop_(loop), handle_(new uv_timer_t), on_fire_(std::move(on_fire)) {
  TRIGGERD_ASSERT(uv_timer_init(loop.raw(), handle_) == 0);
  handle_->data = this;
}

Timer::~Timer() {
  close_and_delete(handle_);
}

void Timer::start_after(base::Duration delay) {
  // libuv's clock stands still within a tick; a deadline counts from now.
  uv_update_time(loop_.raw());
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(delay).count();
  uv_timer_start(
      handle_,
      [](uv_timer_t* handle) {
        if (handle->data != nullptr) static_cast<Timer*>(handle->data)->on_fire_();
      },
      millis > 0 ? static_cast<std::uint64_t>(millis) : 0, 0);
}

void Timer::start_at(base::MonoTime deadline) {
  start_after(deadline - loop_.now().mono);
}

void Timer::stop() {
  uv_timer_stop(handle_);
}

FdWatcher::FdWatcher(EventLoop& loop, int fd, std::function<void(int)> on_ready)
    : handle_(new uv_poll_t), on_ready_(std::move(on_ready)) {
  TRIGGERD_ASSERT(uv_poll_init(loop.raw(), handle_, fd) == 0);
  handle_->data = this;
}

FdWatcher::~FdWatcher() {
  uv_poll_stop(handle_);
  close_and_delete(handle_);
}

void FdWatcher::watch(int events) {
  if (events == events_) return;
  events_ = events;
  if (events == 0) {
    uv_poll_stop(handle_);
    return;
  }
  uv_poll_start(handle_, events, [](uv_poll_t* handle, int status, int ready) {
    auto* const self = static_cast<FdWatcher*>(handle->data);
    if (self == nullptr) return;
    if (status < 0) {
      // libuv has stopped watching; bytes that came before the error may still be there to read.
      ready = UV_READABLE | UV_WRITABLE;
      const int again = std::exchange(self->events_, 0);
      self->watch(again);
    }
    self->on_ready_(ready);
  });
}

}  // namespace triggerd::loop
