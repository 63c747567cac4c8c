#include "store/rocks_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "store/keys.h"
#include "store/rocks_log.h"

namespace triggerd::store {
namespace {

// A file with so many erased rows among so many is compacted.
constexpr std::size_t kErasedWindow = 4096;
constexpr std::size_t kErasedInWindow = 2048;

// Fast compression for rows read back soon, better compression for the old ones; none where the
// library was built without.
void set_compression(rocksdb::ColumnFamilyOptions& column) {
  const std::vector<rocksdb::CompressionType> supported = rocksdb::GetSupportedCompressions();
  const auto has = [&supported](rocksdb::CompressionType type) {
    return std::find(supported.begin(), supported.end(), type) != supported.end();
  };
  column.compression =
      has(rocksdb::kLZ4Compression) ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
  if (has(rocksdb::kZSTD)) column.bottommost_compression = rocksdb::kZSTD;
}

}  // namespace

rocksdb::DBOptions database_options(const RocksStoreOptions& options) {
  rocksdb::DBOptions made;
  made.create_if_missing = options.create_if_missing;
  made.create_missing_column_families = true;
  made.paranoid_checks = true;
  // Each commit is synced before it is acknowledged, so at a crash only the last one can be cut
  // short, and it was not acknowledged: dropping a cut tail loses nothing. kPointInTimeRecovery
  // would also swallow damage in the middle, with all acknowledged commits behind it;
  // kAbsoluteConsistency would refuse to start after every crash during a write.
  made.wal_recovery_mode = options.wal_recovery == WalRecovery::kRefuseDamage
                               ? rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords
                               : rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // Log files are not reused: old records behind a new tail would look like damage.
  made.recycle_log_file_num = 0;
  // Of all columns together: what is written is not yet in files, and counts as memory.
  made.db_write_buffer_size = std::size_t{48} << 20;
  made.max_total_wal_size = std::uint64_t{256} << 20;
  made.max_background_jobs = 2;
  made.max_open_files = 512;
  made.avoid_unnecessary_blocking_io = true;
  // A failed write is never retried in place, not by RocksDB either.
  made.max_bgerror_resume_count = 0;
  made.info_log = std::make_shared<RocksLog>();
  made.max_manifest_file_size = std::uint64_t{16} << 20;
  made.stats_dump_period_sec = 0;
  made.stats_persist_period_sec = 0;
  return made;
}

rocksdb::ColumnFamilyOptions column_options(std::string_view name, const RocksStoreOptions& options,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions column;
  set_compression(column);
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  // Index and filter blocks count against the cache: memory stays bounded however much is stored.
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;
  table.block_size = std::size_t{16} << 10;
  column.write_buffer_size = std::size_t{8} << 20;
  if (name == kEventsColumn) column.write_buffer_size = options.event_buffer_bytes;
  if (name == kAttemptsColumn) {
    column.write_buffer_size = std::size_t{16} << 20;
    // "Has this delivery any attempt?" is answered by the filter, for the seek of list().
    column.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(kAttemptPrefixBytes));
  }
  if (name == kEventIdsColumn || name == kAttemptsColumn) {
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.whole_key_filtering = name == kEventIdsColumn;
  }
  // Rows that go soon after they came would lie in the way of every look at their column until they
  // are compacted.
  if (name != kRegistryColumn && name != kMetaColumn) {
    column.table_properties_collector_factories.push_back(
        rocksdb::NewCompactOnDeletionCollectorFactory(kErasedWindow, kErasedInWindow));
  }
  column.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return column;
}

}  // namespace triggerd::store
