// The API of one I/O thread: takes each request through the table of routes, asks the engine, and
// answers when the reply or the deadline comes, whichever is first.
//
// Thread: that of its loop. Backend and random outlive it; the backend does not reply any more once
// it is destroyed, and the server that it serves is destroyed before it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>

#include "api/api_options.h"
#include "api/backend.h"
#include "api/http.h"
#include "api/reply_deadlines.h"
#include "api/router.h"
#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/loop/event_loop.h"

namespace triggerd::api {

class ApiHandler final : public HttpHandler {
 public:
  ApiHandler(loop::EventLoop& loop, Backend& backend, base::Random& random,
             ApiOptions options = {});
  ApiHandler(const ApiHandler&) = delete;
  ApiHandler& operator=(const ApiHandler&) = delete;

  // Refuses what the head alone refuses: 400, 401, 403, 404, 405, 413, 415.
  HeadDecision on_head(const HttpRequest& head) override;
  // Does not rely on on_head having been called: the door is the same.
  void on_request(HttpRequest request, Respond respond) override;

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
    Respond respond;
    Present present = nullptr;
    Audience audience;
    base::Duration timeout{0};
    Waits waits = Waits::kDefault;
  };

  std::variant<Admitted, HttpResponse> admit_head(const HttpRequest& head);
  void ask(Ask ask, const Admitted& admitted, Respond respond);
  void replied(Ticket ticket, const model::Reply& reply);
  void answer_expired();
  void arm_timer();

  loop::EventLoop& loop_;
  Backend& backend_;
  base::Random& random_;
  ApiOptions options_;
  ReplyDeadlines<Waiting> waiting_;
  std::optional<base::MonoTime> armed_for_;
  loop::Timer timer_;
};

}  // namespace triggerd::api
