#include "dispatcher/curl_pump.h"

#include <chrono>

#include <unistd.h>

#include "engine/base/assert.h"

namespace triggerd::dispatcher {

CurlPump::CurlPump(loop::EventLoop& loop, TickTask& tick, long idle_connections_max)
    : loop_(loop),
      tick_(tick),
      timer_(loop,
             [this] {
               timer_due_ = true;
               tick_.schedule();
             }),
      multi_(curl_multi_init()),
      share_(curl_share_init()) {
  TRIGGERD_ASSERT(multi_ != nullptr && share_ != nullptr);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlPump::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlPump::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, idle_connections_max);
  curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

CurlPump::~CurlPump() {
  // Closes the pooled connections, and with them the watchers.
  TRIGGERD_ASSERT(curl_multi_cleanup(multi_) == CURLM_OK);
  TRIGGERD_ASSERT(curl_share_cleanup(share_) == CURLSHE_OK);
}

void CurlPump::prepare(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_SHARE, share_);
  // Of the connection, not of the handle: the pump outlives both.
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &CurlPump::on_close);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
}

void CurlPump::add(CURL* easy) {
  TRIGGERD_ASSERT(curl_multi_add_handle(multi_, easy) == CURLM_OK);
}

void CurlPump::remove(CURL* easy) {
  TRIGGERD_ASSERT(curl_multi_remove_handle(multi_, easy) == CURLM_OK);
}

void CurlPump::run(std::vector<FinishedTransfer>& finished) {
  int running = 0;
  if (timer_due_) {
    timer_due_ = false;
    active_ = true;
    curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  }
  if (!active_) return;
  active_ = false;
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) {
      finished.push_back({message->easy_handle, message->data.result});
    }
  }
}

// A zero timeout is not run here and not by a timer of 0 ms either: libuv would run it again within
// the same tick and sockets would starve. It waits for the tick's one run.
int CurlPump::on_timer(CURLM* /*multi*/, long timeout_ms, void* pump) {
  auto* const self = static_cast<CurlPump*>(pump);
  if (timeout_ms < 0) {
    self->timer_due_ = false;
    self->timer_.stop();
  } else if (timeout_ms == 0) {
    self->timer_.stop();
    self->timer_due_ = true;
    self->tick_.schedule();
  } else {
    self->timer_due_ = false;
    self->timer_.start_after(std::chrono::milliseconds(timeout_ms));
  }
  return 0;
}

int CurlPump::on_socket(CURL* /*easy*/, curl_socket_t fd, int what, void* pump, void* /*socket*/) {
  static_cast<CurlPump*>(pump)->watch(fd, what);
  return 0;
}

void CurlPump::watch(curl_socket_t fd, int what) {
  if (what == CURL_POLL_REMOVE) {
    // Kept armed: the next transfer on this connection will want the same events, and stopping and
    // starting would be two system calls per call. on_ready() stops it should the peer speak up.
    if (const auto found = sockets_.find(fd); found != sockets_.end()) found->second.idle = true;
    return;
  }
  Socket& socket = sockets_[fd];
  socket.idle = false;
  if (!socket.watcher) {
    socket.watcher = std::make_unique<loop::FdWatcher>(
        loop_, fd, [this, fd](int events) { on_ready(fd, events); });
  }
  socket.watcher->watch(((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
                        ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0));
}

// May destroy the watcher that called (the connection closes): nothing of it is touched afterwards.
void CurlPump::on_ready(curl_socket_t fd, int events) {
  const auto found = sockets_.find(fd);
  if (found == sockets_.end()) return;
  if (found->second.idle) {
    // Closed by the peer, most likely: libcurl finds out when it wants to use it again.
    found->second.watcher->watch(0);
    return;
  }
  int running = 0;
  active_ = true;
  tick_.schedule();
  curl_multi_socket_action(multi_, fd,
                           ((events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0) |
                               ((events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0),
                           &running);
}

int CurlPump::on_close(void* pump, curl_socket_t fd) {
  static_cast<CurlPump*>(pump)->sockets_.erase(fd);
  return close(fd);
}

}  // namespace triggerd::dispatcher
