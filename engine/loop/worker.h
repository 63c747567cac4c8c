// The home of blocking work (fsync, big reads): one thread that takes jobs in order and posts each
// result back to the loop that asked.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>

#include "engine/loop/mailbox.h"

namespace triggerd::loop {

// Created, used and destroyed on the loop's thread. The destructor finishes the jobs that were
// submitted; their results are dropped. `work` runs on the worker's thread and owns no loop object.
template <class Job, class Answer>
class Worker {
 public:
  // `name` (15 characters at most) is what tools show of the thread.
  Worker(EventLoop& loop, const char* name, std::function<Answer(Job)> work,
         std::function<void(Answer)> on_answer)
      : work_(std::move(work)),
        answers_(loop,
                 [on_answer = std::move(on_answer)](std::vector<Answer>& answers) {
                   for (Answer& answer : answers) on_answer(std::move(answer));
                 }),
        thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), name);
  }

  ~Worker() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void submit(Job job) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
  }

 private:
  void run() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      Job job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      answers_.post(work_(std::move(job)));
      lock.lock();
    }
  }

  std::function<Answer(Job)> work_;
  Mailbox<Answer> answers_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;   // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_

  std::thread thread_;  // last: starts when all above exists
};

}  // namespace triggerd::loop
