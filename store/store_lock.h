// The lock that keeps a second process out of a store: held by whoever has it open, and by whoever
// looks at its files or replaces them.
#pragma once

#include <memory>
#include <string>

#include "engine/base/status.h"

namespace triggerd::store {

class StoreLock {
 public:
  // kConflict: another process, or this one, has the store open. A folder without a lock file (a
  // backup, or none at all) is nobody's: nothing is locked. Blocks on the disk; any thread.
  [[nodiscard]] static base::Result<std::unique_ptr<StoreLock>> take(const std::string& path);

  ~StoreLock();
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

 private:
  struct Held;
  explicit StoreLock(std::unique_ptr<Held> held);

  std::unique_ptr<Held> held_;
};

// What is said of a folder that another process has open.
[[nodiscard]] base::Error in_use(const std::string& path);

}  // namespace triggerd::store
