// SIGTERM, SIGINT and SIGHUP as calls on the loop; SIGPIPE ignored.
#pragma once

#include <functional>

#include <uv.h>

#include "engine/loop/event_loop.h"

namespace triggerd::app {

class Signals {
 public:
  // `on_stop` gets how many SIGTERM and SIGINT have come, this one included.
  Signals(loop::EventLoop& event_loop, std::function<void(int count)> on_stop,
          std::function<void()> on_hangup);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  uv_signal_t* terminate_;
  uv_signal_t* interrupt_;
  uv_signal_t* hangup_;
  std::function<void(int)> on_stop_;
  std::function<void()> on_hangup_;
  int count_ = 0;
};

}  // namespace triggerd::app
