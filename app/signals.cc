#include "app/signals.h"

#include <csignal>
#include <utility>

#include "engine/base/assert.h"

namespace triggerd::app {

Signals::Signals(loop::EventLoop& event_loop, std::function<void(int)> on_stop,
                 std::function<void()> on_hangup)
    : terminate_(new uv_signal_t),
      interrupt_(new uv_signal_t),
      hangup_(new uv_signal_t),
      on_stop_(std::move(on_stop)),
      on_hangup_(std::move(on_hangup)) {
  std::signal(SIGPIPE, SIG_IGN);
  for (uv_signal_t* handle : {terminate_, interrupt_, hangup_}) {
    TRIGGERD_ASSERT(uv_signal_init(event_loop.raw(), handle) == 0);
    handle->data = this;
    const int number = handle == terminate_ ? SIGTERM : handle == interrupt_ ? SIGINT : SIGHUP;
    uv_signal_start(
        handle,
        [](uv_signal_t* fired, int came) {
          auto* self = static_cast<Signals*>(fired->data);
          if (self == nullptr) return;
          if (came == SIGHUP) {
            self->on_hangup_();
          } else {
            self->on_stop_(++self->count_);
          }
        },
        number);
  }
}

Signals::~Signals() {
  for (uv_signal_t* handle : {terminate_, interrupt_, hangup_}) {
    handle->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<uv_signal_t*>(closed); });
  }
}

}  // namespace triggerd::app
