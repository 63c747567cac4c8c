// May this be registered or published? Pure checks of what callers send. Every fault found becomes
// an error whose message names the field and the fix (kInvalid; kTooLarge for an event's content);
// no faults means that the values in the answer may be used. CONTRACT A1, A2, A9, B3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/core/event_catalogue.h"
#include "engine/core/validate_delivery.h"
#include "engine/model/network.h"
#include "engine/model/records.h"
#include "engine/model/request.h"
#include "engine/model/url.h"

namespace triggerd::core {

// What was given, checked; absent fields stay absent. After kCreate name and target_url are there.
struct ValidWebhook {
  std::optional<std::string> name;
  std::optional<std::string> target_url;  // as given
  std::optional<model::TargetUrl> url;    // target_url, parsed
  std::optional<std::string> description;
  std::optional<base::Duration> timeout;  // 0: the default of the call's kind
  std::optional<std::vector<model::Header>> custom_headers;
  std::optional<ValidDelivery> delivery;

  // Writes the fields that are there into `webhook`.
  void apply_to(model::Webhook& webhook) const;
};

struct WebhookVerdict {
  ValidWebhook webhook;
  Faults faults;  // empty: accepted
};

enum class DraftKind : std::uint8_t { kCreate, kPatch };

[[nodiscard]] WebhookVerdict validate_webhook(const model::WebhookDraft& draft, DraftKind kind,
                                              const model::TargetPolicy& policy);

// Also asked when headers come from elsewhere than a draft (stored rows).
[[nodiscard]] Faults validate_custom_headers(const std::vector<model::Header>& headers);

struct ValidTrigger {
  model::TriggerType type = model::TriggerType::kEvent;
  std::string name;
};
struct TriggerVerdict {
  ValidTrigger trigger;
  Faults faults;
};
[[nodiscard]] TriggerVerdict validate_trigger(std::string_view type, std::string_view name,
                                              const EventNames& names);

// Name of an organization or an API key: not empty, at most kNameBytesMax, UTF-8 without control
// characters. `field` is what the message calls it.
[[nodiscard]] Faults validate_name(std::string_view field, std::string_view name);

// One event of a publish; its place in a batch stands in the message.
[[nodiscard]] Faults validate_event(const model::NewEvent& event, std::optional<std::size_t> index,
                                    const EventNames& names);

}  // namespace triggerd::core
