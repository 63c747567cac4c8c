#include "api/live_handlers.h"

#include <variant>

#include "api/live_query.h"
#include "api/problem.h"

namespace triggerd::api {

Step open_live_stream(Call& call) {
  const std::variant<LiveQuery, Faults> query = read_live_query(call.request);
  if (const auto* faults = std::get_if<Faults>(&query)) return problem(*faults);
  return live_stream_answer();
}

HttpResponse live_stream_answer() {
  HttpResponse answer;
  answer.content_type = "text/event-stream";
  // Proxies (nginx by the last one) pass on what comes at once.
  answer.fields = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  return answer;
}

}  // namespace triggerd::api
