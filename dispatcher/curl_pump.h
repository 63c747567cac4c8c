// One curl multi on the loop: sockets and timer, nothing else. Sharing one between many receivers
// gets dear with the number of pooled connections, so a transport has several, by destination.
//
// curl is entered from two places only: when a socket is ready, and from run(), once per tick.
// Finished transfers are collected in run(), never in curl's callbacks.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include <curl/curl.h>

#include "dispatcher/tick_task.h"
#include "engine/loop/event_loop.h"

namespace triggerd::dispatcher {

struct FinishedTransfer {
  CURL* easy = nullptr;
  CURLcode code = CURLE_OK;
};

// Thread: that of its loop. Destroyed when no transfer is under way and every handle it prepared
// is cleaned up.
class CurlPump {
 public:
  // `tick` is scheduled whenever run() has something to do. At most `idle_connections_max`
  // connections are kept when nothing uses them.
  CurlPump(loop::EventLoop& loop, TickTask& tick, long idle_connections_max);
  ~CurlPump();
  CurlPump(const CurlPump&) = delete;
  CurlPump& operator=(const CurlPump&) = delete;

  // Ties a new easy handle to this pump: its TLS sessions, and the way sockets are closed.
  void prepare(CURL* easy);
  // Both outside of curl's callbacks only.
  void add(CURL* easy);
  void remove(CURL* easy);

  // Lets curl's timer run when it is due and appends what has finished; those are still added.
  void run(std::vector<FinishedTransfer>& finished);

 private:
  struct Socket {
    std::unique_ptr<loop::FdWatcher> watcher;
    bool idle = false;  // pooled: curl does not listen
  };

  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* pump, void* socket);
  static int on_timer(CURLM* multi, long timeout_ms, void* pump);
  static int on_close(void* pump, curl_socket_t fd);
  void watch(curl_socket_t fd, int what);
  void on_ready(curl_socket_t fd, int events);

  loop::EventLoop& loop_;
  TickTask& tick_;
  loop::Timer timer_;
  CURLM* multi_;
  CURLSH* share_;
  std::unordered_map<curl_socket_t, Socket> sockets_;
  bool timer_due_ = false;
  bool active_ = false;  // curl did something since the last run()
};

}  // namespace triggerd::dispatcher
