#include "api/event_type_handlers.h"

#include <optional>
#include <utility>

#include "api/answers.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "api/trigger_reader.h"

namespace triggerd::api {

Step list_event_types(Call& call) {
  return Ask{model::ListEventTypes{call.caller.org}, {}};
}

Step get_event_type(Call& call) {
  return Ask{model::GetEventType{call.caller.org, call.parameters[0]}, {}};
}

Step put_event_type(Call& call) {
  EventTypeText event_type;
  const Faults faults = read_event_type(call.request.body, event_type);
  if (!faults.empty()) return problem(faults);
  return Ask{
      model::DefineEventType{call.caller.org, call.parameters[0], std::move(event_type.description),
                             std::move(event_type.schema)},
      {}};
}

Step delete_event_type(Call& call) {
  return Ask{model::RemoveEventType{call.caller.org, call.parameters[0]}, {}};
}

Step test_trigger(Call& call) {
  const std::optional<model::WebhookId> id = model::WebhookId::parse(call.parameters[0]);
  if (!id) return problem(404, "could not find webhook " + call.parameters[0]);
  TrialText trial;
  const Faults faults = read_trial(call.request.body, trial);
  if (!faults.empty()) return problem(faults);
  return Ask{model::TestTrigger{call.caller.org, *id, std::move(trial.trigger.type),
                                std::move(trial.trigger.name), std::move(trial.trigger.filter),
                                std::move(trial.events), trial.recent},
             {}};
}

HttpResponse show_event_types(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(200, write_event_types(reply_as<model::EventTypesReply>(reply).event_types));
}

HttpResponse show_event_type(const model::Reply& reply, const Audience& /*audience*/) {
  const auto& found = reply_as<model::EventTypeReply>(reply);
  return json_answer(found.created ? 201 : 200, write_event_type(found.event_type));
}

HttpResponse show_trial(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(200, write_trial(reply_as<model::TriggerTestReply>(reply).results));
}

}  // namespace triggerd::api
