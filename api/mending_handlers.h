// Mending: deliveries given again or given up, jobs that give many again, and what is not delivered
// yet.
#pragma once

#include "api/router.h"

namespace triggerd::api {

Step retry_delivery(Call& call);
Step skip_delivery(Call& call);
Step start_recovery(Call& call);
Step test_webhook(Call& call);
Step list_ordering_keys(Call& call);
Step list_jobs(Call& call);
Step get_job(Call& call);
Step cancel_job(Call& call);
Step get_pending(Call& call);

HttpResponse show_retried(const model::Reply& reply, const Audience& audience);
HttpResponse show_skipped(const model::Reply& reply, const Audience& audience);
HttpResponse show_started_job(const model::Reply& reply, const Audience& audience);
HttpResponse show_webhook_test(const model::Reply& reply, const Audience& audience);
HttpResponse show_ordering_keys(const model::Reply& reply, const Audience& audience);
HttpResponse show_jobs(const model::Reply& reply, const Audience& audience);
HttpResponse show_job(const model::Reply& reply, const Audience& audience);
HttpResponse show_pending(const model::Reply& reply, const Audience& audience);

}  // namespace triggerd::api
