// The folder that a RocksStore lives in: made, found, and closed to others.
// Blocks on the disk; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/status.h"

namespace triggerd::store {

enum class MissingStore : std::uint8_t { kCreate, kRefuse };

// Is there a database in this folder (of any format)?
[[nodiscard]] bool holds_store(const std::string& path);

// Afterwards the folder exists and nobody else may enter it: RocksDB creates its files with the
// process's umask, the folder is what protects them. A new folder is made with mode 0700, and its
// entry is durable. The mode of a store's folder or of an empty one is set to 0700; a folder with
// somebody else's files in it is not ours to close.
// kNotFound: no store there, and `missing` refuses. kInvalid: not a folder, or not ours.
// kUnavailable: no space. kInternal: the system refused.
base::Status prepare_data_folder(const std::string& path, MissingStore missing);

}  // namespace triggerd::store
