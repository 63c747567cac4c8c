// Answers about mending and about what is pending as JSON text, like json_writer's: keys in
// alphabetical order, in the envelope.
#pragma once

#include <string>

#include "api/delivery_log_writer.h"
#include "engine/model/request.h"

namespace triggerd::api {

[[nodiscard]] std::string write_mended(const model::DeliveryMended& reply);
[[nodiscard]] std::string write_job(const model::RecoverJob& job);
[[nodiscard]] std::string write_jobs(const model::JobsReply& reply);
[[nodiscard]] std::string write_pending(const model::PendingReply& reply, const PageMeta& meta);
[[nodiscard]] std::string write_ordering_keys(const model::OrderingKeysReply& reply);
// Of a synthetic event to one webhook.
[[nodiscard]] std::string write_webhook_test(model::WebhookId webhook, model::EventId event,
                                             const std::string& event_name);

}  // namespace triggerd::api
