// SIGTERM and SIGINT as calls on the loop; SIGPIPE ignored.
#pragma once

#include <functional>

#include <uv.h>

#include "engine/loop/event_loop.h"

namespace triggerd::app {

class Signals {
 public:
  // `on_signal` gets how many have come, this one included.
  Signals(loop::EventLoop& event_loop, std::function<void(int count)> on_signal);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  uv_signal_t* terminate_;
  uv_signal_t* interrupt_;
  std::function<void(int)> on_signal_;
  int count_ = 0;
};

}  // namespace triggerd::app
