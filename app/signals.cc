#include "app/signals.h"

#include <csignal>
#include <utility>

#include "engine/base/assert.h"

namespace triggerd::app {

Signals::Signals(loop::EventLoop& event_loop, std::function<void(int)> on_signal)
    : terminate_(new uv_signal_t), interrupt_(new uv_signal_t), on_signal_(std::move(on_signal)) {
  std::signal(SIGPIPE, SIG_IGN);
  for (uv_signal_t* handle : {terminate_, interrupt_}) {
    TRIGGERD_ASSERT(uv_signal_init(event_loop.raw(), handle) == 0);
    handle->data = this;
    uv_signal_start(
        handle,
        [](uv_signal_t* fired, int) {
          auto* self = static_cast<Signals*>(fired->data);
          if (self != nullptr) self->on_signal_(++self->count_);
        },
        handle == terminate_ ? SIGTERM : SIGINT);
  }
}

Signals::~Signals() {
  for (uv_signal_t* handle : {terminate_, interrupt_}) {
    handle->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<uv_signal_t*>(closed); });
  }
}

}  // namespace triggerd::app
