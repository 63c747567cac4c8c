// The description of this API, open to everyone.
//
//   GET /openapi.json   200 application/json, the document; ETag, Cache-Control
//   GET /openapi.yaml   200 application/yaml, the same as it is written
//   304 when If-None-Match has its entity tag, or is *
#pragma once

#include "api/router.h"

namespace triggerd::api {

[[nodiscard]] Step show_openapi_json(Call& call);
[[nodiscard]] Step show_openapi_yaml(Call& call);

}  // namespace triggerd::api
