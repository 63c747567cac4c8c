#include "store/inspection.h"

#include <rocksdb/cache.h>

#include <algorithm>
#include <utility>

#include "engine/base/assert.h"
#include "store/data_folder.h"
#include "store/inspection_database.h"

namespace triggerd::store {

using base::ErrorCode;
using base::Result;
using base::Status;

namespace {

constexpr std::uint32_t kParkedSinceFormat = 2;

}  // namespace

Inspection::Inspection(std::unique_ptr<Opened> opened) : opened_(std::move(opened)) {}

Inspection::~Inspection() = default;

Result<std::unique_ptr<Inspection>> Inspection::open(const std::string& path,
                                                     const SecretBox* secrets) {
  if (!holds_store(path)) {
    return base::Error{ErrorCode::kNotFound, "data folder " + path + " holds no store"};
  }
  auto opened = std::make_unique<Opened>();
  opened->path = path;
  opened->secrets = secrets;
  Result<std::unique_ptr<StoreLock>> lock = StoreLock::take(path);
  if (!lock.ok()) return lock.error();
  opened->lock = std::move(lock.value());
  if (Status known = check_columns(path); !known.ok()) return known.error();

  RocksStoreOptions options;
  options.path = path;
  options.create_if_missing = false;
  rocksdb::DBOptions database = database_options(options);
  database.create_missing_column_families = false;
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  std::vector<std::string> present;
  const rocksdb::Status listed = rocksdb::DB::ListColumnFamilies(database, path, &present);
  if (!listed.ok()) return translate(listed, "cannot read data folder " + path);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  std::vector<Column> opened_columns;
  for (std::size_t column = 0; column < kColumns; ++column) {
    const std::string name(kColumnNames[column]);
    if (column == kParked && std::find(present.begin(), present.end(), name) == present.end()) {
      continue;
    }
    opened_columns.push_back(static_cast<Column>(column));
    descriptors.emplace_back(name, column_options(name, options, cache));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* rocks = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::OpenForReadOnly(database, path, descriptors, &handles, &rocks);
  if (!status.ok()) return translate(status, "cannot open data folder " + path);
  opened->rocks.reset(rocks);
  TRIGGERD_ASSERT(handles.size() == opened_columns.size());
  for (std::size_t i = 0; i < handles.size(); ++i) opened->columns[opened_columns[i]] = handles[i];

  const Result<std::optional<std::string>> format = opened->get(kMeta, std::string(kFormatKey));
  if (!format.ok()) return format.error();
  if (!format.value()) {
    return base::Error{ErrorCode::kCorrupt, "data folder " + path + " has lost its format"};
  }
  const Result<std::uint32_t> known = check_format(path, *format.value());
  if (!known.ok()) return known.error();
  opened->format = known.value();
  if (opened->columns[kParked] == nullptr && opened->format >= kParkedSinceFormat) {
    return base::Error{ErrorCode::kCorrupt, "data folder " + path + " has lost a column"};
  }
  return std::unique_ptr<Inspection>(new Inspection(std::move(opened)));
}

Result<StoreStats> Inspection::stats(FileProgress& progress) {
  const Opened& opened = *opened_;
  StoreStats stats;
  stats.format = opened.format;
  Status fault;
  for (std::size_t at = kRegistry; at < kColumns; ++at) {
    const auto column = static_cast<Column>(at);
    StoreStats::Column& of_column = stats.columns.emplace_back();
    of_column.name = kColumnNames[column];
    if (opened.columns[column] == nullptr) continue;
    opened.rocks->GetIntProperty(
        opened.columns[column], rocksdb::DB::Properties::kTotalSstFilesSize, &of_column.file_bytes);
    const Status read =
        opened.for_each(column, progress, [&](std::string_view key, std::string_view row) {
          ++of_column.rows;
          of_column.bytes += key.size() + row.size();
          if (column == kFinals && key.size() == kFinalOfWebhookKeyBytes &&
              key.front() == kFinalOfWebhookPrefix &&
              key[5] == static_cast<char>(model::DeliveryState::kDead)) {
            ++stats.dead_letters;
          }
          if (column != kPending || !fault.ok()) return;
          const Result<model::PendingChunk> chunk = decode_at<model::PendingChunk>(key, row);
          if (!chunk.ok()) {
            fault = chunk.error();
            return;
          }
          for (const model::PendingEntry& entry : chunk.value().entries) {
            if (!model::is_final(entry.state)) ++stats.pending;
          }
          const base::WallTime since = chunk.value().accepted_at;
          stats.oldest_pending = std::min(stats.oldest_pending.value_or(since), since);
        });
    if (!read.ok()) {
      return base::Error{read.error().code,
                         "column " + std::string(of_column.name) + " " + read.error().message};
    }
  }
  if (!fault.ok()) return fault.error();
  const Result<BackupSize> size = size_of_backup(opened.path);
  if (!size.ok()) return size.error();
  stats.files = size.value().files;
  stats.file_bytes = size.value().bytes;
  return stats;
}

}  // namespace triggerd::store
