#include "api/sdk_handlers.h"

#include <utility>

#include "api/answers.h"
#include "api/client_address.h"
#include "api/cors.h"
#include "api/json_writer.h"
#include "api/problem.h"
#include "api/sdk_event_reader.h"

namespace triggerd::api {

Step preflight_sdk(Call& call) {
  return answer_preflight(call.request);
}

Step take_sdk_event(Call& call) {
  const model::IpAddress client = client_address(call.request, call.options.trusted_proxies);
  const SdkDefaults defaults{call.now.wall, call.random, client};
  model::PublishEvents request;
  model::NewEvent event;
  const Faults faults = read_sdk_event(call.request.body, defaults, request.org, event);
  if (!faults.empty()) return problem(faults);
  request.events.push_back(std::move(event));
  request.claims = {{model::RateKind::kSdkClient, {}, client.client_network(), 1},
                    {model::RateKind::kSdkOrganization, request.org, {}, 1}};
  return Ask{std::move(request), {}};
}

HttpResponse show_sdk_event(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(202, write_sdk_event(reply_as<model::PublishReply>(reply).events.front().id));
}

}  // namespace triggerd::api
