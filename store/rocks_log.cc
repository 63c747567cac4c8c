#include "store/rocks_log.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <string_view>

#include "engine/base/log.h"

namespace triggerd::store {

void RocksLog::Logv(rocksdb::InfoLogLevel level, const char* format, va_list arguments) {
  if (level < rocksdb::InfoLogLevel::WARN_LEVEL || level > rocksdb::InfoLogLevel::FATAL_LEVEL) {
    return;
  }
  std::array<char, 1024> text{};
  const int length = std::vsnprintf(text.data(), text.size(), format, arguments);
  if (length < 0) return;
  const std::size_t kept = std::min(static_cast<std::size_t>(length), text.size() - 1);
  const base::LogLevel as =
      level == rocksdb::InfoLogLevel::WARN_LEVEL ? base::LogLevel::kWarn : base::LogLevel::kError;
  base::LogLine(as, "store", "rocksdb").field("detail", std::string_view(text.data(), kept));
}

void RocksLog::Logv(const char* format, va_list arguments) {
  Logv(rocksdb::InfoLogLevel::INFO_LEVEL, format, arguments);
}

void RocksLog::LogHeader(const char* /*format*/, va_list /*arguments*/) {}

}  // namespace triggerd::store
