#include "api/delivery_log_handlers.h"

#include <charconv>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "api/answers.h"
#include "api/delivery_log_writer.h"
#include "api/log_cursor.h"
#include "api/percent.h"
#include "api/problem.h"
#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

// What the query of a list says.
struct ListParameters {
  model::LogFilter filter;
  std::optional<std::string> cursor;
  std::uint32_t limit = model::kLogPageDefault;
};

class QueryReader {
 public:
  QueryReader(std::string_view query, Faults& faults) : query_(query), faults_(faults) {}

  void limit(std::uint32_t& out) {
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
  void status(std::optional<model::DeliveryStatus>& out) {
    const std::optional<std::string> text = value("status");
    if (!text) return;
    for (const auto status : {model::DeliveryStatus::kPending, model::DeliveryStatus::kDelivered,
                              model::DeliveryStatus::kDead, model::DeliveryStatus::kCancelled}) {
      if (*text == word_of(status)) out = status;
    }
    if (!out) fault("status", "must be pending, delivered, dead or cancelled");
  }
  void name(std::string& out) {
    const std::optional<std::string> text = value("event_name");
    if (!text) return;
    if (text->size() > model::kNameBytesMax) {
      return fault("event_name", fmt::format("has at most {} bytes", model::kNameBytesMax));
    }
    out = *text;
  }
  void time(std::string_view name, std::optional<model::WallTime>& out) {
    const std::optional<std::string> text = value(name);
    if (!text) return;
    out = base::parse_rfc3339(*text);
    if (!out) {
      fault(name,
            "must be a time as RFC 3339 writes it, such as 2024-03-03T02:12:00Z (a + as %2B)");
    }
  }
  std::optional<std::string> value(std::string_view name) {
    base::Result<std::optional<std::string>> found = optional_parameter(query_, name);
    if (found.ok()) return std::move(found.value());
    faults_.push_back(found.error());
    return std::nullopt;
  }
  void fault(std::string_view name, std::string_view what) {
    faults_.push_back(
        {base::ErrorCode::kInvalid, fmt::format("query parameter {}: {}", name, what)});
  }

 private:
  std::string_view query_;
  Faults& faults_;
};

// Reads the parameters and, last, the cursor, which is tied to the others.
Faults read_list_parameters(const Call& call, std::optional<model::WebhookId> webhook,
                            ListParameters& out, std::optional<model::LogPosition>& position,
                            ListAsked& asked) {
  Faults faults;
  QueryReader reader(call.request.query(), faults);
  reader.limit(out.limit);
  reader.status(out.filter.status);
  reader.name(out.filter.event_name);
  reader.time("since", out.filter.since);
  reader.time("until", out.filter.until);
  if (out.filter.since && out.filter.until && *out.filter.until <= *out.filter.since) {
    reader.fault("until", "must be later than since");
  }
  const std::optional<std::string> cursor = reader.value("cursor");
  if (!faults.empty()) return faults;
  asked = {out.limit, query_digest(call.caller.org, webhook, out.filter)};
  if (!cursor) return faults;
  position = read_cursor(*cursor, asked.query_digest);
  if (!position) {
    reader.fault("cursor",
                 "is not of this query: take meta.cursor_pagination.cursor of the page before, and "
                 "give the same filters with it");
  }
  return faults;
}

// Like the engine's word for one that is not there.
HttpResponse no_webhook(const std::string& text) {
  return problem(404, "could not find webhook " + text);
}

PageMeta meta_of(const std::optional<model::LogPosition>& next, const Audience& audience) {
  return {audience.list.limit,
          next ? write_cursor(*next, audience.list.query_digest) : std::string()};
}

// `webhook` is the one whose deliveries are listed.
template <class Request>
Step ask_for_list(Call& call, const std::optional<model::WebhookId>& webhook, Request request) {
  ListParameters parameters;
  ListAsked asked;
  const Faults faults = read_list_parameters(call, webhook, parameters, request.position, asked);
  if (!faults.empty()) return problem(faults);
  request.filter = std::move(parameters.filter);
  request.limit = parameters.limit;
  Ask ask{std::move(request), {}};
  ask.list = asked;
  return ask;
}

}  // namespace

Step list_deliveries(Call& call) {
  const std::optional<model::WebhookId> webhook = model::WebhookId::parse(call.parameters[0]);
  if (!webhook) return no_webhook(call.parameters[0]);
  return ask_for_list(call, webhook, model::ListLoggedDeliveries{call.caller.org, *webhook});
}

Step list_events(Call& call) {
  return ask_for_list(call, std::nullopt, model::ListLoggedEvents{call.caller.org});
}

Step get_delivery(Call& call) {
  const std::optional<model::WebhookId> webhook = model::WebhookId::parse(call.parameters[0]);
  if (!webhook) return no_webhook(call.parameters[0]);
  const std::optional<model::EventId> event = model::EventId::parse(call.parameters[1]);
  if (!event) return problem(404, "event_id: event not found");
  return Ask{model::GetDelivery{call.caller.org, *webhook, *event}, {}};
}

HttpResponse show_deliveries(const model::Reply& reply, const Audience& audience) {
  const auto& found = reply_as<model::LoggedDeliveriesReply>(reply);
  return json_answer(200, write_logged_deliveries(found, meta_of(found.next, audience)));
}

HttpResponse show_events(const model::Reply& reply, const Audience& audience) {
  const auto& found = reply_as<model::LoggedEventsReply>(reply);
  return json_answer(200, write_logged_events(found, meta_of(found.next, audience)));
}

HttpResponse show_delivery(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(200, write_logged_delivery(reply_as<model::DeliveryReply>(reply)));
}

}  // namespace triggerd::api
