// The successful answers, as they stand on the wire (CONTRACT B1.1, B2).
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "api/http.h"
#include "engine/base/assert.h"
#include "engine/model/request.h"

namespace triggerd::api {

[[nodiscard]] inline HttpResponse json_answer(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

[[nodiscard]] inline HttpResponse no_content() {
  HttpResponse response;
  response.status = 204;
  return response;
}

// The reply as the kind that the request has; another one is our mistake.
template <class Kind>
[[nodiscard]] const Kind& reply_as(const model::Reply& reply) {
  const Kind* const kind = std::get_if<Kind>(&reply);
  TRIGGERD_ASSERT(kind != nullptr);
  return *kind;
}

}  // namespace triggerd::api
