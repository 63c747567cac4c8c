// Everything that lives on one I/O loop: the HTTP server and its backend, the dispatcher and its
// transport. Runs on a thread of its own (IoThread), or on the engine's loop when io_threads is 0.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "api/api_handler.h"
#include "api/server.h"
#include "app/backend.h"
#include "app/config.h"
#include "app/messages.h"
#include "app/system_random.h"
#include "dispatcher/curl_transport.h"
#include "dispatcher/dispatcher.h"
#include "engine/loop/event_loop.h"
#include "engine/loop/mailbox.h"

namespace triggerd::app {

using EngineMailbox = loop::Mailbox<EngineMessage>;
using IoMailbox = loop::Mailbox<IoMessage>;

// What all I/O loops share; outlives them, never changes. `key_ring` is the one to start with.
struct IoShared {
  const Config& config;
  const SharedSecrets& secrets;
  std::shared_ptr<const dispatcher::KeyRing> key_ring;
  std::string issuer;
  unsigned loops = 1;             // how many share the limits of the process
  bool port_is_reserved = false;  // by a PortReservation: nobody else can have it
  EngineMailbox& engine;
  metrics::Metrics& metrics;  // each loop has a part of its own
  StreamSeats& seats;
};

// Thread: that of its loop, but for mailbox(), which any thread may post to. `on_stopped` is called
// on its thread when nothing is under way any more and IoStopped has been sent.
class IoLoop {
 public:
  [[nodiscard]] static base::Result<std::unique_ptr<IoLoop>> create(
      loop::EventLoop& event_loop, unsigned index, const IoShared& shared,
      std::function<void()> on_stopped);
  // Requires: IoStopped was sent, or it never started listening nor calling.
  ~IoLoop();
  IoLoop(const IoLoop&) = delete;
  IoLoop& operator=(const IoLoop&) = delete;

  [[nodiscard]] IoMailbox& mailbox() { return mailbox_; }

 private:
  IoLoop(loop::EventLoop& event_loop, unsigned index, const IoShared& shared,
         std::function<void()> on_stopped);

  base::Status open();
  void receive(std::vector<IoMessage>& messages);
  void receive_one(IoMessage message);
  void change_edge(model::EdgeChange change);
  void send(EngineMessage message);
  void flush();
  void use(const UseSettings& settings);
  void start_listening(std::uint16_t port);
  void drain();
  void stop();
  void check_stopped();
  void observe_server();

  loop::EventLoop& loop_;
  unsigned index_;
  const IoShared& shared_;
  const std::function<void()> on_stopped_;
  bool stopping_ = false;
  SystemRandom random_;
  std::vector<EngineMessage> outbox_;  // of this tick; bounded by what the tick received
  IoMailbox mailbox_;
  Backend backend_;
  api::ApiHandler handler_;
  dispatcher::Dispatcher dispatcher_;
  std::array<dispatcher::CurlTransport*, 2> transports_{};  // the dispatcher's own
  std::unique_ptr<api::Server> server_;
  loop::Timer metrics_timer_;
};

// An IoLoop with a thread and a loop of its own.
class IoThread {
 public:
  [[nodiscard]] static base::Result<std::unique_ptr<IoThread>> start(unsigned index,
                                                                     const IoShared& shared);
  // Requires: StopIo was posted.
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  [[nodiscard]] IoMailbox& mailbox() { return *mailbox_; }

 private:
  IoThread() = default;

  IoMailbox* mailbox_ = nullptr;  // lives on the thread, until this object ends
  std::promise<void> may_end_;    // kept by the destructor
  std::thread thread_;
};

}  // namespace triggerd::app
