// RocksDB's own log as lines of ours. Its default writes a file beside the data, and Debian's build
// of the library aborts when that file cannot be written: a full disk must not end the process.
#pragma once

#include <rocksdb/env.h>

#include <cstdarg>

namespace triggerd::store {

// Any thread. Warnings and errors are passed on, cut to 1 KiB; everything else is dropped.
class RocksLog final : public rocksdb::Logger {
 public:
  RocksLog() : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}

  void Logv(rocksdb::InfoLogLevel level, const char* format, va_list arguments) override;
  void Logv(const char* format, va_list arguments) override;
  // The options at every start.
  void LogHeader(const char* format, va_list arguments) override;
};

}  // namespace triggerd::store
