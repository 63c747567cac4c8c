// The process itself, for the holder of the admin token: backups of its store, its configuration.
#pragma once

#include "api/router.h"

namespace triggerd::api {

[[nodiscard]] Step start_backup(Call& call);
[[nodiscard]] Step list_backups(Call& call);
[[nodiscard]] Step reload_config(Call& call);

// 202: it has begun.
[[nodiscard]] HttpResponse show_started_backup(const model::Reply& reply, const Audience& audience);
[[nodiscard]] HttpResponse show_backups(const model::Reply& reply, const Audience& audience);
[[nodiscard]] HttpResponse show_reloaded_config(const model::Reply& reply,
                                                const Audience& audience);

}  // namespace triggerd::api
