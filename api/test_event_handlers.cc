#include "api/test_event_handlers.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "api/answers.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "api/test_event_reader.h"
#include "engine/model/event_content.h"
#include "engine/model/event_samples.h"
#include "engine/model/event_types.h"

namespace triggerd::api {
namespace {

model::NewEvent event_of(const model::EventSample& sample, const std::string& event_name,
                         Call& call) {
  model::NewEvent event;
  event.id = model::EventId(call.random.uuid_v4());
  event.name = event_name;
  event.timestamp = call.now.wall;
  event.is_test = true;
  event.is_sample = true;
  model::build_content(event, call.caller.org, *model::split_event_name(event.name),
                       model::members_of(sample.content));
  return event;
}

// Makes one event of this kind: what is published, and what the answer shows of it.
TestEvent make_test_event(const TestEventsSpec& spec, Call& call, model::NewEvent& event) {
  const model::EventSample sample = model::sample_event(
      spec.event_name, spec.analytics_correlation_id, call.now.wall, call.random);
  event = event_of(sample, spec.event_name, call);
  return {event.id,         event.name,          event.timestamp,       call.caller.org,
          sample.person_id, sample.authn_method, sample.failure_reason, sample.window_location};
}

}  // namespace

model::NewEvent make_sample(const std::string& event_name, Call& call) {
  return event_of(model::sample_event(event_name, "", call.now.wall, call.random), event_name,
                  call);
}

Step send_test_events(Call& call) {
  std::vector<TestEventsSpec> specs;
  const Faults faults = read_test_events(call.request.body, call.options.test_events_burst, specs);
  if (!faults.empty()) return problem(faults);
  model::PublishEvents request{call.caller.org, {}};
  std::vector<TestEvent> shown;
  for (const TestEventsSpec& spec : specs) {
    for (std::uint32_t i = 0; i < spec.count; ++i) {
      model::NewEvent event;
      shown.push_back(make_test_event(spec, call, event));
      if (spec.duplicates) request.events.push_back(event);
      request.events.push_back(std::move(event));
    }
  }
  request.claims = {{model::RateKind::kTestEvents,
                     call.caller.org,
                     {},
                     static_cast<std::uint32_t>(shown.size())}};
  Ask ask{std::move(request), {}};
  ask.answer = write_test_events(shown);
  return ask;
}

HttpResponse show_test_events(const model::Reply& reply, const Audience& audience) {
  static_cast<void>(reply_as<model::PublishReply>(reply));
  return json_answer(201, audience.answer);
}

}  // namespace triggerd::api
