// Where a listener left off, in a file of one line: written whole or not at all.
#pragma once

#include <optional>
#include <string>

#include "engine/base/status.h"

namespace triggerd::app {

class CursorFile {
 public:
  explicit CursorFile(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const { return path_; }
  // Nothing when there is no file. kInvalid: it is not readable, or no position stands in it.
  [[nodiscard]] base::Result<std::optional<std::string>> load() const;
  // Beside the file first, and then in its place. Makes the folder. kUnavailable: why not.
  [[nodiscard]] base::Status save(const std::string& position) const;

 private:
  std::string path_;
};

// $XDG_STATE_HOME, or ~/.local/state, and in it a name by what is listened to. Empty when the
// environment names neither.
[[nodiscard]] std::string default_cursor_path(const std::string& org, const std::string& what);

}  // namespace triggerd::app
