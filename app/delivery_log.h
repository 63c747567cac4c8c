// Reads of the delivery log for clients: what is asked of the store, and the reply made of what it
// gives. The engine is asked only whose webhook it is and how many of its deliveries are pending.
#pragma once

#include <cstdint>
#include <variant>

#include "engine/base/status.h"
#include "engine/core/engine.h"
#include "engine/model/request.h"
#include "store/store.h"

namespace triggerd::app {

// A request of the delivery log with what the engine knows of it.
struct LogRead {
  std::variant<model::ListLoggedDeliveries, model::ListLoggedEvents, model::GetDelivery,
               model::ListDeadLetters>
      request;
  model::WebhookRef webhook;  // 0: of the organization
  model::PendingOfWebhook pending;
};

[[nodiscard]] bool is_log_read(const model::Request& request);

// How the store may lag behind the engine.
struct StoreLag {
  std::uint64_t concluded = 0;    // deliveries that it may still hold as pending
  model::EventSeq first_pending;  // below it, it holds nothing as pending
};

// On the engine thread. kNotFound: the organization has no such webhook.
// Requires: is_log_read(request).
[[nodiscard]] base::Result<LogRead> prepare_log_read(model::Request request,
                                                     const core::Engine& engine,
                                                     const StoreLag& lag);

// On the reader thread; blocks on the disk. A refusal when the store fails or there is no such
// delivery.
[[nodiscard]] model::Reply run_log_read(store::Store& store, const LogRead& read);

// On the engine thread: the store knows webhooks by their refs alone. Letters of one that is gone
// are left out: nobody could mend them.
void name_webhooks(const core::Engine& engine, model::DeadLettersReply& reply);

}  // namespace triggerd::app
