// What an operator asks of the process itself: backups of its store, and its configuration.
// Answered by app/server, not by the core.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/time.h"

namespace triggerd::model {

// Answered at once; whoever asked looks with ListBackups when it is complete.
struct StartBackup {};
struct ListBackups {};
struct ReloadConfig {};

enum class BackupState : std::uint8_t { kRunning, kComplete, kFailed };
struct Backup {
  std::string name;  // of its folder: the time it was begun
  std::string path;
  BackupState state = BackupState::kComplete;
  base::WallTime created_at;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_done = 0;  // kRunning: read and found good so far
  std::string error;             // kFailed
};
struct BackupReply {
  Backup backup;
};
struct BackupsReply {
  std::vector<Backup> backups;  // newest first
};

// Settings by their paths ("log.level").
struct ConfigReloaded {
  std::vector<std::string> changed;        // and in force
  std::vector<std::string> needs_restart;  // differ from those in force, and stay so
};

}  // namespace triggerd::model
