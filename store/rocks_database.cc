// RocksStore: opening a data folder, and founding one.
#include "store/rocks_database.h"

#include <rocksdb/cache.h>
#include <rocksdb/options.h>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <vector>

#include "engine/base/assert.h"
#include "store/data_folder.h"
#include "store/store_lock.h"

namespace triggerd::store {

using base::ErrorCode;

namespace {

constexpr std::string_view kKeyCheckText = "triggerd";
constexpr std::string_view kKeyCheckPlace = "meta/key_check";

base::Error newer_format(const std::string& path, std::string_view format) {
  return {ErrorCode::kInvalid, "data folder " + path + " has format " + std::string(format) +
                                   ", this triggerd reads up to " + std::to_string(kStoreFormat) +
                                   "; use a newer triggerd"};
}

// A store with columns this binary does not know is of a newer format; which, says its meta column.
// Opened for reading only: an older binary does not touch a newer store.
base::Error unknown_column(const std::string& path, const std::string& column) {
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const rocksdb::ColumnFamilyOptions plain;
  const rocksdb::Status status = rocksdb::DB::OpenForReadOnly(
      rocksdb::DBOptions(), path, {{"default", plain}, {std::string(kMetaColumn), plain}}, &handles,
      &opened);
  std::string format;
  if (status.ok()) {
    const std::unique_ptr<rocksdb::DB> database(opened);
    if (!database->Get({}, handles[1], slice(kFormatKey), &format).ok()) format.clear();
    for (rocksdb::ColumnFamilyHandle* handle : handles) {
      if (!database->DestroyColumnFamilyHandle(handle).ok()) format.clear();
    }
  }
  if (!format.empty()) {
    if (const auto known = check_format(path, format); !known.ok()) return known.error();
  }
  return {ErrorCode::kInvalid, "data folder " + path + " has a column \"" + column +
                                   "\" that this triggerd does not know; use a newer triggerd"};
}

}  // namespace

base::Result<std::uint32_t> check_format(const std::string& path, const std::string& text) {
  std::uint32_t format = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), format);
  if (error != std::errc() || end != text.data() + text.size() || format == 0) {
    return base::Error{ErrorCode::kCorrupt, "data folder " + path + " has an unreadable format"};
  }
  if (format > kStoreFormat) return newer_format(path, text);
  return format;
}

base::Status check_columns(const std::string& path) {
  std::vector<std::string> present;
  if (!holds_store(path)) return {};
  const rocksdb::Status listed =
      rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), path, &present);
  if (!listed.ok()) return translate(listed, "cannot read data folder " + path);
  for (const std::string& name : present) {
    if (std::find(kColumnNames.begin(), kColumnNames.end(), name) == kColumnNames.end()) {
      return unknown_column(path, name);
    }
  }
  return {};
}

base::Status check_key_text(const SecretBox& secrets, std::string_view sealed) {
  const base::Result<std::string> opened = secrets.open(sealed, kKeyCheckPlace);
  if (!opened.ok()) return opened.error();
  return {};
}

base::Error translate(const rocksdb::Status& status, const std::string& what) {
  ErrorCode code = ErrorCode::kInternal;
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit) {
    code = ErrorCode::kUnavailable;
  } else if (status.IsCorruption()) {
    code = ErrorCode::kCorrupt;
  } else if (status.IsNotFound()) {
    code = ErrorCode::kNotFound;
  }
  return {code, what + ": " + status.ToString()};
}

base::Status RocksStore::Database::open(const RocksStoreOptions& options) {
  const rocksdb::DBOptions database = database_options(options);
  if (base::Status known = check_columns(path); !known.ok()) return known;
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string_view name : kColumnNames) {
    descriptors.emplace_back(std::string(name), column_options(name, options, cache));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(database, path, descriptors, &handles, &opened);
  if (!status.ok()) {
    if (status.IsIOError() && status.ToString().find("/LOCK") != std::string::npos) {
      return in_use(path);
    }
    return translate(status, "cannot open data folder " + path);
  }
  rocks.reset(opened);
  TRIGGERD_ASSERT(handles.size() == kColumns);
  std::copy(handles.begin(), handles.end(), columns.begin());
  const base::Result<std::uint32_t> format = check_or_found();
  if (!format.ok()) return format.error();
  if (base::Status known = check_key(); !known.ok()) return known;
  return format.value() < kStoreFormat ? upgrade() : base::Status();
}

base::Result<bool> RocksStore::Database::is_blank() const {
  for (const rocksdb::ColumnFamilyHandle* column : columns) {
    const std::unique_ptr<rocksdb::Iterator> at(
        rocks->NewIterator({}, const_cast<rocksdb::ColumnFamilyHandle*>(column)));
    at->SeekToFirst();
    if (at->Valid()) return false;
    if (!at->status().ok()) return translate(at->status(), "cannot read data folder " + path);
  }
  return true;
}

// Checks the format of a store, or founds a new one: format and key check in one commit.
base::Result<std::uint32_t> RocksStore::Database::check_or_found() {
  std::string format;
  const rocksdb::Status got = rocks->Get({}, columns[kMeta], slice(kFormatKey), &format);
  if (got.ok()) return check_format(path, format);
  if (!got.IsNotFound()) return translate(got, "cannot read the format of data folder " + path);
  const base::Result<bool> blank = is_blank();
  if (!blank.ok()) return blank.error();
  if (!blank.value()) {
    return base::Error{ErrorCode::kCorrupt, "data folder " + path + " has lost its format"};
  }
  const base::Result<std::string> check = secrets.seal(kKeyCheckText, kKeyCheckPlace);
  if (!check.ok()) return check.error();
  rocksdb::WriteBatch founding;
  rocksdb::Status status =
      founding.Put(columns[kMeta], slice(kFormatKey), std::to_string(kStoreFormat));
  if (status.ok()) status = founding.Put(columns[kMeta], slice(kKeyCheckKey), check.value());
  rocksdb::WriteOptions durable;
  durable.sync = true;
  if (status.ok()) status = rocks->Write(durable, &founding);
  if (!status.ok()) return translate(status, "cannot found a store in data folder " + path);
  return kStoreFormat;
}

// Rows of format 1 are rows of this one, and the column that it lacks was made with the opening:
// what is left is to keep older binaries from what they would take for damage.
base::Status RocksStore::Database::upgrade() {
  rocksdb::WriteOptions durable;
  durable.sync = true;
  const rocksdb::Status status =
      rocks->Put(durable, columns[kMeta], slice(kFormatKey), std::to_string(kStoreFormat));
  if (!status.ok()) return translate(status, "cannot upgrade data folder " + path);
  return {};
}

// Refuses to start with the wrong key, rather than at the first webhook.
base::Status RocksStore::Database::check_key() {
  std::string sealed;
  const rocksdb::Status got = rocks->Get({}, columns[kMeta], slice(kKeyCheckKey), &sealed);
  if (!got.ok()) return translate(got, "cannot read the key check of data folder " + path);
  const base::Status opened = check_key_text(secrets, sealed);
  if (!opened.ok()) {
    return base::Error{opened.error().code, "data folder " + path + ": " + opened.error().message};
  }
  return {};
}

}  // namespace triggerd::store
