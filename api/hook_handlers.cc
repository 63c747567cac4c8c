#include "api/hook_handlers.h"

#include <chrono>
#include <string>
#include <utility>

#include "api/answers.h"
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "api/prefer.h"
#include "api/problem.h"
#include "api/trace_context.h"
#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

constexpr int kWaitSecondsMax =
    std::chrono::duration_cast<std::chrono::duration<int>>(model::kHookWaitMax).count();

}  // namespace

Step call_hook(Call& call) {
  model::CallHook request;
  request.org = call.caller.org;
  request.name = call.parameters[0];
  Faults faults;
  const base::Result<base::Duration> wait = preferred_wait(call.request, kWaitSecondsMax);
  if (wait.ok()) {
    request.wait = wait.value();
  } else {
    faults.push_back(wait.error());
  }
  Faults of_body = read_hook_content(call.request.body, request.content);
  faults.insert(faults.end(), of_body.begin(), of_body.end());
  if (!faults.empty()) return problem(faults);
  request.id = model::EventId(call.random.uuid_v7(call.now.wall));
  request.traceparent = traceparent_of(call.request);
  return Ask{std::move(request), {}};
}

HttpResponse show_hook(const model::Reply& reply, const Audience& /*audience*/) {
  const auto& merged = reply_as<model::HookReply>(reply);
  HttpResponse response = json_answer(200, write_hook(merged));
  if (merged.waited_for > base::Duration(0)) {
    add_preference_applied(merged.waited_for, response);
  }
  return response;
}

}  // namespace triggerd::api
