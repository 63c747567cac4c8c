// The installation's secrets: one key file, from which everything else is derived, and the admin
// token. Both are made at the first start, mode 0600.
#pragma once

#include <string>
#include <string_view>

#include "app/config.h"
#include "engine/base/status.h"
#include "store/secret_box.h"

namespace triggerd::app {

// Where the key is, or is made: configured, or in the data folder.
[[nodiscard]] std::string secret_key_path(const Config& config);

// The box of the configured key file, or of the one in the data folder, or (memory store) of a new
// key.
[[nodiscard]] base::Result<store::SecretBox> installation_secrets(const Config& config);

struct AdminToken {
  std::string text;
  // Where it was written just now; empty when it was there before or came from the configuration.
  std::string written_to;
  bool made_now = false;
};
[[nodiscard]] base::Result<AdminToken> admin_token(const Config& config);

// The first line of a file, trimmed. kInvalid names the file and the fault.
[[nodiscard]] base::Result<std::string> read_secret_file(const std::string& path);

}  // namespace triggerd::app
