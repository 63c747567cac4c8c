#include "app/metrics/operations_metrics.h"

#include <algorithm>

namespace triggerd::app::metrics {
namespace {

double unix_time(base::WallTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace

void OperationsMetrics::observe(const store::StoreSizes& sizes) {
  for (const store::StoreSizes::Column& column : sizes.columns) {
    const auto* const at = std::find(kColumns.begin(), kColumns.end(), column.name);
    if (at == kColumns.end()) continue;
    file_bytes_[static_cast<std::size_t>(at - kColumns.begin())].set(
        static_cast<double>(column.file_bytes));
  }
  log_bytes_.set(static_cast<double>(sizes.log_bytes));
  memory_bytes_.set(static_cast<double>(sizes.memory_bytes));
  compaction_pending_bytes_.set(static_cast<double>(sizes.compaction_pending_bytes));
  writes_stopped_.set(sizes.writes_stopped ? 1 : 0);
}

void OperationsMetrics::backup_ended(const model::Backup& backup, base::WallTime now) {
  if (backup.state != model::BackupState::kComplete) {
    backups_failed_.add();
    return;
  }
  backups_complete_.add();
  last_backup_.set(unix_time(now));
}

void OperationsMetrics::config_read(bool good, base::WallTime now) {
  config_good_.set(good ? 1 : 0);
  if (good) config_read_.set(unix_time(now));
}

void OperationsMetrics::append_to(Exposition& page) const {
  append_store(page);
  page.counter("triggerd_backups_total", "Backups that have ended, by how.");
  page.sample(static_cast<double>(backups_complete_.value()), {{"result", "complete"}});
  page.sample(static_cast<double>(backups_failed_.value()), {{"result", "failed"}});
  page.one_gauge("triggerd_backup_last_success_timestamp_seconds",
                 "When a backup of this process was complete last, Unix time; 0: none was.",
                 last_backup_.value());
  page.one_gauge("triggerd_config_last_reload_successful",
                 "1: the configuration that was read last was good, and is in force.",
                 config_good_.value());
  page.one_gauge("triggerd_config_last_reload_timestamp_seconds",
                 "When a good configuration was read last, Unix time.", config_read_.value());
}

void OperationsMetrics::append_store(Exposition& page) const {
  page.gauge("triggerd_store_size_bytes", "Files of the store on disk, by column.");
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    page.sample(file_bytes_[i].value(), {{"column", kColumns[i]}});
  }
  page.one_gauge("triggerd_store_wal_bytes", "The write-ahead log of the store.",
                 log_bytes_.value());
  page.one_gauge("triggerd_store_memory_bytes", "Write buffers of the store.",
                 memory_bytes_.value());
  page.one_gauge("triggerd_store_compaction_pending_bytes",
                 "About so much is to be rewritten by compactions.",
                 compaction_pending_bytes_.value());
  page.one_gauge("triggerd_store_write_stalled",
                 "1: the store takes no writes until compactions have caught up.",
                 writes_stopped_.value());
}

}  // namespace triggerd::app::metrics
