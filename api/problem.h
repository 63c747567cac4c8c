// Errors as answers: the one place where an error code becomes an HTTP status (CONTRACT A1, B2).
// RFC 9110.
#pragma once

#include <string_view>
#include <vector>

#include "api/http.h"
#include "engine/base/status.h"
#include "engine/model/request.h"

namespace triggerd::api {

using Faults = std::vector<base::Error>;

[[nodiscard]] int status_of(base::ErrorCode code);

// {"errors":[{"httpcode":status,"message":"…"}]}; 429 and 503 get a Retry-After of one second.
[[nodiscard]] HttpResponse problem(int status, std::string_view message);
// One entry for each fault, each with its own code; the first one's is the status.
// Requires: faults is not empty.
[[nodiscard]] HttpResponse problem(const Faults& faults);
// As above; Retry-After is the refusal's, in whole seconds rounded up, at least 1.
[[nodiscard]] HttpResponse problem(const model::Refusal& refusal);

// The answer to a path that no route has: plain text, by which clients tell it from a missing
// thing.
[[nodiscard]] HttpResponse unknown_route();

}  // namespace triggerd::api
