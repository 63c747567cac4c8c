// New keys that sign, of the installation and of webhooks, and the way of the former from the
// store, where they lie sealed, to the dispatcher.
#pragma once

#include <memory>
#include <vector>

#include "dispatcher/key_ring.h"
#include "engine/base/status.h"
#include "engine/model/records.h"
#include "store/secret_box.h"

namespace triggerd::app {

// A new key, sealed and bound to its own kid. The times are left for the engine to say. Any thread.
[[nodiscard]] base::Result<model::SigningKey> new_signing_key(const store::SecretBox& secrets);

// New keys of one webhook, from the system's generator. Any thread.
[[nodiscard]] model::SigningSecret new_signing_secret();

// The ring of these keys, opened. kInvalid, kCorrupt: a key was sealed under another installation's
// key, or is damaged. Requires: at least one key.
[[nodiscard]] base::Result<std::shared_ptr<const dispatcher::KeyRing>> open_key_ring(
    const store::SecretBox& secrets, const std::vector<model::SigningKey>& keys);

}  // namespace triggerd::app
