#include "store/store_lock.h"

#include <rocksdb/env.h>
#include <sys/stat.h>

#include <utility>

namespace triggerd::store {

struct StoreLock::Held {
  rocksdb::FileLock* lock = nullptr;  // null: there is no lock file
};

base::Error in_use(const std::string& path) {
  return {base::ErrorCode::kConflict, "data folder " + path +
                                          " is in use by another process; stop it first, or give "
                                          "each its own folder"};
}

base::Result<std::unique_ptr<StoreLock>> StoreLock::take(const std::string& path) {
  auto held = std::make_unique<Held>();
  const std::string file = path + "/LOCK";
  struct stat about {};
  if (::stat(file.c_str(), &about) == 0 &&
      !rocksdb::Env::Default()->LockFile(file, &held->lock).ok()) {
    return in_use(path);
  }
  return std::unique_ptr<StoreLock>(new StoreLock(std::move(held)));
}

StoreLock::StoreLock(std::unique_ptr<Held> held) : held_(std::move(held)) {}

StoreLock::~StoreLock() {
  if (held_->lock != nullptr) {
    static_cast<void>(rocksdb::Env::Default()->UnlockFile(held_->lock).ok());
  }
}

}  // namespace triggerd::store
