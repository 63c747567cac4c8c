// What an operator's own work and the store's files come to: sizes, backups, reloads.
//
// Thread: the engine's, but for append_to(), which any may call at any time.
#pragma once

#include <array>
#include <cstddef>

#include "app/metrics/cells.h"
#include "app/metrics/exposition.h"
#include "engine/base/time.h"
#include "engine/model/operations.h"
#include "store/rocks_store.h"

namespace triggerd::app::metrics {

class OperationsMetrics {
 public:
  void observe(const store::StoreSizes& sizes);
  void backup_ended(const model::Backup& backup, base::WallTime now);
  // The configuration was read at the start, or again.
  void config_read(bool good, base::WallTime now);

  void append_to(Exposition& page) const;

 private:
  static constexpr std::array<std::string_view, 9> kColumns{"registry", "events",   "event_ids",
                                                            "pending",  "attempts", "org_events",
                                                            "parked",   "finals",   "meta"};

  void append_store(Exposition& page) const;

  std::array<Level, kColumns.size()> file_bytes_;
  Level log_bytes_;
  Level memory_bytes_;
  Level compaction_pending_bytes_;
  Level writes_stopped_;
  Count backups_complete_;
  Count backups_failed_;
  Level last_backup_;
  Level config_good_;
  Level config_read_;
};

}  // namespace triggerd::app::metrics
