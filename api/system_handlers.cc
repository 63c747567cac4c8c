#include "api/system_handlers.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "api/answers.h"
#include "api/json_output.h"
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

// `?verbose`, with whatever value.
bool asks_for_all(const HttpRequest& request) {
  const std::string_view query = request.query();
  for (std::size_t at = 0; at < query.size();) {
    const std::string_view pair = query.substr(at, query.find('&', at) - at);
    if (pair.substr(0, pair.find('=')) == "verbose") return true;
    at += pair.size() + 1;
  }
  return false;
}

bool prefers_json(const HttpRequest& request) {
  const std::string* accept = request.find_field("Accept");
  return accept != nullptr && accept->find("application/json") != std::string::npos;
}

std::string json_of(const std::vector<HealthCheck>& checks, bool ready) {
  Json json;
  json.begin_object();
  json.text_member("status", ready ? "ok" : "unavailable");
  json.key("checks");
  write_list(json, checks, [](Json& out, const HealthCheck& check) {
    out.begin_object();
    out.text_member("name", check.name);
    out.text_member("status", check.fault.empty() ? "ok" : "unavailable");
    if (!check.fault.empty()) out.text_member("reason", check.fault);
    out.end_object();
  });
  json.end_object();
  return json.take();
}

// The status is the one without `?verbose`.
HttpResponse all_checks(const HttpRequest& request, const std::vector<HealthCheck>& checks) {
  const bool ready = std::all_of(checks.begin(), checks.end(),
                                 [](const HealthCheck& check) { return check.fault.empty(); });
  HttpResponse response;
  response.status = ready ? 200 : 503;
  if (!ready) response.fields.push_back({"Retry-After", "1"});
  if (prefers_json(request)) {
    response.content_type = "application/json";
    response.body = json_of(checks, ready);
    return response;
  }
  response.content_type = "text/plain";
  for (const HealthCheck& check : checks) {
    response.body += check.fault.empty() ? fmt::format("[ok] {}\n", check.name)
                                         : fmt::format("[--] {}: {}\n", check.name, check.fault);
  }
  response.body += ready ? "ready\n" : "not ready\n";
  return response;
}

}  // namespace

Step show_alive(Call& /*call*/) {
  return plain_ok();
}

Step show_readiness(Call& call) {
  const std::vector<HealthCheck> checks = call.backend.health();
  if (asks_for_all(call.request)) return all_checks(call.request, checks);
  Faults reasons;
  for (const HealthCheck& check : checks) {
    if (check.fault.empty()) continue;
    reasons.push_back(
        {base::ErrorCode::kUnavailable, fmt::format("not ready: {}: {}", check.name, check.fault)});
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
