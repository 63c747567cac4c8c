// Internal to the JSON readers: the `delivery` object of a webhook (CONTRACT A2).
#pragma once

#include "api/json_document.h"
#include "engine/model/request.h"

namespace triggerd::api {

// Types are checked here, values by the core. Fields that are not known are faults, except
// `disabled_reason`: it is shown, not set, and who sends back what a GET gave means no harm.
[[nodiscard]] model::DeliveryDraft read_delivery(dom::element value, Faults& faults);

}  // namespace triggerd::api
