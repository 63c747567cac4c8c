// A store's files, opened without triggerd.
#pragma once

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace triggerd::store::testing {

// The same columns, opened without triggerd: to put what triggerd never would.
class RawStore {
 public:
  explicit RawStore(const std::string& path, const std::string& new_column = "") {
    std::vector<std::string> names;
    const rocksdb::DBOptions options;
    check(rocksdb::DB::ListColumnFamilies(options, path, &names));
    std::vector<rocksdb::ColumnFamilyDescriptor> columns;
    for (const std::string& name : names) {
      columns.emplace_back(name, rocksdb::ColumnFamilyOptions());
    }
    rocksdb::DB* opened = nullptr;
    check(rocksdb::DB::Open(options, path, columns, &handles_, &opened));
    database_.reset(opened);
    for (std::size_t i = 0; i < names.size(); ++i) by_name_[names[i]] = handles_[i];
    if (!new_column.empty()) {
      handles_.emplace_back();
      check(database_->CreateColumnFamily({}, new_column, &handles_.back()));
    }
  }
  ~RawStore() {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) {
      check(database_->DestroyColumnFamilyHandle(handle));
    }
  }
  RawStore(const RawStore&) = delete;
  RawStore& operator=(const RawStore&) = delete;

  std::string get(std::string_view column, const std::string& key) {
    std::string value;
    check(database_->Get({}, by_name_.at(std::string(column)), key, &value));
    return value;
  }
  void put(std::string_view column, const std::string& key, const std::string& value) {
    check(database_->Put({}, by_name_.at(std::string(column)), key, value));
  }
  void erase(std::string_view column, const std::string& key) {
    check(database_->Delete({}, by_name_.at(std::string(column)), key));
  }
  // The column with all of its rows.
  void drop(std::string_view column) {
    check(database_->DropColumnFamily(by_name_.at(std::string(column))));
  }

 private:
  static void check(const rocksdb::Status& status) {
    if (!status.ok()) ADD_FAILURE() << status.ToString();
  }
  std::unique_ptr<rocksdb::DB> database_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  std::map<std::string, rocksdb::ColumnFamilyHandle*> by_name_;
};

}  // namespace triggerd::store::testing
