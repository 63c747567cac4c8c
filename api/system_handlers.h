// Whether the process lives and serves, and which version it is; for anyone (CONTRACT A7).
#pragma once

#include "api/router.h"

namespace triggerd::api {

// 200 "ok": the loop turns.
[[nodiscard]] Step show_alive(Call& call);
// 200 "ok", or 503 with one entry for each reason. With `?verbose` every check, as text or JSON.
[[nodiscard]] Step show_readiness(Call& call);
[[nodiscard]] Step show_version(Call& call);
[[nodiscard]] Step show_metrics(Call& call);

}  // namespace triggerd::api
