#include "bench/load/sink.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace triggerd::load {
namespace {

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
constexpr std::size_t kReadBytes = std::size_t{64} * 1024;
constexpr int kEventsPerWait = 256;

void watch(int epoll, int what, std::uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.fd = what;
  if (epoll_ctl(epoll, operation, what, &event) != 0) die("epoll_ctl");
}

}  // namespace

Sink::Sink(std::size_t count, std::uint16_t first_port)
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (epoll_ < 0 || stop_ < 0) die("epoll");
  watch(epoll_, stop_, EPOLLIN, EPOLL_CTL_ADD);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t port = first_port == 0 ? 0 : first_port + i;
    listeners_.push_back(listen_on(static_cast<std::uint16_t>(port)));
    ports_.push_back(port_of(listeners_.back()));
    watch(epoll_, listeners_.back(), EPOLLIN, EPOLL_CTL_ADD);
  }
  thread_ = std::thread([this] { run(); });
}

Sink::~Sink() {
  const std::uint64_t one = 1;
  if (::write(stop_, &one, sizeof(one)) != sizeof(one)) die("eventfd");
  thread_.join();
  for (const int listener : listeners_) close(listener);
  close(stop_);
  close(epoll_);
}

std::vector<Arrival> Sink::take_arrivals() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(arrivals_, {});
}

void Sink::run() {
  std::array<epoll_event, kEventsPerWait> ready{};
  for (;;) {
    const int count = epoll_wait(epoll_, ready.data(), kEventsPerWait, -1);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = ready[static_cast<std::size_t>(i)];
      if (event.data.fd == stop_) {
        for (const auto& [socket, connection] : connections_) close(socket);
        return;
      }
      if (std::find(listeners_.begin(), listeners_.end(), event.data.fd) != listeners_.end()) {
        accept_all(event.data.fd);
      } else {
        serve(event.data.fd, event.events);
      }
    }
  }
}

void Sink::accept_all(int listener) {
  for (;;) {
    const int accepted = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) {
      if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR) return;
      die("accept");
    }
    const int yes = 1;
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    connections_.emplace(accepted, Connection());
    watch(epoll_, accepted, EPOLLIN, EPOLL_CTL_ADD);
  }
}

void Sink::serve(int socket, std::uint32_t events) {
  Connection& connection = connections_.at(socket);
  const bool blocked = !connection.out.empty();
  bool open = true;
  if ((events & EPOLLIN) != 0 || (events & (EPOLLHUP | EPOLLERR)) != 0) {
    open = read(socket, connection);
  }
  if (open) open = write(socket, connection);
  if (!open) {
    connections_.erase(socket);
    close(socket);
    return;
  }
  if (blocked != !connection.out.empty()) {
    watch(epoll_, socket, connection.out.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
  }
}

bool Sink::read(int socket, Connection& connection) {
  static thread_local std::array<char, kReadBytes> buffer;
  const ssize_t count = recv(socket, buffer.data(), buffer.size(), 0);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  const std::int64_t at = now_ns();
  // Most reads are one whole request: those are looked at where they are.
  std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
  if (!connection.in.empty()) {
    connection.in.append(bytes);
    bytes = connection.in;
  }
  while (const std::optional<Message> message = first_message(bytes)) {
    if (const auto event = parse_uuid(find_field(message->head, "webhook-id"))) {
      const std::lock_guard<std::mutex> lock(mutex_);
      arrivals_.push_back({*event, at});
      ++arrived_;
    }
    ++requests_;
    connection.out.append(kAnswer);
    bytes.remove_prefix(message->bytes);
  }
  connection.in = std::string(bytes);
  return true;
}

bool Sink::write(int socket, Connection& connection) const {
  if (connection.out.empty()) return true;
  const ssize_t count = send(socket, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  connection.out.erase(0, static_cast<std::size_t>(count));
  return true;
}

}  // namespace triggerd::load
