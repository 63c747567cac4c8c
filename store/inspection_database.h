// The database behind an Inspection, open for reading. Private to it.
#pragma once

#include <rocksdb/db.h>

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "store/inspection.h"
#include "store/rocks_database.h"
#include "store/store_lock.h"

namespace triggerd::store {

struct Inspection::Opened {
  Opened() = default;
  ~Opened() {
    for (rocksdb::ColumnFamilyHandle* handle : columns) {
      if (handle != nullptr) static_cast<void>(rocks->DestroyColumnFamilyHandle(handle));
    }
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  // The row under this key; nothing when there is none.
  [[nodiscard]] base::Result<std::optional<std::string>> get(Column column,
                                                             const std::string& key) const {
    if (columns[column] == nullptr) return std::optional<std::string>();
    std::string row;
    const rocksdb::Status got = rocks->Get({}, columns[column], key, &row);
    if (got.IsNotFound()) return std::optional<std::string>();
    if (!got.ok()) return translate(got, "cannot read");
    return std::optional<std::string>(std::move(row));
  }

  // Calls `each(key, row)` for every row, in order. kInvalid: given up.
  template <class Each>
  base::Status for_each(Column column, FileProgress& progress, const Each& each) const {
    if (columns[column] == nullptr) return {};
    rocksdb::ReadOptions read;
    read.total_order_seek = true;
    read.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> at(rocks->NewIterator(read, columns[column]));
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
      if (progress.cancelled) return base::Error{base::ErrorCode::kInvalid, "given up"};
      each(view(at->key()), view(at->value()));
      progress.bytes_done += at->key().size() + at->value().size();
    }
    if (!at->status().ok()) return translate(at->status(), "cannot be read to its end");
    return {};
  }

  std::string path;
  std::uint32_t format = 0;
  const SecretBox* secrets = nullptr;
  std::unique_ptr<StoreLock> lock;
  std::unique_ptr<rocksdb::DB> rocks;
  // Null: of a store of an older format, which has no such column.
  std::array<rocksdb::ColumnFamilyHandle*, kColumns> columns{};
};

}  // namespace triggerd::store
