// May these delivery settings be taken? Pure checks of the `delivery` object of CONTRACT A2; every
// fault found becomes a message that names the field and the fix.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/records.h"
#include "engine/model/request.h"

namespace triggerd::core {

using Faults = std::vector<base::Error>;

// What was given, checked: absent fields keep what the webhook has, null ones take the default.
struct ValidDelivery {
  bool reset = false;  // first every field back to its default
  model::Sent<std::vector<base::Duration>> schedule;
  model::Sent<model::DeliveryRate> rate;
  model::Sent<std::uint32_t> max_in_flight;
  model::Sent<model::DeliveryFormat> format;
  model::Sent<std::uint8_t> signatures;
  model::Sent<model::Ordering> ordering;
  model::Sent<model::OnFailure> on_failure;
  std::optional<model::WebhookState> state;

  // A webhook that is disabled already keeps the reason it was disabled for. One that is not
  // disabled any more starts without a past.
  void apply_to(model::Webhook& webhook) const;
};

struct DeliveryVerdict {
  ValidDelivery delivery;
  Faults faults;  // empty: accepted
};
[[nodiscard]] DeliveryVerdict validate_delivery(const model::DeliveryDraft& draft);

// Go durations: at most kScheduleEntriesMax, each in 0 .. kScheduleEntryMax. `field` is what the
// messages call the list.
struct ScheduleVerdict {
  std::vector<base::Duration> schedule;
  Faults faults;
};
[[nodiscard]] ScheduleVerdict validate_schedule(std::string_view field,
                                                const std::vector<std::string>& entries);

}  // namespace triggerd::core
