// The open database behind RocksStore: its columns, and the ways to and from its rows. Private to
// the store's sources: opening (rocks_database.cc), writing (rocks_writes.cc), reading
// (rocks_reads.cc, rocks_log_rows.cc, rocks_parked_rows.cc), erasing (rocks_retention.cc), and the
// methods over them (rocks_store.cc).
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "store/codec.h"
#include "store/keys.h"
#include "store/rocks_options.h"
#include "store/rocks_store.h"
#include "store/row_keys.h"

namespace triggerd::store {

// Order of the handles; RocksDB wants its "default" column, which stays empty.
enum Column : std::size_t {
  kDefault,
  kRegistry,
  kEvents,
  kEventIds,
  kPending,
  kAttempts,
  kOrgEvents,
  kParked,
  kFinals,
  kMeta,
  kColumns
};
inline constexpr std::array<std::string_view, kColumns> kColumnNames = {
    "default",       kRegistryColumn,  kEventsColumn, kEventIdsColumn, kPendingColumn,
    kAttemptsColumn, kOrgEventsColumn, kParkedColumn, kFinalsColumn,   kMetaColumn};

inline rocksdb::Slice slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}
inline std::string_view view(const rocksdb::Slice& bytes) {
  return {bytes.data(), bytes.size()};
}

// The one place where RocksDB's words become ours.
[[nodiscard]] base::Error translate(const rocksdb::Status& status, const std::string& what);

// The format that `text` names; fails when it is none that this binary reads.
[[nodiscard]] base::Result<std::uint32_t> check_format(const std::string& path,
                                                       const std::string& text);
// Fails when the store at `path` has a column that this binary does not know.
[[nodiscard]] base::Status check_columns(const std::string& path);
// Is this the key that the store was founded with? `sealed`: its row of meta.
[[nodiscard]] base::Status check_key_text(const SecretBox& secrets, std::string_view sealed);
// The webhook with what was sealed of it.
[[nodiscard]] base::Result<model::Webhook> unseal(const SecretBox& secrets, WebhookRow stored);

struct RocksStore::Database {
  explicit Database(const RocksStoreOptions& options)
      : path(options.path), secrets(*options.secrets) {}
  ~Database() {
    // Handles go before the database; both only release memory here, close() reported errors.
    for (rocksdb::ColumnFamilyHandle* handle : columns) {
      if (handle != nullptr) static_cast<void>(rocks->DestroyColumnFamilyHandle(handle));
    }
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  base::Status open(const RocksStoreOptions& options);
  base::Result<std::uint32_t> check_or_found();
  base::Status check_key();
  base::Status upgrade();
  [[nodiscard]] base::Result<bool> is_blank() const;

  base::Status add(rocksdb::WriteBatch& batch, const model::Mutation& mutation);
  template <class Record>
  rocksdb::Status put(rocksdb::WriteBatch& batch, Column column, std::string_view key,
                      const Record& record) {
    encode(record, scratch);
    return batch.Put(columns[column], slice(key), scratch);
  }
  rocksdb::Status erase(rocksdb::WriteBatch& batch, Column column, std::string_view key) const {
    return batch.Delete(columns[column], slice(key));
  }
  rocksdb::Status put_event(rocksdb::WriteBatch& batch, const model::Event& event);
  rocksdb::Status put_attempt(rocksdb::WriteBatch& batch, const model::PutAttempt& change);
  rocksdb::Status reopen(rocksdb::WriteBatch& batch, const model::ReopenDelivery& change) const;
  base::Result<WebhookRow> seal(const model::Webhook& webhook) const;

  [[nodiscard]] base::Result<std::optional<model::Counters>> counters() const;
  // Calls `each(key, row)` for the rows of a column from `first` on, before `last` (empty: to the
  // end), until it returns false or an error.
  template <class Each>
  base::Status for_each(Column column, const std::string& first, const std::string& last,
                        const rocksdb::Snapshot* snapshot, Each each) const;
  // Calls `each(Record)` for all rows of one kind in the registry.
  template <class Record, class Each>
  base::Status for_each_registered(char prefix, Each each) const;
  base::Result<ListPage> list_of(const ListDeliveries& query) const;
  base::Result<ListPage> list_of(const ListParked& query) const;
  base::Result<ListPage> list_of(const ListRecentEvents& query) const;
  base::Result<ListPage> list_of(const ListLog& query) const;
  base::Result<ListPage> list_of(const ListAttempts& query) const;
  base::Result<ListPage> list_of(const ListEvents& query) const;
  base::Result<ListPage> list_of(const ListEventsAfter& query) const;
  base::Result<ListPage> list_of(const ListFinals& query) const;
  base::Result<ListPage> list_of(const ListDead& query) const;
  base::Result<RetentionProgress> retain(const RetentionStep& step);

  std::string path;
  SecretBox secrets;
  std::unique_ptr<rocksdb::DB> rocks;
  std::array<rocksdb::ColumnFamilyHandle*, kColumns> columns{};
  // Of the commit thread.
  std::string scratch;  // kept, so that encoding seldom allocates
  bool poisoned = false;
};

template <class Each>
base::Status RocksStore::Database::for_each(Column column, const std::string& first,
                                            const std::string& last,
                                            const rocksdb::Snapshot* snapshot, Each each) const {
  rocksdb::ReadOptions read;
  read.snapshot = snapshot;
  read.total_order_seek = true;
  read.fill_cache = false;
  // Bounds keep the iterator from walking over tombstones outside of what is asked for.
  const rocksdb::Slice lower(first);
  const rocksdb::Slice upper(last);
  read.iterate_lower_bound = &lower;
  if (!last.empty()) read.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> at(rocks->NewIterator(read, columns[column]));
  for (at->Seek(lower); at->Valid(); at->Next()) {
    const base::Result<bool> go_on = each(view(at->key()), view(at->value()));
    if (!go_on.ok()) return go_on.error();
    if (!go_on.value()) return {};
  }
  if (!at->status().ok()) {
    return translate(at->status(), "cannot read column " + std::string(kColumnNames[column]));
  }
  return {};
}

template <class Record, class Each>
base::Status RocksStore::Database::for_each_registered(char prefix, Each each) const {
  const std::string first(1, prefix);
  const std::string last(1, static_cast<char>(prefix + 1));
  return for_each(kRegistry, first, last, nullptr,
                  [&each](std::string_view key, std::string_view stored) -> base::Result<bool> {
                    base::Result<Record> record = decode_at<Record>(key, stored);
                    if (!record.ok()) return record.error();
                    if (base::Status taken = each(std::move(record.value())); !taken.ok()) {
                      return taken.error();
                    }
                    return true;
                  });
}

}  // namespace triggerd::store
