#include "api/dead_letter_handlers.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/answers.h"
#include "api/delivery_log_writer.h"
#include "api/log_cursor.h"
#include "api/problem.h"
#include "api/query_reader.h"
#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

constexpr std::string_view kLines = "application/x-ndjson";

// The path and the query as they came, but for the cursor.
std::string path_without_cursor(const HttpRequest& request) {
  std::string path(request.path());
  std::string_view rest = request.query();
  char joint = '?';
  while (!rest.empty()) {
    const std::string_view parameter = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), parameter.size() + 1));
    if (parameter.empty() || parameter.starts_with("cursor=")) continue;
    path += joint;
    path += parameter;
    joint = '&';
  }
  return path += joint;
}

bool wants_lines(const HttpRequest& request) {
  const std::string* accept = request.find_field("Accept");
  return accept != nullptr && accept->find(kLines) != std::string::npos;
}

}  // namespace

Step list_dead_letters(Call& call) {
  model::ListDeadLetters request{call.caller.org};
  Faults faults;
  QueryReader reader(call.request.query(), faults);
  reader.limit(request.limit);
  reader.webhook(request.webhook);
  reader.name(request.filter.event_name);
  reader.times(request.filter);
  const std::optional<std::string> cursor = reader.value("cursor");
  if (!faults.empty()) return problem(faults);
  ListAsked asked;
  asked.limit = request.limit;
  asked.query_digest = digest_of(OtherList::kDeadLetters,
                                 query_digest(call.caller.org, request.webhook, request.filter));
  if (cursor) {
    const auto position = read_cursor(*cursor, asked.query_digest);
    if (!position || position->pending_before.value() > UINT32_MAX) {
      reader.fault("cursor", kNotOfThisQuery);
      return problem(faults);
    }
    request.position = model::DeadLetterPosition{
        position->before,
        model::WebhookRef(static_cast<std::uint32_t>(position->pending_before.value()))};
  }
  if (wants_lines(call.request)) {
    request.with_events = true;
    asked.as_lines = true;
    asked.next_path = path_without_cursor(call.request);
  }
  Ask ask{std::move(request), {}};
  ask.list = std::move(asked);
  return ask;
}

HttpResponse show_dead_letters(const model::Reply& reply, const Audience& audience) {
  const auto& found = reply_as<model::DeadLettersReply>(reply);
  std::string cursor;
  if (found.next) {
    cursor = write_cursor({found.next->seq, model::EventSeq(found.next->webhook.value())},
                          audience.list.query_digest);
  }
  if (!audience.list.as_lines) {
    return json_answer(200, write_dead_letters(found, {audience.list.limit, cursor}));
  }
  HttpResponse response;
  response.content_type = std::string(kLines);
  response.body = write_dead_letter_lines(found);
  if (!cursor.empty()) {
    response.fields.push_back(
        {"Link", "<" + audience.list.next_path + "cursor=" + cursor + ">; rel=\"next\""});
  }
  return response;
}

}  // namespace triggerd::api
