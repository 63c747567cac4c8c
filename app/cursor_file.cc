#include "app/cursor_file.h"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace triggerd::app {
namespace {

constexpr std::size_t kPositionDigitsMax = 20;

base::Error unavailable(const std::string& path, int why) {
  return {base::ErrorCode::kUnavailable,
          fmt::format("{} can not be written: {}", path, std::strerror(why))};
}

// Of a folder of the environment; empty when it is not set.
std::string folder_of(const char* variable, const char* further) {
  const char* const value = std::getenv(variable);
  return value == nullptr || *value == '\0' ? std::string() : std::string(value) + further;
}

}  // namespace

base::Result<std::optional<std::string>> CursorFile::load() const {
  std::error_code failure;
  if (!std::filesystem::exists(path_, failure)) return std::optional<std::string>();
  std::ifstream file(path_);
  std::string line;
  std::getline(file, line);
  if (line.empty() || line.size() > kPositionDigitsMax ||
      line.find_first_not_of("0123456789") != std::string::npos) {
    return base::Error{base::ErrorCode::kInvalid,
                       fmt::format("{} has no position in it; remove it to begin with what comes "
                                   "now, or name another with --cursor-file",
                                   path_)};
  }
  return std::optional<std::string>(std::move(line));
}

base::Status CursorFile::save(const std::string& position) const {
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  std::error_code failure;
  if (!folder.empty()) std::filesystem::create_directories(folder, failure);
  const std::string beside = path_ + ".new";
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return unavailable(beside, errno);
  const std::string text = position + "\n";
  const bool written =
      ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fdatasync(file) == 0;
  const int why = errno;
  ::close(file);
  if (!written) return unavailable(beside, why);
  if (::rename(beside.c_str(), path_.c_str()) != 0) return unavailable(path_, errno);
  return {};
}

std::string default_cursor_path(const std::string& org, const std::string& what) {
  std::string folder = folder_of("XDG_STATE_HOME", "");
  if (folder.empty()) folder = folder_of("HOME", "/.local/state");
  if (folder.empty()) return {};
  // FNV-1a, 64 bits: tells listeners apart, protects nothing.
  std::uint64_t digest = 0xcbf29ce484222325;
  for (const char character : what) {
    digest = (digest ^ static_cast<unsigned char>(character)) * 0x100000001b3;
  }
  return fmt::format("{}/triggerd/listen-{}-{:016x}.cursor", folder, org, digest);
}

}  // namespace triggerd::app
