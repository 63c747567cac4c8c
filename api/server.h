// The HTTP/1.1 server of one loop: listens, owns its connections, watches their time.
// RFC 9110, RFC 9112; no TLS, no HTTP/2 (a reverse proxy in front speaks those).
//
// Thread: the loop's. The server outlives neither the loop nor the handler.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/connection_limits.h"
#include "api/http.h"
#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/loop/event_loop.h"
#include "engine/loop/tcp.h"

namespace triggerd::api {

struct ServerOptions {
  std::string address = "127.0.0.1";  // an IPv4 or IPv6 literal, without brackets
  std::uint16_t port = 0;             // 0 lets the system choose
  bool reuse_port = false;            // several servers (one a loop) on one port
  ServerLimits limits;
  std::function<base::Now()> clock = &base::read_clocks;  // another one in tests
};

class Server {
 public:
  // Errors: those of loop::Listener::listen.
  static base::Result<std::unique_ptr<Server>> listen(loop::EventLoop& loop, ServerOptions options,
                                                      HttpHandler& handler);
  // As close_now(). Answers that come later are dropped.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  // Accepts no more, closes idle connections, answers what is under way with Connection: close.
  // `on_drained` runs once, at the end of a tick, when the last connection is gone; it may destroy
  // the server. A request that never ends is ended by its time limit. Called once.
  void drain(std::function<void()> on_drained);
  // Drops everything. Not from within the handler.
  void close_now();

  [[nodiscard]] ServerCounts counts() const;
  // Ends what is over its time. The server does it by itself every sweep_interval; tests that bring
  // a clock call it.
  void sweep();

 private:
  class Connections;

  Server(loop::EventLoop& loop, ServerOptions options, HttpHandler& handler);

  std::unique_ptr<loop::ReadBuffer> buffer_;
  std::unique_ptr<Connections> connections_;
  std::unique_ptr<loop::Listener> listener_;
  std::uint16_t port_ = 0;
};

}  // namespace triggerd::api
