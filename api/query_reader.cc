#include "api/query_reader.h"

#include <charconv>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "api/delivery_log_writer.h"
#include "api/percent.h"
#include "engine/model/limits.h"

namespace triggerd::api {

void QueryReader::limit(std::uint32_t& out) {
  const std::optional<std::string> text = value("limit");
  if (!text) return;
  std::uint32_t number = 0;
  const char* const last = text->data() + text->size();
  const auto [end, error] = std::from_chars(text->data(), last, number);
  if (error != std::errc() || end != last || number < 1 || number > model::kLogPageMax) {
    return fault("limit", fmt::format("must be a whole number from 1 to {}", model::kLogPageMax));
  }
  out = number;
}

void QueryReader::status(std::optional<model::DeliveryStatus>& out) {
  const std::optional<std::string> text = value("status");
  if (!text) return;
  for (const auto status : {model::DeliveryStatus::kPending, model::DeliveryStatus::kDelivered,
                            model::DeliveryStatus::kDead, model::DeliveryStatus::kCancelled}) {
    if (*text == word_of(status)) out = status;
  }
  if (!out) fault("status", "must be pending, delivered, dead or cancelled");
}

void QueryReader::name(std::string& out) {
  const std::optional<std::string> text = value("event_name");
  if (!text) return;
  if (text->size() > model::kNameBytesMax) {
    return fault("event_name", fmt::format("has at most {} bytes", model::kNameBytesMax));
  }
  out = *text;
}

void QueryReader::time(std::string_view name, std::optional<model::WallTime>& out) {
  const std::optional<std::string> text = value(name);
  if (!text) return;
  out = base::parse_rfc3339(*text);
  if (!out) {
    fault(name, "must be a time as RFC 3339 writes it, such as 2024-03-03T02:12:00Z (a + as %2B)");
  }
}

void QueryReader::webhook(std::optional<model::WebhookId>& out) {
  const std::optional<std::string> text = value("webhook_id");
  if (!text) return;
  out = model::WebhookId::parse(*text);
  if (!out) fault("webhook_id", "must be the ID of a webhook, a UUID");
}

void QueryReader::times(model::LogFilter& out) {
  time("since", out.since);
  time("until", out.until);
  if (out.since && out.until && *out.until <= *out.since) {
    fault("until", "must be later than since");
  }
}

std::optional<std::string> QueryReader::value(std::string_view name) {
  base::Result<std::optional<std::string>> found = optional_parameter(query_, name);
  if (found.ok()) return std::move(found.value());
  faults_.push_back(found.error());
  return std::nullopt;
}

void QueryReader::fault(std::string_view name, std::string_view what) {
  faults_.push_back({base::ErrorCode::kInvalid, fmt::format("query parameter {}: {}", name, what)});
}

}  // namespace triggerd::api
