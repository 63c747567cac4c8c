// Puts a backup in place as a data folder.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/status.h"
#include "store/backup_files.h"

namespace triggerd::app {

enum class InPlace : std::uint8_t { kRefuse, kReplace };

struct Restored {
  store::BackupSize size;
  bool has_key = false;       // else the operator keeps the key elsewhere
  std::string old_set_aside;  // kReplace: where the store that was there is now; may be empty
};

// Copies the backup, verifies it on the way, and then lets `data` have it in one step: after a
// failure or a crash `data` is as it was. kConflict: `data` is not empty and `in_place` refuses, or
// another process has its store open. kReplace replaces the store and secret.key, sets the old ones
// aside, and touches nothing else. Else as store/backup_files.h says. Blocks on the disk.
[[nodiscard]] base::Result<Restored> restore_backup(const std::string& from, std::string data,
                                                    InPlace in_place,
                                                    store::FileProgress& progress);

}  // namespace triggerd::app
