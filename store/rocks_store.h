// The embedded store: RocksDB in one folder, one synced WriteBatch per commit.
//
// Durability: commit() returns after the write-ahead log is on stable storage. At the next open, a
// commit that was cut short at the end of the log is dropped whole: it was never acknowledged.
// Damage anywhere else is kCorrupt, never a silent loss (WalRecovery).
// Secrets: custom headers of webhooks are sealed by the SecretBox; signing keys arrive sealed.
// Blocks on the disk; threads as store.h says.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/secret_box.h"
#include "store/store.h"

namespace triggerd::store {

// Of the folder as a whole: columns, keys, rows. An older binary refuses a newer format; a folder
// of an older format becomes one of this when it is opened.
//   2: parked deliveries
inline constexpr std::uint32_t kStoreFormat = 2;

// What a damaged write-ahead log means at open.
enum class WalRecovery : std::uint8_t {
  // A cut last commit is dropped; every other damage refuses to open (kCorrupt).
  kRefuseDamage,
  // Everything up to the damage is kept, the rest is lost. For an operator who has decided so.
  kUpToDamage,
};

struct RocksStoreOptions {
  // The data folder, for this store alone. Created with mode 0700; an older store's folder is set
  // to that mode.
  std::string path;
  // Make the folder and an empty store if there is none; else that is kNotFound.
  bool create_if_missing = true;
  WalRecovery wal_recovery = WalRecovery::kRefuseDamage;
  // Seals custom headers; the store copies it. Requires: not null.
  const SecretBox* secrets = nullptr;
  // Memory: blocks read lately, and the newest events before they are sorted into files.
  std::size_t block_cache_bytes = std::size_t{64} << 20;
  std::size_t event_buffer_bytes = std::size_t{32} << 20;
};

// What the open store takes up; cheap to ask for, but not free.
struct StoreSizes {
  struct Column {
    std::string_view name;
    std::uint64_t file_bytes = 0;
  };
  std::vector<Column> columns;
  std::uint64_t log_bytes = 0;     // of the write-ahead log
  std::uint64_t memory_bytes = 0;  // of write buffers
  std::uint64_t compaction_pending_bytes = 0;
  bool writes_stopped = false;
};

class RocksStore final : public Store {
 public:
  // kConflict: another process has it open. kInvalid: a newer format, another key, or a folder that
  // is not ours. kCorrupt, kUnavailable (no space), kNotFound, kInternal. Messages name the folder.
  static base::Result<std::unique_ptr<RocksStore>> open(const RocksStoreOptions& options);

  ~RocksStore() override;  // closes
  RocksStore(const RocksStore&) = delete;
  RocksStore& operator=(const RocksStore&) = delete;

  base::Status commit(const model::Batch& batch) override;
  base::Result<std::optional<EventRow>> get(const EventKey& key) override;
  base::Result<ListPage> list(const ListQuery& query) override;
  base::Status scan(const std::function<void(model::Record)>& record) override;
  base::Result<RetentionProgress> retain(const RetentionStep& step) override;
  base::Result<model::EventPtr> read_event(model::EventSeq seq) override;
  base::Status close() override;

  // A consistent copy of all that was committed before the call, in a folder that it makes: hard
  // links where the file system is the same, copies elsewhere. Commits go on meanwhile. One thread
  // at a time, beside all others; not after close(), as is the next.
  base::Status checkpoint(const std::string& folder);
  // Any thread.
  [[nodiscard]] StoreSizes sizes() const;

 private:
  struct Database;
  explicit RocksStore(std::unique_ptr<Database> database);

  std::unique_ptr<Database> database_;  // null once closed
};

}  // namespace triggerd::store
