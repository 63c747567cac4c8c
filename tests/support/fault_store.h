// A store with a durable and a volatile part, for tests and the simulator. A commit can be taken
// apart into its begin (written, not yet synced) and its end (synced), can fail, and a crash
// forgets what was not synced: the batch under way is kept or lost, whole.
//
// Thread: one. Reads see what is durable, as behind a store that syncs its log before it shows a
// write.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "store/store.h"
#include "tests/support/store_tables.h"

namespace triggerd::support {

// What becomes of a batch that was being written when its commit failed or the process crashed.
enum class Unsynced : std::uint8_t { kKept, kLost };

class FaultStore final : public store::Store {
 public:
  // begin_commit and end_commit in one.
  base::Status commit(const model::Batch& batch) override;
  base::Result<std::optional<store::EventRow>> get(const store::EventKey& key) override;
  base::Result<store::ListPage> list(const store::ListQuery& query) override;
  base::Status scan(const std::function<void(model::Record)>& record) override;
  base::Result<store::RetentionProgress> retain(const store::RetentionStep& step) override;
  base::Result<model::EventPtr> read_event(model::EventSeq seq) override;
  base::Status close() override;

  // The batch is written but not synced. Requires: none is under way.
  void begin_commit(model::Batch batch);
  // Makes the batch under way durable, or fails when told so; from then on every commit fails, and
  // whether the batch is there shows after reopen(). Requires: one is under way.
  base::Status end_commit();
  [[nodiscard]] bool commit_under_way() const { return volatile_.has_value(); }

  // The end of the commit under way, or of the next one, fails with this error.
  void fail_commit(base::ErrorCode code, Unsynced unsynced);
  // The next `count` reads fail with kInternal.
  void fail_reads(std::uint32_t count) { failing_reads_ = count; }
  // Process and machine are gone: what was not synced is kept or lost whole. Reopened at once.
  void crash(Unsynced unsynced);
  // After a failed commit: a new store over the same disk.
  void reopen();
  [[nodiscard]] bool poisoned() const { return poisoned_; }
  // Will reopen() find the batch whose commit failed?
  [[nodiscard]] bool keeps_failed_batch() const { return after_poison_ == Unsynced::kKept; }

  [[nodiscard]] const StoreTables& durable() const { return durable_; }

 private:
  struct Failure {
    base::ErrorCode code;
    Unsynced unsynced;
  };
  [[nodiscard]] std::optional<base::Error> read_fault();
  void settle(Unsynced unsynced);

  StoreTables durable_;
  std::optional<model::Batch> volatile_;  // written, not synced
  std::optional<Failure> failure_;        // of the next end_commit
  std::optional<Unsynced> after_poison_;  // shows at reopen
  std::uint32_t failing_reads_ = 0;
  bool poisoned_ = false;
  bool closed_ = false;
};

}  // namespace triggerd::support
