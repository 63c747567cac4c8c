#include "store/data_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <system_error>

namespace triggerd::store {
namespace {

using base::ErrorCode;

base::Error system_error(const std::string& what, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return {full ? ErrorCode::kUnavailable : ErrorCode::kInternal,
          what + ": " + std::generic_category().message(error)};
}

bool is_empty_folder(const std::string& path) {
  DIR* const folder = ::opendir(path.c_str());
  if (folder == nullptr) return false;
  std::size_t entries = 0;  // "." and ".." are two
  while (entries <= 2 && ::readdir(folder) != nullptr) ++entries;
  ::closedir(folder);
  return entries <= 2;
}

base::Status sync_parent(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  const std::size_t slash = path.rfind('/', end);
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int folder = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return system_error("cannot open folder " + parent, errno);
  const int synced = ::fsync(folder);
  const int error = errno;
  ::close(folder);
  if (synced != 0) return system_error("cannot sync folder " + parent, error);
  return {};
}

}  // namespace

bool holds_store(const std::string& path) {
  struct stat about {};
  return ::stat((path + "/CURRENT").c_str(), &about) == 0;
}

base::Status prepare_data_folder(const std::string& path, MissingStore missing) {
  const std::string named = "data folder " + path;
  const base::Error none{ErrorCode::kNotFound, named + " holds no store"};
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) {
    if (errno != ENOENT) return system_error("cannot stat " + named, errno);
    if (missing == MissingStore::kRefuse) return none;
    if (::mkdir(path.c_str(), 0700) != 0) {
      return system_error("cannot create " + named, errno);
    }
    return sync_parent(path);
  }
  if (!S_ISDIR(about.st_mode)) {
    return base::Error{ErrorCode::kInvalid, named + " is not a folder"};
  }
  const bool ours = holds_store(path);
  if (!ours && missing == MissingStore::kRefuse) return none;
  if ((about.st_mode & 077) == 0) return {};
  // A folder with somebody else's files in it is not ours to close.
  if (!ours && !is_empty_folder(path)) {
    return base::Error{ErrorCode::kInvalid,
                       named +
                           " can be entered by others and holds files that are not a store: "
                           "give a folder of its own, or run chmod 700 " +
                           path};
  }
  if (::chmod(path.c_str(), 0700) != 0) {
    return system_error("cannot set the mode of " + named + " to 0700", errno);
  }
  return {};
}

}  // namespace triggerd::store
