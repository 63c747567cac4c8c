#include "api/system_handlers.h"

#include <string>
#include <vector>

#include "api/answers.h"
#include "api/json_writer.h"
#include "api/problem.h"

namespace triggerd::api {
namespace {

HttpResponse plain_ok() {
  HttpResponse response;
  response.content_type = "text/plain";
  response.body = "ok";
  return response;
}

}  // namespace

Step show_alive(Call& /*call*/) {
  return plain_ok();
}

Step show_readiness(Call& call) {
  Faults reasons;
  for (const std::string& reason : call.backend.not_ready_reasons()) {
    reasons.push_back({base::ErrorCode::kUnavailable, "not ready: " + reason});
  }
  if (reasons.empty()) return plain_ok();
  return problem(reasons);
}

Step show_metrics(Call& call) {
  HttpResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = call.backend.metrics();
  return response;
}

Step show_version(Call& call) {
  return json_answer(200, write_version(call.options.version));
}

}  // namespace triggerd::api
