// A MemoryStore whose commits and reads wait until the test lets them go, and fail when told so.
//
// Thread: the test's for its own functions; the store's functions on their threads. Destroy it with
// the gates open, or whoever waits in it waits on.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

#include "store/memory_store.h"
#include "store/store.h"

namespace triggerd::app {

class GatedStore final : public store::Store {
 public:
  // --- The test's side ---
  void hold_commits() { set(commits_held_, true); }
  void release_commits() { set(commits_held_, false); }
  void hold_reads() { set(reads_held_, true); }
  void release_reads() { set(reads_held_, false); }
  // The commit under way, or the next one, fails, and so does every later one.
  void fail_commits() {
    const std::lock_guard<std::mutex> lock(mutex_);
    failing_ = true;
  }
  [[nodiscard]] std::size_t commits_begun() const { return get(commits_begun_); }
  [[nodiscard]] std::size_t commits_ended() const { return get(commits_ended_); }
  [[nodiscard]] std::size_t reads_begun() const { return get(reads_begun_); }

  // --- The store's side ---
  base::Status commit(const model::Batch& batch) override {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      ++commits_begun_;
      opened_.wait(lock, [this] { return !commits_held_; });
      ++commits_ended_;
      if (failing_) return base::Error{base::ErrorCode::kInternal, "the disk is gone"};
    }
    return rows_.commit(batch);
  }
  base::Result<std::optional<store::EventRow>> get(const store::EventKey& key) override {
    await_reads();
    return rows_.get(key);
  }
  base::Result<store::ListPage> list(const store::ListQuery& query) override {
    await_reads();
    return rows_.list(query);
  }
  base::Status scan(const std::function<void(model::Record)>& record) override {
    return rows_.scan(record);
  }
  base::Result<model::EventPtr> read_event(model::EventSeq seq) override {
    await_reads();
    return rows_.read_event(seq);
  }
  base::Result<store::RetentionProgress> retain(const store::RetentionStep& step) override {
    return rows_.retain(step);
  }
  base::Status close() override { return rows_.close(); }

 private:
  void set(bool& held, bool value) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      held = value;
    }
    opened_.notify_all();
  }
  [[nodiscard]] std::size_t get(const std::size_t& count) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return count;
  }
  void await_reads() {
    std::unique_lock<std::mutex> lock(mutex_);
    ++reads_begun_;
    opened_.wait(lock, [this] { return !reads_held_; });
  }

  store::MemoryStore rows_;
  mutable std::mutex mutex_;
  std::condition_variable opened_;
  // Guarded by mutex_:
  bool commits_held_ = false;
  bool reads_held_ = false;
  bool failing_ = false;
  std::size_t commits_begun_ = 0;
  std::size_t commits_ended_ = 0;
  std::size_t reads_begun_ = 0;
};

}  // namespace triggerd::app
