#include "app/restore.h"

#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>

#include "app/backups.h"
#include "engine/base/time.h"
#include "store/store_lock.h"

namespace triggerd::app {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

enum class Found : std::uint8_t { kNothing, kEmpty, kSomething };

Error file_error(const std::string& path, std::string_view what, const std::error_code& failure) {
  return {ErrorCode::kInternal, fmt::format("{}: {}: {}", path, what, failure.message())};
}

Result<Found> look_at(const std::string& data) {
  std::error_code failure;
  const fs::file_status status = fs::status(data, failure);
  if (status.type() == fs::file_type::not_found) return Found::kNothing;
  if (failure) return file_error(data, "can not be looked at", failure);
  if (!fs::is_directory(status)) return Error{ErrorCode::kInvalid, data + " is not a folder"};
  const bool empty = fs::is_empty(data, failure);
  if (failure) return file_error(data, "can not be read", failure);
  return empty ? Found::kEmpty : Found::kSomething;
}

Status rename_durably(const std::string& from, const std::string& to) {
  std::error_code failure;
  fs::rename(from, to, failure);
  if (failure) return file_error(to, "can not be put in place", failure);
  return store::sync_folder(store::parent_folder(to));
}

// Gives `place` what `staged` is; what was there before is `aside` then, and never missing.
Status swap_in(const std::string& staged, const std::string& place, const std::string& aside) {
  std::error_code failure;
  if (!fs::exists(place, failure)) return rename_durably(staged, place);
  if (::renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, place.c_str(), RENAME_EXCHANGE) == 0) {
    return rename_durably(staged, aside);
  }
  // A file system that cannot exchange two names.
  Status moved = rename_durably(place, aside);
  if (moved.ok()) moved = rename_durably(staged, place);
  return moved;
}

Status put_in_place(const std::string& staged, const std::string& data, Restored& restored) {
  if (restored.old_set_aside.empty()) return rename_durably(staged, data);
  const std::string suffix = ".before-" + backup_name(base::read_clocks().wall);
  const auto in = [](const std::string& folder, std::string_view name) {
    return fmt::format("{}/{}", folder, name);
  };
  // The key first: a store with the wrong one is refused at the start, and says so.
  const std::string key = in(data, store::kBackupKey);
  Status done;
  if (restored.has_key) done = swap_in(in(staged, store::kBackupKey), key, key + suffix);
  const std::string place = in(data, store::kBackupStore);
  std::error_code failure;
  const bool was_there = fs::exists(place, failure);
  restored.old_set_aside = was_there ? place + suffix : "";
  if (done.ok()) done = swap_in(in(staged, store::kBackupStore), place, place + suffix);
  return done;
}

}  // namespace

Result<Restored> restore_backup(const std::string& from, std::string data, InPlace in_place,
                                store::FileProgress& progress) {
  while (data.size() > 1 && data.back() == '/') data.pop_back();
  const Result<Found> found = look_at(data);
  if (!found.ok()) return found.error();
  const bool replaces = found.value() == Found::kSomething;
  if (replaces && in_place == InPlace::kRefuse) {
    return Error{ErrorCode::kConflict,
                 fmt::format("data folder {} is not empty: give another one, or --yes to replace "
                             "the store and {} in it, and nothing else",
                             data, store::kBackupKey)};
  }
  // Held until the new store has its name: nobody starts on the old one meanwhile.
  const auto lock = store::StoreLock::take(fmt::format("{}/{}", data, store::kBackupStore));
  if (!lock.ok()) return lock.error();

  const std::string staged = replaces ? data + "/.restoring" : data + ".restoring";
  std::error_code failure;
  fs::create_directories(store::parent_folder(staged), failure);
  if (!failure) fs::remove_all(staged, failure);
  if (failure) return file_error(staged, "can not be made", failure);
  const Result<store::BackupSize> size =
      store::copy_backup(from, staged, store::CopySums::kNo, progress);
  Restored restored;
  Status done = size.ok() ? Status() : Status(size.error());
  if (done.ok()) {
    restored.size = size.value();
    restored.has_key = fs::exists(fmt::format("{}/{}", staged, store::kBackupKey), failure);
    if (!fs::is_directory(fmt::format("{}/{}", staged, store::kBackupStore), failure)) {
      done = Error{ErrorCode::kInvalid, from + " is not a backup: there is no store in it"};
    }
  }
  if (done.ok() && replaces) restored.old_set_aside = data;
  if (done.ok()) done = put_in_place(staged, data, restored);
  fs::remove_all(staged, failure);
  if (!done.ok()) return done.error();
  return restored;
}

}  // namespace triggerd::app
