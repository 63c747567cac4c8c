#include "app/secrets.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/rand.h>
#include <unistd.h>

#include "app/api_keys.h"
#include "engine/base/assert.h"
#include "store/backup_files.h"

namespace triggerd::app {
namespace {

constexpr std::size_t kSecretTextMin = 16;

base::Error file_error(const std::string& path, std::string_view what) {
  return base::Error{base::ErrorCode::kInvalid,
                     fmt::format("{}: {}: {}", path, what, std::strerror(errno))};
}

base::Status write_secret_file(const std::string& path, const std::string& text) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return file_error(path, "can not be created");
  const std::string line = text + "\n";
  const bool written =
      write(descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
      fsync(descriptor) == 0;
  close(descriptor);
  if (!written) return file_error(path, "can not be written");
  return {};
}

}  // namespace

std::string secret_key_path(const Config& config) {
  if (!config.secret_key_file.empty()) return config.secret_key_file;
  return fmt::format("{}/{}", config.data_path, store::kBackupKey);
}

base::Result<store::SecretBox> installation_secrets(const Config& config) {
  if (!config.secret_key_file.empty() || config.store_mode == StoreMode::kDisk) {
    return store::load_or_create_key(secret_key_path(config));
  }
  std::array<std::uint8_t, store::SecretBox::kKeyBytes> key{};
  TRIGGERD_ASSERT(RAND_bytes(key.data(), static_cast<int>(key.size())) == 1);
  return store::SecretBox::create(key);
}

base::Result<std::string> read_secret_file(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line)) return file_error(path, "can not be read");
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
  if (line.size() < kSecretTextMin) {
    return base::Error{
        base::ErrorCode::kInvalid,
        fmt::format("{}: the secret in it is shorter than {} characters", path, kSecretTextMin)};
  }
  return line;
}

base::Result<AdminToken> admin_token(const Config& config) {
  if (!config.admin_token.empty()) {
    if (config.admin_token.size() < kSecretTextMin) {
      return base::Error{
          base::ErrorCode::kInvalid,
          fmt::format("admin.token: must have at least {} characters", kSecretTextMin)};
    }
    return AdminToken{config.admin_token, "", false};
  }
  std::string path = config.admin_token_file;
  if (path.empty() && config.store_mode == StoreMode::kDisk)
    path = config.data_path + "/admin.token";
  if (path.empty()) return AdminToken{new_key_text(), "", true};
  if (std::filesystem::exists(path)) {
    base::Result<std::string> text = read_secret_file(path);
    if (!text.ok()) return text.error();
    return AdminToken{std::move(text.value()), "", false};
  }
  AdminToken token{new_key_text(), path, true};
  if (base::Status status = write_secret_file(path, token.text); !status.ok())
    return status.error();
  return token;
}

}  // namespace triggerd::app
