// A server on the test's own thread with a tiny handler, and raw sockets to talk to it. Time moves
// only when the test says so.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/http.h"
#include "api/server.h"
#include "engine/loop/event_loop.h"

namespace triggerd::api {

// A streamed body is sent back, at most `piece` bytes at a time; its end as "<end>", a cut as
// "<status>".
struct EchoStreams {
  std::size_t piece = std::size_t{64} * 1024;
  bool has_room = true;
  std::size_t taken = 0;  // bytes, by all
  std::size_t open = 0;
};

// What an answer that its client ends has to say, and what came of it.
struct LiveAnswers {
  std::string text;  // not sent yet
  std::size_t piece = 1000;
  std::size_t open = 0;
  std::size_t sent = 0;  // bytes, to all
  class LiveReader* last = nullptr;
};

// Answers 200 with method, target and body. Paths that do something else:
//   /early   answered 401 from the head alone
//   /nobody  wants no body
//   /later   is kept in `later` until the test answers it
//   /none    204
//   /big     1 MiB of answer
//   /custom  `custom`
//   /stream  the body comes back as it came (EchoReader)
//   /live    `live.text` comes, piece by piece, and the client ends it (LiveReader)
class EchoHandler final : public HttpHandler {
 public:
  HeadDecision on_head(const HttpRequest& head) override;
  Ticket on_request(HttpRequest request, Respond respond) override;
  void on_gone(Ticket request) override { gone.push_back(request.serial); }
  std::unique_ptr<BodyReader> on_stream(const HttpRequest& head, SendPiece send) override;

  std::size_t body_bytes_max = 1024;
  std::vector<HttpField> refusal_fields;
  HttpResponse custom;
  std::vector<std::string> targets;  // of every head, in order
  std::vector<Respond> later;        // the first has the ticket 1, and so on
  std::vector<std::uint64_t> gone;   // tickets
  std::string last_peer;
  EchoStreams streams;
  LiveAnswers live;
};

class LiveReader final : public BodyReader {
 public:
  LiveReader(LiveAnswers& live, SendPiece send);
  ~LiveReader() override;

  void go_on();
  void on_body(std::string_view& bytes) override { bytes = {}; }
  void on_body_end() override {}
  void on_body_cut(int status, std::string_view why) override;
  void on_room() override;
  [[nodiscard]] bool has_room() const override { return true; }
  [[nodiscard]] std::size_t unfinished_bytes() const override { return 0; }
  [[nodiscard]] std::uint64_t parts() const override { return 0; }

 private:
  LiveAnswers& live_;
  SendPiece send_;
  bool may_send_ = true;
  bool ended_ = false;
};

HttpResponse text_response(int status, std::string body);

struct ParsedResponse {
  int status = 0;
  std::map<std::string, std::string> fields;  // names in lower case
  std::string body;
};
// Takes whole answers off the front of `bytes`; 100 is one of them.
std::vector<ParsedResponse> take_responses(std::string& bytes, bool to_head = false);

class Client;

class ServerFixture {
 public:
  explicit ServerFixture(ServerOptions options = {});
  ~ServerFixture();
  ServerFixture(const ServerFixture&) = delete;
  ServerFixture& operator=(const ServerFixture&) = delete;

  // Runs the loop until `done`, at most a few seconds; false when it never was.
  bool run_until(const std::function<bool()>& done);
  void advance(base::Duration time);

  loop::EventLoop loop;
  EchoHandler handler;
  base::Now now;
  std::unique_ptr<Server> server;
};

// A blocking-looking client: every wait runs the server's loop.
class Client {
 public:
  explicit Client(ServerFixture& fixture);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes);
  // What the socket takes now; false when it takes nothing.
  bool send_some(std::string_view bytes) const;
  void end_writing() const;
  void reset();  // closes with RST
  // Reads what is there; true while the server has not closed.
  bool read();
  // Waits for `count` final answers or the close, and returns all answers so far unread.
  std::vector<ParsedResponse> wait_for(std::size_t count);
  bool wait_closed();

  [[nodiscard]] bool closed() const { return closed_; }
  std::string received;
  bool to_head = false;

 private:
  ServerFixture& fixture_;
  int fd_;
  bool closed_ = false;
};

}  // namespace triggerd::api
