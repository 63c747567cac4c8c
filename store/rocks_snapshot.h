// A snapshot of RocksDB, given back. Private to the store's sources.
#pragma once

#include <rocksdb/db.h>

namespace triggerd::store {

class Snapshot {
 public:
  explicit Snapshot(rocksdb::DB* database)
      : database_(database), snapshot_(database->GetSnapshot()) {}
  ~Snapshot() { database_->ReleaseSnapshot(snapshot_); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  [[nodiscard]] const rocksdb::Snapshot* get() const { return snapshot_; }

 private:
  rocksdb::DB* database_;
  const rocksdb::Snapshot* snapshot_;
};

}  // namespace triggerd::store
