#include "engine/core/validate_delivery.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "engine/model/go_duration.h"
#include "engine/model/limits.h"

namespace triggerd::core {
namespace {

using base::Duration;
using base::Error;
using base::ErrorCode;
using model::Sent;

Error invalid(std::string_view field, std::string_view why) {
  return Error{ErrorCode::kInvalid, std::string(field) + ": " + std::string(why)};
}

template <class Value>
struct Named {
  std::string_view name;
  Value value;
};

constexpr std::array<Named<model::DeliveryFormat>, 4> kFormats{
    {{"jwt", model::DeliveryFormat::kJwt},
     {"json", model::DeliveryFormat::kJson},
     {"cloudevents", model::DeliveryFormat::kCloudEvents},
     {"cloudevents-binary", model::DeliveryFormat::kCloudEventsBinary}}};
constexpr std::array<Named<std::uint8_t>, 2> kSignatures{
    {{"hmac", model::kSignatureHmac}, {"ed25519", model::kSignatureEd25519}}};
constexpr std::array<Named<model::Ordering>, 2> kOrderings{
    {{"none", model::Ordering::kNone}, {"key", model::Ordering::kKey}}};
constexpr std::array<Named<model::OnFailure>, 2> kOnFailures{
    {{"open", model::OnFailure::kOpen}, {"closed", model::OnFailure::kClosed}}};
constexpr std::array<Named<model::WebhookState>, 3> kStates{
    {{"active", model::WebhookState::kActive},
     {"paused", model::WebhookState::kPaused},
     {"disabled", model::WebhookState::kDisabled}}};

// The value of that name; nothing, and a fault that lists the names, when there is none.
template <class Value, std::size_t N>
std::optional<Value> look_up(std::string_view field, std::string_view name,
                             const std::array<Named<Value>, N>& names, Faults& faults) {
  for (const Named<Value>& each : names) {
    if (each.name == name) return each.value;
  }
  std::string known;
  for (std::size_t i = 0; i < N; ++i) {
    known += i == 0 ? "" : i + 1 == N ? " or " : ", ";
    known += names[i].name;
  }
  faults.push_back(invalid(field, "is unknown; use " + known));
  return std::nullopt;
}

// Checks a field that was sent with a value; null goes through.
template <class Text, class Value, class Check>
void check(const Sent<Text>& sent, Sent<Value>& into, const Check& check_value) {
  if (!sent) return;
  if (!*sent) {
    into.emplace(std::nullopt);
  } else if (std::optional<Value> value = check_value(**sent)) {
    into.emplace(std::move(value));
  }
}

std::optional<std::uint8_t> check_signatures(const std::vector<std::string>& names,
                                             Faults& faults) {
  unsigned bits = 0;
  const std::size_t before = faults.size();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string field = "delivery.signatures[" + std::to_string(i) + "]";
    bits |= look_up(field, names[i], kSignatures, faults).value_or(std::uint8_t{0});
  }
  if (faults.size() > before) return std::nullopt;
  return static_cast<std::uint8_t>(bits);
}

std::optional<model::DeliveryRate> check_rate(const model::RateDraft& draft, Faults& faults) {
  constexpr double least = model::kDeliveryRateThousandthsMin / 1000.0;
  constexpr double most = model::kDeliveryRateThousandthsMax / 1000.0;
  const std::size_t before = faults.size();
  model::DeliveryRate rate;
  if (!draft.per_second) {
    faults.push_back(invalid("delivery.rate.per_second", "is required; give calls a second"));
  } else if (!(*draft.per_second >= least && *draft.per_second <= most)) {
    faults.push_back(invalid("delivery.rate.per_second",
                             "is out of range; use 0.001 to 100000, or null for "
                             "the whole rate to have none"));
  } else {
    rate.per_second_thousandths =
        static_cast<std::uint32_t>(std::llround(*draft.per_second * 1000.0));
    rate.burst = std::max(1U, (rate.per_second_thousandths + 999) / 1000);  // of one second
  }
  if (draft.burst && (*draft.burst < 1 || *draft.burst > model::kDeliveryBurstMax)) {
    faults.push_back(invalid("delivery.rate.burst", "is out of range; use 1 to " +
                                                        std::to_string(model::kDeliveryBurstMax)));
  } else if (draft.burst) {
    rate.burst = static_cast<std::uint32_t>(*draft.burst);
  }
  if (faults.size() > before) return std::nullopt;
  return rate;
}

std::optional<std::uint32_t> check_max_in_flight(std::int64_t value, Faults& faults) {
  if (value >= 1 && value <= model::kMaxInFlightMax) return static_cast<std::uint32_t>(value);
  faults.push_back(invalid("delivery.max_in_flight",
                           "is out of range; use 1 to " + std::to_string(model::kMaxInFlightMax)));
  return std::nullopt;
}

template <class Value>
void apply(const Sent<Value>& sent, std::optional<Value>& into) {
  if (sent) into = *sent;
}

void apply_state(model::WebhookState state, model::Webhook& webhook) {
  if (webhook.state == state) return;
  if (state == model::WebhookState::kDisabled) {
    webhook.disabled_reason = model::DisabledReason::kByHand;
  } else if (webhook.state == model::WebhookState::kDisabled) {
    webhook.disabled_reason = model::DisabledReason::kNone;
    webhook.failing_since = base::WallTime();
  }
  webhook.state = state;
}

}  // namespace

void ValidDelivery::apply_to(model::Webhook& webhook) const {
  model::DeliverySettings& settings = webhook.delivery;
  if (reset) settings = model::DeliverySettings();
  apply(schedule, settings.schedule);
  apply(rate, settings.rate);
  apply(max_in_flight, settings.max_in_flight);
  apply(format, settings.format);
  apply(signatures, settings.signatures);
  apply(ordering, settings.ordering);
  apply(on_failure, settings.on_failure);
  if (state) {
    apply_state(*state, webhook);
  } else if (reset) {
    apply_state(model::WebhookState::kActive, webhook);
  }
}

DeliveryVerdict validate_delivery(const model::DeliveryDraft& draft) {
  DeliveryVerdict verdict;
  ValidDelivery& valid = verdict.delivery;
  Faults& faults = verdict.faults;
  valid.reset = draft.reset;
  check(draft.format, valid.format, [&faults](const std::string& name) {
    return look_up("delivery.format", name, kFormats, faults);
  });
  check(draft.signatures, valid.signatures, [&faults](const std::vector<std::string>& names) {
    return check_signatures(names, faults);
  });
  check(draft.schedule, valid.schedule, [&faults](const std::vector<std::string>& entries) {
    ScheduleVerdict schedule = validate_schedule("delivery.schedule", entries);
    std::move(schedule.faults.begin(), schedule.faults.end(), std::back_inserter(faults));
    return std::optional(std::move(schedule.schedule));
  });
  check(draft.max_in_flight, valid.max_in_flight,
        [&faults](std::int64_t value) { return check_max_in_flight(value, faults); });
  check(draft.rate, valid.rate,
        [&faults](const model::RateDraft& rate) { return check_rate(rate, faults); });
  check(draft.ordering, valid.ordering, [&faults](const std::string& name) {
    return look_up("delivery.ordering", name, kOrderings, faults);
  });
  check(draft.on_failure, valid.on_failure, [&faults](const std::string& name) {
    return look_up("delivery.on_failure", name, kOnFailures, faults);
  });
  if (draft.state) {
    valid.state = !*draft.state ? model::WebhookState::kActive
                                : look_up("delivery.state", **draft.state, kStates, faults);
  }
  return verdict;
}

ScheduleVerdict validate_schedule(std::string_view field, const std::vector<std::string>& entries) {
  ScheduleVerdict verdict;
  if (entries.size() > model::kScheduleEntriesMax) {
    verdict.faults.push_back(invalid(
        field,
        "has more than " + std::to_string(model::kScheduleEntriesMax) + " entries; take some out"));
    return verdict;
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string at = std::string(field) + "[" + std::to_string(i) + "]";
    const base::Result<Duration> entry = model::parse_go_duration(entries[i]);
    if (!entry.ok()) {
      verdict.faults.push_back(invalid(at, entry.error().message));
    } else if (entry.value() < Duration(0) || entry.value() > model::kScheduleEntryMax) {
      verdict.faults.push_back(invalid(at, "is out of range; use 0s to 72h"));
    } else {
      verdict.schedule.push_back(entry.value());
    }
  }
  return verdict;
}

}  // namespace triggerd::core
