// The API of one I/O thread: takes each request through the table of routes, asks the engine, and
// answers when the reply or the deadline comes, whichever is first.
//
// Thread: that of its loop. Backend and random outlive it; the backend does not reply any more once
// it is destroyed, and the server that it serves is destroyed before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "api/api_options.h"
#include "api/backend.h"
#include "api/event_stream.h"
#include "api/http.h"
#include "api/live_streams.h"
#include "api/reply_deadlines.h"
#include "api/request_observer.h"
#include "api/router.h"
#include "engine/base/ids.h"
#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/loop/event_loop.h"

namespace triggerd::api {

class ApiHandler final : public HttpHandler {
 public:
  // `observer`, when there is one, outlives this.
  ApiHandler(loop::EventLoop& loop, Backend& backend, base::Random& random, ApiOptions options = {},
             RequestObserver* observer = nullptr);
  ApiHandler(const ApiHandler&) = delete;
  ApiHandler& operator=(const ApiHandler&) = delete;

  // Refuses what the head alone refuses: 400, 401, 403, 404, 405, 413, 415.
  HeadDecision on_head(const HttpRequest& head) override;
  // Does not rely on on_head having been called: the door is the same.
  Ticket on_request(HttpRequest request, Respond respond) override;
  void on_gone(Ticket request) override;

  // Lines of events (event_stream.h), or a live stream; a handful of them at a time.
  std::unique_ptr<BodyReader> on_stream(const HttpRequest& head, SendPiece send) override;

  // The live streams of this loop.
  [[nodiscard]] LiveStreams& live() { return live_; }
  // Other options from the next request on; what was waiting_max stays.
  void use(ApiOptions options) { options_ = std::move(options); }

  // Requests that wait for a reply.
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  // A request whose head is good.
  struct Admitted {
    const Route* route = nullptr;
    PathParameters parameters;
    Caller caller;
    base::Duration timeout{0};
  };
  struct Waiting {
    std::uint64_t stream = 0;    // the stream that asked; 0: `respond` is answered
    base::RequestId request{0};  // as the backend named it
    Respond respond;
    const Route* route = nullptr;
    base::MonoTime since;
    Audience audience;
    base::Duration timeout{0};
  };

  std::variant<Admitted, HttpResponse> admit_head(const HttpRequest& head);
  // For the paths of SDKs, which pages of other origins call.
  [[nodiscard]] bool is_of_sdk(const HttpRequest& head) const;
  [[nodiscard]] std::vector<HttpField> sdk_fields(const HttpRequest& head) const;
  Ticket ask(Ask ask, const Admitted& admitted, Respond respond, base::MonoTime since);
  void answer(const Waiting& waiting, HttpResponse response);
  // `route` is null where none was found.
  void observe(const Route* route, int status, base::MonoTime since);
  void ask_for_stream(std::uint64_t stream, model::PublishEvents events);
  void answer_stream(std::uint64_t stream, const model::Reply& reply);
  void replied(Ticket ticket, const model::Reply& reply);
  HeadDecision open_live(const HttpRequest& head, const Admitted& admitted);
  void answer_expired();
  void arm_timer();

  loop::EventLoop& loop_;
  Backend& backend_;
  base::Random& random_;
  ApiOptions options_;
  RequestObserver* observer_;
  std::uint64_t last_stream_ = 0;
  std::unordered_map<std::uint64_t, EventStream*> streams_;  // of connections, by number
  LiveStreams live_;
  std::optional<LiveQuery> live_query_;  // of the head that has just been admitted
  ReplyDeadlines<Waiting> waiting_;
  std::optional<base::MonoTime> armed_for_;
  loop::Timer timer_;
};

}  // namespace triggerd::api
