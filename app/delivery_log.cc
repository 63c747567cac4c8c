#include "app/delivery_log.h"

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "engine/base/assert.h"
#include "engine/model/limits.h"

namespace triggerd::app {
namespace {

model::Reply refusal(base::Error error) {
  return model::Refusal{{std::move(error)}, std::nullopt};
}

model::Reply read(store::Store& store, const LogRead& read,
                  const model::ListLoggedDeliveries& request) {
  base::Result<store::ListPage> page =
      store.list(store::ListLog{request.org, read.webhook, request.filter, request.position,
                                read.pending, request.limit, model::kLogRowsLookedAtMax});
  if (!page.ok()) return refusal(page.error());
  return model::LoggedDeliveriesReply{request.webhook, std::move(page.value().deliveries),
                                      page.value().next};
}

model::Reply read(store::Store& store, const LogRead& read,
                  const model::ListLoggedEvents& request) {
  base::Result<store::ListPage> page =
      store.list(store::ListEvents{request.org, request.filter, request.position,
                                   read.pending.oldest, request.limit, model::kLogRowsLookedAtMax});
  if (!page.ok()) return refusal(page.error());
  return model::LoggedEventsReply{std::move(page.value().logged_events), page.value().next};
}

model::Reply read(store::Store& store, const LogRead& read, const model::GetDelivery& request) {
  const base::Result<std::optional<store::EventRow>> event =
      store.get(store::EventKey{request.org, request.event});
  if (!event.ok()) return refusal(event.error());
  if (!event.value()) return refusal({base::ErrorCode::kNotFound, "event not found"});
  base::Result<store::ListPage> page =
      store.list(store::ListAttempts{read.webhook, event.value()->seq});
  if (!page.ok()) return refusal(page.error());
  if (page.value().deliveries.empty()) {
    return refusal({base::ErrorCode::kNotFound,
                    "event " + request.event.to_string() + " is not for this webhook"});
  }
  return model::DeliveryReply{request.webhook, std::move(page.value().deliveries.front()),
                              std::move(page.value().attempts)};
}

model::Reply read(store::Store& store, const LogRead& read, const model::ListDeadLetters& request) {
  store::ListDead query;
  query.org = request.org;
  if (request.webhook) query.webhook = read.webhook;
  query.filter = request.filter;
  query.filter.status.reset();
  query.position = request.position;
  query.count_max = request.limit;
  query.looked_at_max = model::kLogRowsLookedAtMax;
  query.with_events = request.with_events;
  query.bytes_max = model::kExportPageBytes;
  base::Result<store::ListPage> page = store.list(query);
  if (!page.ok()) return refusal(page.error());
  return model::DeadLettersReply{std::move(page.value().dead), page.value().dead_next};
}

}  // namespace

bool is_log_read(const model::Request& request) {
  return std::holds_alternative<model::ListLoggedDeliveries>(request) ||
         std::holds_alternative<model::ListLoggedEvents>(request) ||
         std::holds_alternative<model::GetDelivery>(request) ||
         std::holds_alternative<model::ListDeadLetters>(request);
}

base::Result<LogRead> prepare_log_read(model::Request request, const core::Engine& engine,
                                       const StoreLag& lag) {
  LogRead read;
  read.pending.oldest = lag.first_pending;
  std::optional<std::pair<model::OrgId, model::WebhookId>> of_webhook;
  if (auto* deliveries = std::get_if<model::ListLoggedDeliveries>(&request)) {
    of_webhook.emplace(deliveries->org, deliveries->webhook);
    read.request = std::move(*deliveries);
  } else if (const auto* delivery = std::get_if<model::GetDelivery>(&request)) {
    of_webhook.emplace(delivery->org, delivery->webhook);
    read.request = *delivery;
  } else if (auto* letters = std::get_if<model::ListDeadLetters>(&request)) {
    if (letters->webhook) of_webhook.emplace(letters->org, *letters->webhook);
    read.request = std::move(*letters);
  } else {
    auto* events = std::get_if<model::ListLoggedEvents>(&request);
    TRIGGERD_ASSERT(events != nullptr);
    read.request = std::move(*events);
  }
  if (!of_webhook) return read;
  const auto& [org, webhook] = *of_webhook;
  const std::optional<model::WebhookRef> ref = engine.webhook_ref(org, webhook);
  if (!ref) {
    return base::Error{base::ErrorCode::kNotFound, "could not find webhook " + webhook.to_string()};
  }
  read.webhook = *ref;
  read.pending = engine.pending_of(*ref);
  read.pending.count += lag.concluded;
  read.pending.oldest = lag.first_pending;
  return read;
}

void name_webhooks(const core::Engine& engine, model::DeadLettersReply& reply) {
  std::erase_if(reply.letters, [&engine](model::DeadLetter& letter) {
    const std::optional<model::WebhookId> id = engine.webhook_id(letter.webhook);
    if (id) letter.webhook_id = *id;
    return !id;
  });
}

model::Reply run_log_read(store::Store& store, const LogRead& asked) {
  return std::visit([&store, &asked](const auto& request) { return read(store, asked, request); },
                    asked.request);
}

}  // namespace triggerd::app
