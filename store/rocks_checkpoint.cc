// RocksStore: what an operator asks of the open database: a checkpoint, and its sizes.
#include <rocksdb/utilities/checkpoint.h>

#include <memory>

#include "engine/base/assert.h"
#include "store/rocks_database.h"

namespace triggerd::store {

base::Status RocksStore::checkpoint(const std::string& folder) {
  TRIGGERD_ASSERT(database_ != nullptr);
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(database_->rocks.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) status = checkpoint->CreateCheckpoint(folder);
  if (!status.ok()) return translate(status, "cannot make a checkpoint in " + folder);
  return {};
}

StoreSizes RocksStore::sizes() const {
  TRIGGERD_ASSERT(database_ != nullptr);
  using Properties = rocksdb::DB::Properties;
  rocksdb::DB& rocks = *database_->rocks;
  StoreSizes sizes;
  for (std::size_t column = kRegistry; column < kColumns; ++column) {
    rocksdb::ColumnFamilyHandle* handle = database_->columns[column];
    StoreSizes::Column& of_column = sizes.columns.emplace_back();
    of_column.name = kColumnNames[column];
    rocks.GetIntProperty(handle, Properties::kTotalSstFilesSize, &of_column.file_bytes);
    std::uint64_t bytes = 0;
    if (rocks.GetIntProperty(handle, Properties::kCurSizeAllMemTables, &bytes)) {
      sizes.memory_bytes += bytes;
    }
    if (rocks.GetIntProperty(handle, Properties::kEstimatePendingCompactionBytes, &bytes)) {
      sizes.compaction_pending_bytes += bytes;
    }
  }
  std::uint64_t stopped = 0;
  if (rocks.GetIntProperty(Properties::kIsWriteStopped, &stopped)) {
    sizes.writes_stopped = stopped != 0;
  }
  rocksdb::VectorLogPtr logs;
  if (rocks.GetSortedWalFiles(logs).ok()) {
    for (const std::unique_ptr<rocksdb::LogFile>& log : logs)
      sizes.log_bytes += log->SizeFileBytes();
  }
  return sizes;
}

}  // namespace triggerd::store
