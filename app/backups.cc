#include "app/backups.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "engine/base/log.h"

namespace triggerd::app {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::string_view kPartialEnd = ".partial";
// Lists under way; one more is refused.
constexpr std::size_t kListsMax = 64;

Error file_error(const std::string& path, std::string_view what, const std::error_code& failure) {
  const bool full = failure == std::errc::no_space_on_device;
  return {full ? ErrorCode::kUnavailable : ErrorCode::kInternal,
          fmt::format("{}: {}: {}", path, what, failure.message())};
}

// The names of all backups, the oldest first.
Result<std::vector<std::string>> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code failure;
  if (!fs::is_directory(folder, failure)) return names;
  for (auto at = fs::directory_iterator(folder, failure);
       !failure && at != fs::directory_iterator(); at.increment(failure)) {
    std::string name = at->path().filename().string();
    if (backup_time(name)) names.push_back(std::move(name));
  }
  if (failure) return file_error(folder, "can not be read", failure);
  std::sort(names.begin(), names.end());
  return names;
}

void remove_partial_ones(const std::string& folder) {
  std::error_code failure;
  std::vector<fs::path> found;
  for (auto at = fs::directory_iterator(folder, failure);
       !failure && at != fs::directory_iterator(); at.increment(failure)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with('.') && name.ends_with(kPartialEnd)) found.push_back(at->path());
  }
  for (const fs::path& path : found) fs::remove_all(path, failure);
}

// Those that are kept no longer: each loses its name first, so that none is ever half there.
void remove_old(const std::string& folder, std::size_t kept_max) {
  const Result<std::vector<std::string>> names = names_in(folder);
  if (!names.ok()) return;
  std::error_code failure;
  for (std::size_t i = 0; i + kept_max < names.value().size(); ++i) {
    const std::string& name = names.value()[i];
    const std::string partial = fmt::format("{}/.{}{}", folder, name, kPartialEnd);
    fs::rename(folder + "/" + name, partial, failure);
    if (!failure) fs::remove_all(partial, failure);
    base::LogLine line(failure ? base::LogLevel::kWarn : base::LogLevel::kInfo, "backup",
                       failure ? "an old backup can not be removed" : "old backup removed");
    line.field("name", name);
    if (failure) line.field("error", failure.message());
  }
}

Result<store::BackupSize> fill(store::RocksStore& store, const std::string& partial,
                               const std::string& key_file, store::FileProgress& progress) {
  Status made = store.checkpoint(fmt::format("{}/{}", partial, store::kBackupStore));
  if (made.ok() && !key_file.empty()) {
    made = store::copy_small_file(key_file, fmt::format("{}/{}", partial, store::kBackupKey));
  }
  if (!made.ok()) return made.error();
  return store::seal_backup(partial, progress);
}

// On the maker's thread.
Result<store::BackupSize> make(store::RocksStore& store, const BackupOptions& options,
                               const std::string& key_file, const std::string& name,
                               store::FileProgress& progress) {
  const std::string& folder = options.folder;
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) return file_error("backup.folder: " + folder, "can not be created", failure);
  remove_partial_ones(folder);
  const std::string partial = fmt::format("{}/.{}{}", folder, name, kPartialEnd);
  if (::mkdir(partial.c_str(), 0700) != 0) {
    return file_error("backup.folder: " + partial, "can not be created",
                      std::error_code(errno, std::generic_category()));
  }
  Result<store::BackupSize> size = fill(store, partial, key_file, progress);
  if (size.ok()) {
    fs::rename(partial, folder + "/" + name, failure);
    if (failure) {
      size = file_error(folder + "/" + name, "can not be named", failure);
    } else if (Status synced = store::sync_folder(folder); !synced.ok()) {
      return synced.error();
    }
  }
  if (!size.ok()) {
    fs::remove_all(partial, failure);
    return size;
  }
  remove_old(folder, options.kept_max);
  return size;
}

// On the lister's thread. Newest first.
Result<std::vector<model::Backup>> read_list(const std::string& folder) {
  const Result<std::vector<std::string>> names = names_in(folder);
  if (!names.ok()) return names.error();
  std::vector<model::Backup> backups;
  for (auto name = names.value().rbegin(); name != names.value().rend(); ++name) {
    model::Backup backup;
    backup.name = *name;
    backup.path = folder + "/" + *name;
    backup.created_at = *backup_time(*name);
    const Result<store::BackupSize> size = store::size_of_backup(backup.path);
    if (!size.ok()) continue;  // removed meanwhile
    backup.files = size.value().files;
    backup.bytes = size.value().bytes;
    backups.push_back(std::move(backup));
  }
  return backups;
}

}  // namespace

std::string backup_name(base::WallTime time) {
  const std::int64_t seconds = base::unix_seconds(time);
  const auto rest = time.time_since_epoch() - std::chrono::seconds(seconds);
  const std::time_t whole = seconds;
  std::tm parts{};
  gmtime_r(&whole, &parts);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     std::chrono::duration_cast<std::chrono::milliseconds>(rest).count());
}

std::optional<base::WallTime> backup_time(const std::string& name) {
  constexpr std::size_t length = std::string_view("20261126T090000.000Z").size();
  if (name.size() != length) return std::nullopt;
  const auto part = [&name](std::size_t from, std::size_t count) {
    return name.substr(from, count);
  };
  return base::parse_rfc3339(fmt::format("{}-{}-{}T{}:{}:{}", part(0, 4), part(4, 2), part(6, 2),
                                         part(9, 2), part(11, 2), part(13, length - 13)));
}

Backups::Backups(loop::EventLoop& event_loop, store::RocksStore* store, BackupOptions options,
                 std::string key_file, OnReply on_reply, OnEnd on_end)
    : loop_(event_loop),
      store_(store),
      options_(std::move(options)),
      on_reply_(std::move(on_reply)),
      on_end_(std::move(on_end)),
      progress_(std::make_shared<store::FileProgress>()),
      maker_(
          event_loop, "backup",
          [store, made = options_, key_file = std::move(key_file), progress = progress_](
              const Job& job) { return Ended{make(*store, made, key_file, job.name, *progress)}; },
          [this](const Ended& end) { ended(end); }),
      lister_(
          event_loop, "backup-list",
          [folder = options_.folder](ListJob job) {
            return Listed{job, read_list(folder)};
          },
          [this](Listed list) { listed(std::move(list)); }) {}

std::optional<Error> Backups::refusal() const {
  if (store_ == nullptr) {
    return Error{ErrorCode::kConflict,
                 "store.mode is memory: there is nothing to make a backup of"};
  }
  if (options_.folder.empty()) {
    return Error{ErrorCode::kConflict,
                 "backup.folder is not set: name a folder in the configuration, best on the file "
                 "system of the store, and start again"};
  }
  return std::nullopt;
}

void Backups::reply(model::RequestId id, model::Reply reply) {
  on_reply_(id, std::move(reply));
}

void Backups::start(model::RequestId id) {
  std::optional<Error> fault = refusal();
  if (!fault && running_) {
    fault =
        Error{ErrorCode::kConflict,
              fmt::format("backup {} is being made; wait until it is complete", running_->name)};
  }
  if (fault) return reply(id, model::Refusal{{*std::move(fault)}, std::nullopt});
  model::Backup& backup = running_.emplace();
  backup.name = backup_name(loop_.now().wall);
  backup.created_at = *backup_time(backup.name);  // as the list will say
  backup.path = options_.folder + "/" + backup.name;
  backup.state = model::BackupState::kRunning;
  running_since_ = loop_.now().mono;
  failed_.reset();
  progress_->bytes_done = 0;
  progress_->bytes_all = 0;
  maker_.submit(Job{backup.name});
  reply(id, model::BackupReply{backup});
}

void Backups::list(model::RequestId id) {
  std::optional<Error> fault = refusal();
  if (!fault && lists_out_ >= kListsMax) {
    fault = Error{ErrorCode::kOverloaded, "too many lists are being made; try again later"};
  }
  if (fault) return reply(id, model::Refusal{{*std::move(fault)}, std::nullopt});
  ++lists_out_;
  lister_.submit(ListJob{id, ended_});
}

model::Backup Backups::running_now() const {
  model::Backup backup = *running_;
  backup.bytes = progress_->bytes_all;
  backup.bytes_done = progress_->bytes_done;
  return backup;
}

void Backups::listed(Listed listed) {
  const model::RequestId request = listed.job.request;
  if (listed.job.ended != ended_) {
    // One has got its name meanwhile, maybe behind the back of this list.
    lister_.submit(ListJob{request, ended_});
    return;
  }
  --lists_out_;
  if (!listed.backups.ok()) {
    return reply(request, model::Refusal{{listed.backups.error()}, std::nullopt});
  }
  std::vector<model::Backup> backups = std::move(listed.backups.value());
  // It may have got its name a moment ago.
  const auto is_listed = [&backups](const std::string& name) {
    return !backups.empty() && backups.front().name == name;
  };
  if (running_ && !is_listed(running_->name)) backups.insert(backups.begin(), running_now());
  if (failed_ && !is_listed(failed_->name)) backups.insert(backups.begin(), *failed_);
  reply(request, model::BackupsReply{std::move(backups)});
}

void Backups::ended(const Ended& ended) {
  model::Backup backup = running_now();
  running_.reset();
  ++ended_;
  const double seconds = std::chrono::duration<double>(loop_.now().mono - running_since_).count();
  if (ended.size.ok()) {
    backup.state = model::BackupState::kComplete;
    backup.files = ended.size.value().files;
    backup.bytes = ended.size.value().bytes;
    base::LogLine(base::LogLevel::kInfo, "backup", "backup complete")
        .field("name", backup.name)
        .field("path", backup.path)
        .field("files", backup.files)
        .field("bytes", backup.bytes)
        .field("duration_s", seconds);
  } else {
    backup.state = model::BackupState::kFailed;
    backup.error = ended.size.error().message;
    failed_ = backup;
    base::LogLine(base::LogLevel::kError, "backup", "backup failed")
        .field("name", backup.name)
        .field("duration_s", seconds)
        .field("error", backup.error);
  }
  on_end_(backup);
}

}  // namespace triggerd::app
