#include "api/event_handlers.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/answers.h"
#include "api/cloud_event_reader.h"
#include "api/event_format.h"
#include "api/event_reader.h"
#include "api/json_writer.h"
#include "api/prefer.h"
#include "api/problem.h"
#include "api/trace_context.h"
#include "engine/base/assert.h"
#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

constexpr int kWaitSecondsMax =
    std::chrono::duration_cast<std::chrono::duration<int>>(model::kPublishWaitMax).count();

Faults read_any_events(HttpRequest& request, const EventDefaults& defaults,
                       std::vector<model::NewEvent>& events) {
  switch (event_format_of(request).value_or(EventFormat::kJson)) {
    case EventFormat::kCloudEvent:
      return read_cloud_event(request.body, defaults, events);
    case EventFormat::kCloudEventBatch:
      return read_cloud_event_batch(request.body, defaults, events);
    case EventFormat::kCloudEventBinary:
      return read_binary_cloud_event(request, defaults, events);
    case EventFormat::kNdjson:  // taken as a stream before its body comes
    case EventFormat::kJson:
      break;
  }
  return read_events(request.body, defaults, events);
}

}  // namespace

Step publish_events(Call& call) {
  model::PublishEvents request{call.caller.org, {}};
  const EventDefaults defaults{call.caller.org, call.now.wall, call.random,
                               traceparent_of(call.request)};
  Faults faults;
  const base::Result<base::Duration> wait = preferred_wait(call.request, kWaitSecondsMax);
  if (wait.ok()) {
    request.wait = wait.value();
  } else {
    faults.push_back(wait.error());
  }
  Faults of_body = read_any_events(call.request, defaults, request.events);
  std::move(of_body.begin(), of_body.end(), std::back_inserter(faults));
  if (!faults.empty()) {
    const Faults of_entries = faults_of_entries(request.events);
    faults.insert(faults.end(), of_entries.begin(), of_entries.end());
    return problem(faults);
  }
  // Entries of a list may still have faults: the engine names all of them, and its own.
  return Ask{std::move(request), {}};
}

Step get_event(Call& call) {
  const std::optional<model::EventId> id = model::EventId::parse(call.parameters[0]);
  if (!id) return problem(404, "event_id: event not found");
  return Ask{model::GetEvent{call.caller.org, *id}, {}};
}

HttpResponse show_published(const model::Reply& reply, const Audience& /*audience*/) {
  const auto& published = reply_as<model::PublishReply>(reply);
  HttpResponse response = json_answer(202, write_published(published));
  if (published.waited_for > model::Duration(0)) {
    add_preference_applied(published.waited_for, response);
  }
  return response;
}

HttpResponse show_event(const model::Reply& reply, const Audience& /*audience*/) {
  const auto& found = reply_as<model::EventReply>(reply);
  TRIGGERD_ASSERT(found.event != nullptr);
  return json_answer(200, write_event(*found.event, found.deliveries));
}

}  // namespace triggerd::api
