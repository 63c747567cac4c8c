#include "api/api_handler.h"

#include <utility>

#include <fmt/format.h>

#include "api/cors.h"
#include "api/event_format.h"
#include "api/head_rules.h"
#include "api/live_handlers.h"
#include "api/problem.h"
#include "api/routes.h"
#include "api/sdk_handlers.h"
#include "api/trace_context.h"
#include "engine/base/assert.h"

namespace triggerd::api {
namespace {

// Some clients send a body with GET and DELETE; a small one is taken and not looked at.
constexpr std::size_t kIgnoredBodyBytesMax = 4096;

std::size_t body_bytes_max(const Route& route) {
  switch (route.body) {
    case Body::kJson:
    case Body::kEvents:
      return model::kBodyBytesMax;
    case Body::kSdk:
      return model::kSdkBodyBytesMax;
    case Body::kNone:
      break;
  }
  return kIgnoredBodyBytesMax;
}

bool is_stream(const Route& route, const HttpRequest& head) {
  return route.body == Body::kEvents && event_format_of(head) == EventFormat::kNdjson;
}

bool is_live_stream(const Route& route, const HttpRequest& head) {
  return route.prepare == &open_live_stream && head.method == Method::kGet;
}

void add_fields(HttpResponse& response, const std::vector<HttpField>& fields) {
  response.fields.insert(response.fields.end(), fields.begin(), fields.end());
}

HttpResponse not_in_time(base::Duration timeout, Waits waits) {
  const double seconds = std::chrono::duration<double>(timeout).count();
  if (waits == Waits::kAsAsked) {
    return problem(408, fmt::format("the required consistency was not reached within {:g} s; the "
                                    "write goes on, and is safe to repeat",
                                    seconds));
  }
  return problem(408, fmt::format("no answer within {:g} s; a write goes on: repeat it with the "
                                  "same IDs, or look whether it is done",
                                  seconds));
}

// Of a request that was refused: what it would have come to is looked up again, which costs those
// who are let in nothing.
const Route* route_of(const HttpRequest& head) {
  const std::variant<Matched, HttpResponse> found =
      find_route(all_routes(), head.method, head.path());
  const auto* matched = std::get_if<Matched>(&found);
  return matched == nullptr ? nullptr : matched->route;
}

}  // namespace

ApiHandler::ApiHandler(loop::EventLoop& loop, Backend& backend, base::Random& random,
                       ApiOptions options, RequestObserver* observer)
    : loop_(loop),
      backend_(backend),
      random_(random),
      options_(std::move(options)),
      observer_(observer),
      live_(loop, backend, options_.live_comment_interval),
      waiting_(options_.waiting_max),
      timer_(loop, [this] { answer_expired(); }) {}

HeadDecision ApiHandler::on_head(const HttpRequest& head) {
  std::variant<Admitted, HttpResponse> verdict = admit_head(head);
  if (auto* refusal = std::get_if<HttpResponse>(&verdict)) {
    if (is_of_sdk(head)) add_fields(*refusal, sdk_fields(head));
    observe(route_of(head), refusal->status, loop_.now().mono);
    return AnswerNow{std::move(*refusal)};
  }
  if (is_stream(*std::get<Admitted>(verdict).route, head)) {
    if (streams_.size() >= model::kStreamsMax) {
      return AnswerNow{problem(503, "too many streams of events are open; try again later")};
    }
    HttpResponse answer;
    answer.content_type = "application/x-ndjson";
    return StreamBody{std::move(answer)};
  }
  if (is_live_stream(*std::get<Admitted>(verdict).route, head)) {
    return open_live(head, std::get<Admitted>(verdict));
  }
  ReadBody read{body_bytes_max(*std::get<Admitted>(verdict).route)};
  if (is_of_sdk(head)) read.refusal_fields = sdk_fields(head);
  return read;
}

bool ApiHandler::is_of_sdk(const HttpRequest& head) const {
  return options_.sdk_ingest.enabled && is_sdk_path(head.path());
}

std::vector<HttpField> ApiHandler::sdk_fields(const HttpRequest& head) const {
  return origin_fields(head, options_.sdk_ingest.allowed_origins);
}

std::variant<ApiHandler::Admitted, HttpResponse> ApiHandler::admit_head(const HttpRequest& head) {
  if (is_sdk_path(head.path())) {
    if (!options_.sdk_ingest.enabled) return unknown_route();
    if (auto refusal = refuse_origin(head, options_.sdk_ingest.allowed_origins)) {
      return *std::move(refusal);
    }
  }
  std::variant<Matched, HttpResponse> found = find_route(all_routes(), head.method, head.path());
  if (auto* refusal = std::get_if<HttpResponse>(&found)) return std::move(*refusal);
  auto& matched = std::get<Matched>(found);
  const Route& route = *matched.route;

  const Access access =
      route.access == Access::kScrape && options_.metrics_public ? Access::kOpen : route.access;
  std::variant<Caller, HttpResponse> caller = admit(access, head, backend_);
  if (auto* refusal = std::get_if<HttpResponse>(&caller)) return std::move(*refusal);
  if (route.body == Body::kEvents) {
    if (auto refusal = refuse_event_format(head)) return *std::move(refusal);
  } else if (route.body != Body::kNone) {
    const auto plain = route.body == Body::kSdk ? PlainText::kIsJson : PlainText::kRefused;
    if (auto refusal = refuse_media_type(head, plain)) return *std::move(refusal);
  }
  if (!is_stream(route, head)) {
    if (auto refusal = refuse_length(head, body_bytes_max(route))) return *std::move(refusal);
  }
  base::Duration timeout = options_.reply_timeout;
  if (route.waits == Waits::kAsAsked) {
    const base::Result<base::Duration> asked = consistency_timeout(head, timeout);
    if (!asked.ok()) return problem({asked.error()});
    timeout = asked.value();
  }
  return Admitted{&route, std::move(matched.parameters), std::get<Caller>(caller), timeout};
}

Ticket ApiHandler::on_request(HttpRequest request, Respond respond) {
  if (is_of_sdk(request)) {
    respond = [respond = std::move(respond), fields = sdk_fields(request)](HttpResponse answer) {
      add_fields(answer, fields);
      respond(std::move(answer));
    };
  }
  const base::MonoTime since = loop_.now().mono;
  std::variant<Admitted, HttpResponse> verdict = admit_head(request);
  if (auto* refusal = std::get_if<HttpResponse>(&verdict)) {
    observe(route_of(request), refusal->status, since);
    respond(std::move(*refusal));
    return {};
  }
  const auto& admitted = std::get<Admitted>(verdict);
  Call call{request, admitted.parameters, admitted.caller, backend_,
            random_, loop_.now(),         options_};
  Step step = admitted.route->prepare(call);
  if (auto* at_once = std::get_if<HttpResponse>(&step)) {
    observe(admitted.route, at_once->status, since);
    respond(std::move(*at_once));
    return {};
  }
  return ask(std::move(std::get<Ask>(step)), admitted, std::move(respond), since);
}

Ticket ApiHandler::ask(Ask ask, const Admitted& admitted, Respond respond, base::MonoTime since) {
  Waiting waiting{0,
                  base::RequestId(0),
                  std::move(respond),
                  admitted.route,
                  since,
                  Audience{admitted.caller.scopes, std::move(ask.api_key), std::move(ask.answer),
                           std::move(ask.list)},
                  admitted.timeout};
  if (waiting_.full()) {
    answer(waiting, problem(503, "too many requests wait; try again later"));
    return {};
  }
  const Ticket ticket = waiting_.add(std::move(waiting), admitted.timeout, loop_.now().mono);
  arm_timer();
  waiting_.find(ticket)->request =
      backend_.submit(std::move(ask.request),
                      [this, ticket](const model::Reply& reply) { replied(ticket, reply); });
  return ticket;
}

// What the request did stands; what it only waited for is given up.
void ApiHandler::on_gone(Ticket request) {
  const std::optional<Waiting> waiting = waiting_.take(request);
  if (waiting) backend_.cancel(waiting->request);
}

void ApiHandler::answer(const Waiting& waiting, HttpResponse response) {
  observe(waiting.route, response.status, waiting.since);
  waiting.respond(std::move(response));
}

void ApiHandler::observe(const Route* route, int status, base::MonoTime since) {
  if (observer_ != nullptr) observer_->answered({route, status, loop_.now().mono - since});
}

// --- Live streams -----------------------------------------------------------------------------

HeadDecision ApiHandler::open_live(const HttpRequest& head, const Admitted& admitted) {
  std::variant<LiveQuery, Faults> query = read_live_query(head);
  std::optional<HttpResponse> refusal;
  if (const auto* faults = std::get_if<Faults>(&query)) {
    refusal = problem(*faults);
  } else {
    refusal = live_.refuse_or_take_seat(admitted.caller.org);
  }
  observe(admitted.route, refusal ? refusal->status : 200, loop_.now().mono);
  if (refusal) return AnswerNow{*std::move(refusal)};
  live_query_ = std::move(std::get<LiveQuery>(query));
  return StreamBody{live_stream_answer(), StreamBody::EndedBy::kClient};
}

// --- Streams of events ------------------------------------------------------------------------

std::unique_ptr<BodyReader> ApiHandler::on_stream(const HttpRequest& head, SendPiece send) {
  const std::variant<Admitted, HttpResponse> verdict = admit_head(head);
  // on_head has said so: on the same loop, in the same call.
  TRIGGERD_ASSERT(std::holds_alternative<Admitted>(verdict));
  if (live_query_) {
    return live_.open(std::get<Admitted>(verdict).caller, *std::exchange(live_query_, std::nullopt),
                      std::move(send));
  }
  const std::uint64_t id = ++last_stream_;
  EventStreamOptions options;
  options.org = std::get<Admitted>(verdict).caller.org;
  options.traceparent = traceparent_of(head);
  EventStream::Outside outside;
  outside.publish = [this, id](model::PublishEvents events) {
    ask_for_stream(id, std::move(events));
  };
  outside.send = std::move(send);
  outside.clock = [this] { return loop_.now().wall; };
  outside.on_gone = [this, id, route = std::get<Admitted>(verdict).route,
                     since = loop_.now().mono] {
    observe(route, 200, since);
    streams_.erase(id);
  };
  auto stream = std::make_unique<EventStream>(std::move(options), std::move(outside), random_);
  streams_.emplace(id, stream.get());
  return stream;
}

void ApiHandler::ask_for_stream(std::uint64_t stream, model::PublishEvents events) {
  if (waiting_.full()) {
    // Not from within: the stream is in the middle of asking.
    loop_.defer([this, stream] {
      answer_stream(stream, model::Refusal{{{base::ErrorCode::kOverloaded,
                                             "too many requests wait; try again later"}},
                                           std::nullopt});
    });
    return;
  }
  Waiting waiting;
  waiting.stream = stream;
  const Ticket ticket = waiting_.add(std::move(waiting), options_.reply_timeout, loop_.now().mono);
  arm_timer();
  backend_.submit(std::move(events),
                  [this, ticket](const model::Reply& reply) { replied(ticket, reply); });
}

void ApiHandler::answer_stream(std::uint64_t stream, const model::Reply& reply) {
  const auto found = streams_.find(stream);
  if (found != streams_.end()) found->second->replied(reply);
}

void ApiHandler::replied(Ticket ticket, const model::Reply& reply) {
  const std::optional<Waiting> waiting = waiting_.take(ticket);
  if (!waiting) return;
  if (waiting->stream != 0) return answer_stream(waiting->stream, reply);
  if (const auto* refusal = std::get_if<model::Refusal>(&reply)) {
    return answer(*waiting, problem(*refusal));
  }
  answer(*waiting, waiting->route->present(reply, waiting->audience));
}

void ApiHandler::answer_expired() {
  armed_for_.reset();
  const base::MonoTime now = loop_.now().mono;
  while (const std::optional<Waiting> waiting = waiting_.take_expired(now)) {
    if (waiting->stream != 0) {
      answer_stream(waiting->stream,
                    model::Refusal{{{base::ErrorCode::kTimeout,
                                     "no answer in time; a write goes on: repeat it with the same "
                                     "event_id"}},
                                   std::nullopt});
    } else {
      answer(*waiting, not_in_time(waiting->timeout, waiting->route->waits));
    }
  }
  arm_timer();
}

// The timer may fire too early (entries are taken without moving it), never too late.
void ApiHandler::arm_timer() {
  const std::optional<base::MonoTime> next = waiting_.next();
  if (!next || (armed_for_ && *armed_for_ <= *next)) return;
  armed_for_ = next;
  timer_.start_at(*next);
}

}  // namespace triggerd::api
