// Backups of the open store, made while it serves: a checkpoint, its digests, durable, and under
// its name only when it is complete. One at a time, on a thread of its own; the oldest ones go when
// there are more than are kept.
//
//   FOLDER/.TIME.partial/    being made; left over when the process ended meanwhile
//   FOLDER/20261126T090000.000Z/
//
// Thread: that of its loop. The store outlives it. The destructor waits for what is under way,
// which cancel() cuts short.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/loop/event_loop.h"
#include "engine/loop/worker.h"
#include "engine/model/limits.h"
#include "engine/model/output.h"
#include "store/backup_files.h"
#include "store/rocks_store.h"

namespace triggerd::app {

struct BackupOptions {
  std::string folder;  // empty: none are made
  std::uint32_t kept_max = model::kBackupsKeptDefault;
};

// "20261126T090000.123Z", and back.
[[nodiscard]] std::string backup_name(base::WallTime time);
[[nodiscard]] std::optional<base::WallTime> backup_time(const std::string& name);

class Backups {
 public:
  using OnReply = std::function<void(model::RequestId, model::Reply)>;
  using OnEnd = std::function<void(const model::Backup&)>;  // complete or failed

  // `store` is null when there is none on disk. `key_file` goes with each backup; empty: none does.
  Backups(loop::EventLoop& event_loop, store::RocksStore* store, BackupOptions options,
          std::string key_file, OnReply on_reply, OnEnd on_end);
  Backups(const Backups&) = delete;
  Backups& operator=(const Backups&) = delete;

  // Each is answered once, maybe from within.
  void start(model::RequestId id);
  void list(model::RequestId id);
  // What is under way is given up soon.
  void cancel() { progress_->cancelled = true; }

 private:
  struct Job {
    std::string name;
  };
  struct Ended {
    base::Result<store::BackupSize> size;
  };
  struct ListJob {
    model::RequestId request;
    std::uint64_t ended = 0;  // backups that had ended when it was asked for
  };
  struct Listed {
    ListJob job;
    base::Result<std::vector<model::Backup>> backups;
  };

  [[nodiscard]] std::optional<base::Error> refusal() const;
  void reply(model::RequestId id, model::Reply reply);
  void ended(const Ended& ended);
  void listed(Listed listed);
  [[nodiscard]] model::Backup running_now() const;

  loop::EventLoop& loop_;
  store::RocksStore* store_;
  const BackupOptions options_;
  OnReply on_reply_;
  OnEnd on_end_;
  std::shared_ptr<store::FileProgress> progress_;
  std::optional<model::Backup> running_;
  base::MonoTime running_since_;
  std::optional<model::Backup> failed_;  // the last one, until the next begins
  std::uint64_t ended_ = 0;              // complete or failed so far
  std::size_t lists_out_ = 0;
  loop::Worker<Job, Ended> maker_;
  loop::Worker<ListJob, Listed> lister_;
};

}  // namespace triggerd::app
