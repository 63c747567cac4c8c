// How RocksDB is set up for our columns: durability, memory, files. Used by rocks_store alone.
#pragma once

#include <memory>
#include <string_view>

#include "store/rocks_store.h"

namespace rocksdb {
class Cache;
struct ColumnFamilyOptions;
struct DBOptions;
}  // namespace rocksdb

namespace triggerd::store {

// Memory at most, about: the cache, two event buffers and 100 MiB of small buffers and tables.
[[nodiscard]] rocksdb::DBOptions database_options(const RocksStoreOptions& options);

// `name` as in keys.h. All columns share `cache`.
[[nodiscard]] rocksdb::ColumnFamilyOptions column_options(
    std::string_view name, const RocksStoreOptions& options,
    const std::shared_ptr<rocksdb::Cache>& cache);

}  // namespace triggerd::store
