#include "api/webhook_handlers.h"

#include <optional>
#include <utility>

#include "api/answers.h"
#include "api/client_address.h"
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "api/percent.h"
#include "api/problem.h"
#include "api/trigger_reader.h"

namespace triggerd::api {
namespace {

// The first parameter of the path. An id that is no UUID is that of no webhook.
std::optional<model::WebhookId> webhook_id(const Call& call) {
  return model::WebhookId::parse(call.parameters[0]);
}

HttpResponse no_such_webhook() {
  return problem(404, "webhook_id: webhook not found");
}

HeaderValues values_for(const Audience& audience) {
  return (audience.scopes & model::kScopeManage) != 0 ? HeaderValues::kClear
                                                      : HeaderValues::kMasked;
}

}  // namespace

Step create_webhook(Call& call) {
  model::CreateWebhook request{call.caller.org, {}};
  const Faults faults = read_webhook(call.request.body, request.draft);
  if (!faults.empty()) return problem(faults);
  if (request.draft.delivery) request.secret = call.backend.mint_signing_secret();
  return Ask{std::move(request), {}};
}

Step list_webhooks(Call& call) {
  return Ask{model::ListWebhooks{call.caller.org}, {}};
}

Step get_webhook(Call& call) {
  const std::optional<model::WebhookId> id = webhook_id(call);
  if (!id) return no_such_webhook();
  return Ask{model::GetWebhook{call.caller.org, *id}, {}};
}

Step patch_webhook(Call& call) {
  const std::optional<model::WebhookId> id = webhook_id(call);
  if (!id) return no_such_webhook();
  model::PatchWebhook request{call.caller.org, *id, {}};
  const Faults faults = read_webhook(call.request.body, request.draft);
  if (!faults.empty()) return problem(faults);
  if (request.draft.delivery) request.secret = call.backend.mint_signing_secret();
  return Ask{std::move(request), {}};
}

Step rotate_secret(Call& call) {
  const std::optional<model::WebhookId> id = webhook_id(call);
  if (!id) return no_such_webhook();
  return Ask{model::RotateSecret{call.caller.org, *id, call.backend.mint_signing_secret()}, {}};
}

Step get_secret(Call& call) {
  const std::optional<model::WebhookId> id = webhook_id(call);
  if (!id) return no_such_webhook();
  return Ask{model::GetSecret{call.caller.org, *id}, {}};
}

Step delete_webhook(Call& call) {
  const std::optional<model::WebhookId> id = webhook_id(call);
  if (!id) return no_such_webhook();
  return Ask{model::DeleteWebhook{call.caller.org, *id}, {}};
}

Step list_triggers(Call& call) {
  const std::optional<model::WebhookId> id = webhook_id(call);
  if (!id) return no_such_webhook();
  return Ask{model::ListTriggers{call.caller.org, *id}, {}};
}

Step add_trigger(Call& call) {
  const std::optional<model::WebhookId> id = webhook_id(call);
  if (!id) return no_such_webhook();
  TriggerText trigger;
  const Faults faults = read_trigger(call.request.body, trigger);
  if (!faults.empty()) return problem(faults);
  return Ask{model::AddTrigger{call.caller.org, *id, std::move(trigger.type),
                               std::move(trigger.name), std::move(trigger.filter)},
             {}};
}

Step remove_trigger(Call& call) {
  const std::optional<model::WebhookId> id = webhook_id(call);
  if (!id) return no_such_webhook();
  base::Result<std::string> type = required_parameter(call.request.query(), "trigger_type");
  base::Result<std::string> name = required_parameter(call.request.query(), "trigger_name");
  Faults faults;
  if (!type.ok()) faults.push_back(type.error());
  if (!name.ok()) faults.push_back(name.error());
  if (!faults.empty()) return problem(faults);
  return Ask{
      model::RemoveTrigger{call.caller.org, *id, std::move(type.value()), std::move(name.value())},
      {}};
}

Step get_jwks(Call& call) {
  const model::IpAddress client = client_address(call.request, call.options.trusted_proxies);
  return Ask{model::GetJwks{call.caller.org, client.client_network()}, {}};
}

HttpResponse show_created_webhook(const model::Reply& reply, const Audience& audience) {
  return json_answer(
      201, write_webhook(*reply_as<model::WebhookReply>(reply).webhook, values_for(audience)));
}

HttpResponse show_webhook(const model::Reply& reply, const Audience& audience) {
  return json_answer(
      200, write_webhook(*reply_as<model::WebhookReply>(reply).webhook, values_for(audience)));
}

HttpResponse show_webhooks(const model::Reply& reply, const Audience& audience) {
  return json_answer(
      200, write_webhooks(reply_as<model::WebhooksReply>(reply).webhooks, values_for(audience)));
}

HttpResponse show_triggers(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(200, write_triggers(reply_as<model::TriggersReply>(reply).triggers));
}

HttpResponse show_added_trigger(const model::Reply& reply, const Audience& /*audience*/) {
  static_cast<void>(reply_as<model::TriggerAdded>(reply));
  return json_answer(201, "{}");
}

HttpResponse show_rotated_secret(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(200, write_rotated_secret(reply_as<model::SecretRotated>(reply)));
}

HttpResponse show_secret(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(200, write_secret(reply_as<model::SecretReply>(reply)));
}

HttpResponse show_jwks(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(200, write_jwks(reply_as<model::JwksReply>(reply).keys));
}

HttpResponse show_done(const model::Reply& reply, const Audience& /*audience*/) {
  static_cast<void>(reply_as<model::Done>(reply));
  return no_content();
}

}  // namespace triggerd::api
