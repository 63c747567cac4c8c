// The dead letters of an organization: a list, or with `Accept: application/x-ndjson` whole, one a
// line.
#pragma once

#include "api/router.h"

namespace triggerd::api {

Step list_dead_letters(Call& call);
HttpResponse show_dead_letters(const model::Reply& reply, const Audience& audience);

}  // namespace triggerd::api
