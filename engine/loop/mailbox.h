// The way between threads: many post, one loop receives. A message is a moved value, never a
// pointer to something alive. Order per poster is kept; a wake-up costs one syscall however many
// messages wait. The queue's limit is its users': each bounds what it has under way.
#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include <uv.h>

#include "engine/base/assert.h"
#include "engine/loop/event_loop.h"

namespace triggerd::loop {

// Created and destroyed on the loop's side; nobody posts any more when it is destroyed.
template <class Message>
class Mailbox {
 public:
  // `on_messages` runs on the loop's thread with all that has come, never empty.
  Mailbox(EventLoop& loop, std::function<void(std::vector<Message>&)> on_messages)
      : async_(new uv_async_t), on_messages_(std::move(on_messages)) {
    TRIGGERD_ASSERT(uv_async_init(loop.raw(), async_, [](uv_async_t* handle) {
                      if (handle->data != nullptr) static_cast<Mailbox*>(handle->data)->drain();
                    }) == 0);
    async_->data = this;
  }
  ~Mailbox() {
    async_->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(async_),
             [](uv_handle_t* closed) { delete reinterpret_cast<uv_async_t*>(closed); });
  }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Any thread.
  void post(Message message) {
    bool wake = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      wake = incoming_.empty();
      incoming_.push_back(std::move(message));
    }
    if (wake) uv_async_send(async_);
  }

  // Any thread; takes all of `messages`, in order, and leaves it empty.
  void post_all(std::vector<Message>& messages) {
    if (messages.empty()) return;
    bool wake = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      wake = incoming_.empty();
      for (Message& message : messages) incoming_.push_back(std::move(message));
    }
    messages.clear();
    if (wake) uv_async_send(async_);
  }

  // Loop thread: delivers what has come now, without waiting for the wake-up. From within
  // on_messages it does nothing: those are being delivered.
  void drain() {
    if (draining_) return;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      received_.swap(incoming_);
    }
    if (received_.empty()) return;
    draining_ = true;
    on_messages_(received_);
    draining_ = false;
    received_.clear();
  }

 private:
  std::mutex mutex_;
  std::vector<Message> incoming_;  // guarded by mutex_

  std::vector<Message> received_;
  bool draining_ = false;
  uv_async_t* async_;
  std::function<void(std::vector<Message>&)> on_messages_;
};

}  // namespace triggerd::loop
