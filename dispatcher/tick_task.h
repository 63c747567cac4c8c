// A task that runs at the end of a tick when somebody asked for it in that tick, and never after
// its owner is gone.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "engine/loop/event_loop.h"

namespace triggerd::dispatcher {

// Thread: that of its loop. The task does not destroy the TickTask.
class TickTask {
 public:
  TickTask(loop::EventLoop& loop, std::function<void()> task)
      : loop_(loop), task_(std::move(task)), self_(std::make_shared<TickTask*>(this)) {}
  ~TickTask() { *self_ = nullptr; }
  TickTask(const TickTask&) = delete;
  TickTask& operator=(const TickTask&) = delete;

  // Any number of times a tick; the task runs once. From within the task: once more, next tick.
  void schedule() {
    if (scheduled_) return;
    scheduled_ = true;
    loop_.defer([self = self_] {
      if (*self != nullptr) (*self)->run();
    });
  }

 private:
  void run() {
    scheduled_ = false;
    task_();
  }

  loop::EventLoop& loop_;
  std::function<void()> task_;
  // Shared with the deferred calls alone: a loop cannot take back what was deferred.
  std::shared_ptr<TickTask*> self_;
  bool scheduled_ = false;
};

}  // namespace triggerd::dispatcher
