// The format `jwt`: the claims of CONTRACT B4.2, before they are signed. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/ids.h"
#include "engine/model/output.h"

namespace triggerd::dispatcher {

// Seconds that a token is valid.
inline constexpr std::int64_t kEventTokenSeconds = 1200;
inline constexpr std::int64_t kSyncHookTokenSeconds = 300;

// Replaces `out` by the eleven claims in sorted order, as receivers have seen them. The content of
// the event goes in byte for byte. `issuer` is escaped for JSON.
void write_claims(std::string& out, const model::StartAttempt& attempt, std::string_view issuer,
                  const base::Uuid& token_id, std::int64_t issued_at);

}  // namespace triggerd::dispatcher
