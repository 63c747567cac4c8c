// The files of a backup: a folder with
//
//   SHA256SUMS    a line for each other file: digest in hex, two spaces, path; what `sha256sum -c`
//                 of coreutils reads
//   store/        a checkpoint of the store (RocksStore::checkpoint)
//   secret.key    what opens the store, unless the operator keeps that key elsewhere
//
// Laid out as a data folder is, so that the commands which look at one look at the other as well.
//
// Every function blocks on the disk; any thread. Errors: kCorrupt (a file is not what its digest
// says, missing, or not of the backup), kUnavailable (no space), kInvalid (no backup, or
// cancelled), kInternal. Messages name the file.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace triggerd::store {

inline constexpr std::string_view kBackupSums = "SHA256SUMS";
inline constexpr std::string_view kBackupStore = "store";
inline constexpr std::string_view kBackupKey = "secret.key";

// How far a long piece of work is, and whether it is still wanted. Set by one thread, read by any.
struct FileProgress {
  std::atomic<std::uint64_t> bytes_done{0};
  std::atomic<std::uint64_t> bytes_all{0};
  std::atomic<bool> cancelled{false};
};

struct BackupSize {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

// Writes SHA256SUMS of all that lies in `folder`. Everything in it is durable afterwards; the entry
// of the folder itself is not.
[[nodiscard]] base::Result<BackupSize> seal_backup(const std::string& folder,
                                                   FileProgress& progress);

// Are the files there, all of them and no others, and each what its digest says?
[[nodiscard]] base::Result<BackupSize> verify_backup(const std::string& folder,
                                                     FileProgress& progress);

// Copies a backup to a folder that is made for it (mode 0700), and verifies on the way. Durable,
// but for the entry of `to`. What was copied before a failure is left there.
enum class CopySums : std::uint8_t { kYes, kNo };
[[nodiscard]] base::Result<BackupSize> copy_backup(const std::string& from, const std::string& to,
                                                   CopySums sums, FileProgress& progress);

// Files and bytes by what the file system says, without a look into them.
[[nodiscard]] base::Result<BackupSize> size_of_backup(const std::string& folder);

// Copies one small file (mode 0600), durably. `to` must not exist.
base::Status copy_small_file(const std::string& from, const std::string& to);
// Makes the entries of a folder durable.
base::Status sync_folder(const std::string& path);
// The folder that this path lies in.
[[nodiscard]] std::string parent_folder(const std::string& path);

}  // namespace triggerd::store
