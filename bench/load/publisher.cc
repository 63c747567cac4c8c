#include "bench/load/publisher.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace triggerd::load {
namespace {

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr std::int64_t kStalledNs = 5 * kNanosecondsPerSecond;
constexpr int kEventsPerWait = 256;
constexpr std::size_t kReadBytes = std::size_t{64} * 1024;

double in_seconds(std::int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / kNanosecondsPerSecond;
}

}  // namespace

std::string PhaseReport::to_json() const {
  return fmt::format(
      R"({{"accepted":{},"refused":{},"deliveries":{},"publish_seconds":{:.3f},"seconds":{:.3f},)"
      R"("accept":{},"receive":{}}})",
      accepted, refused, deliveries, publish_seconds, seconds, accept.to_json(), receive.to_json());
}

PhaseReport Publisher::saturate(double seconds, std::size_t connections,
                                std::uint64_t outstanding_max) {
  begin_phase(connections);
  period_ns_ = 0;
  const std::int64_t end = began_ns_ + static_cast<std::int64_t>(seconds * kNanosecondsPerSecond);
  while (now_ns() < end) {
    for (Connection& connection : connections_) {
      const std::uint64_t delivered = (sink_.arrived() - arrived_before_) / target_.fan_out;
      if (published_ - delivered >= outstanding_max) break;
      if (connection.asked_ns.empty()) publish(connection, now_ns());
      flush(connection);
    }
    constexpr std::int64_t look_again_ns = 200'000;  // deliveries make room without a word to us
    wait_until(now_ns() + look_again_ns);
  }
  return end_phase();
}

PhaseReport Publisher::pace(double events_per_second, double seconds, std::size_t connections) {
  begin_phase(connections);
  period_ns_ = kNanosecondsPerSecond / events_per_second;
  const auto total = static_cast<std::uint64_t>(events_per_second * seconds);
  while (published_ < total) {
    const std::int64_t now = now_ns();
    for (;;) {
      const std::int64_t due =
          began_ns_ + static_cast<std::int64_t>(static_cast<double>(published_) * period_ns_);
      if (due > now || published_ >= total) {
        for (Connection& connection : connections_) flush(connection);
        wait_until(due);
        break;
      }
      publish(connections_[published_ % connections_.size()], due);
    }
  }
  return end_phase();
}

void Publisher::begin_phase(std::size_t connections) {
  ++phase_;
  published_ = 0;
  arrived_before_ = sink_.arrived();
  static_cast<void>(sink_.take_arrivals());
  accept_ns_.clear();
  report_ = PhaseReport();
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) die("epoll_create1");
  connections_.clear();
  connections_.resize(connections);
  for (std::size_t i = 0; i < connections; ++i) {
    connections_[i].socket = connect_to(target_.port);
    epoll_event event{};
    // Edge-triggered: both directions are watched from the start and never touched again.
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.u64 = i;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_[i].socket, &event) != 0) die("epoll_ctl");
  }
  began_ns_ = now_ns();
}

void Publisher::publish(Connection& connection, std::int64_t scheduled_ns) {
  constexpr std::string_view event_name = "AuthenticationSucceeded_v1";
  constexpr std::string_view content_frame = R"({"text":""})";
  const std::string body = fmt::format(
      R"({{"event_id":"{}","event_name":"{}","content":{{"text":"{}"}}}})",
      to_uuid({phase_, published_}), event_name,
      std::string(std::max(target_.content_bytes, content_frame.size()) - content_frame.size(),
                  'x'));
  fmt::format_to(std::back_inserter(connection.out),
                 "POST /organizations/events HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n"
                 "SlashID-OrgID: {}\r\nSlashID-API-Key: {}\r\n"
                 "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                 target_.port, target_.org, target_.api_key, body.size(), body);
  connection.asked_ns.push_back(scheduled_ns);
  ++published_;
}

void Publisher::flush(Connection& connection) {
  while (!connection.out.empty() && !connection.blocked) {
    const ssize_t count = send(connection.socket, connection.out.data(), connection.out.size(),
                               MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN && errno != EINTR) die("publish");
    if (count < 0) connection.blocked = errno == EAGAIN;
    if (count > 0) connection.out.erase(0, static_cast<std::size_t>(count));
  }
}

void Publisher::wait_until(std::int64_t until_ns) {
  const std::int64_t left = std::max<std::int64_t>(until_ns - now_ns(), 0);
  const timespec timeout{left / kNanosecondsPerSecond, left % kNanosecondsPerSecond};
  std::array<epoll_event, kEventsPerWait> ready{};
  const int count = epoll_pwait2(epoll_, ready.data(), kEventsPerWait, &timeout, nullptr);
  if (count < 0 && errno != EINTR) die("epoll_pwait2");
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = ready[static_cast<std::size_t>(i)];
    Connection& connection = connections_[event.data.u64];
    if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) receive(connection);
    if ((event.events & EPOLLOUT) != 0) {
      connection.blocked = false;
      flush(connection);
    }
  }
}

void Publisher::receive(Connection& connection) {
  std::array<char, kReadBytes> buffer;
  for (;;) {
    const ssize_t count = recv(connection.socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count == 0) die("the engine closed a connection");
    if (count < 0) {
      if (errno == EAGAIN) break;
      if (errno == EINTR) continue;
      die("answer");
    }
    connection.in.append(buffer.data(), static_cast<std::size_t>(count));
  }
  const std::int64_t now = now_ns();
  while (const std::optional<Message> message = first_message(connection.in)) {
    if (connection.asked_ns.empty()) die("an answer that nobody asked for");
    const bool accepted = message->head.substr(0, 12) == "HTTP/1.1 202";
    ++(accepted ? report_.accepted : report_.refused);
    accept_ns_.push_back(now - connection.asked_ns.front());
    connection.asked_ns.pop_front();
    connection.in.erase(0, message->bytes);
  }
}

std::uint64_t Publisher::unanswered() const {
  return published_ - report_.accepted - report_.refused;
}

PhaseReport Publisher::end_phase() {
  report_.publish_seconds = in_seconds(now_ns() - began_ns_);
  std::uint64_t before = 0;
  std::int64_t moved_ns = now_ns();
  while (now_ns() - moved_ns < kStalledNs) {
    const std::uint64_t arrived = sink_.arrived() - arrived_before_;
    if (unanswered() == 0 && arrived >= report_.accepted * target_.fan_out) break;
    const std::uint64_t progress = arrived + report_.accepted + report_.refused;
    if (progress > before) moved_ns = now_ns();
    before = progress;
    for (Connection& connection : connections_) flush(connection);
    wait_until(now_ns() + 1'000'000);
  }
  for (const Connection& connection : connections_) close(connection.socket);
  close(epoll_);

  std::int64_t last = began_ns_;
  std::vector<std::int64_t> receive_ns;
  for (const Arrival& arrival : sink_.take_arrivals()) {
    if (arrival.event.phase != phase_) continue;
    ++report_.deliveries;
    last = std::max(last, arrival.at_ns);
    const double scheduled = static_cast<double>(arrival.event.index) * period_ns_;
    receive_ns.push_back(arrival.at_ns - began_ns_ - static_cast<std::int64_t>(scheduled));
  }
  report_.seconds = in_seconds(last - began_ns_);
  if (period_ns_ > 0) {
    report_.accept = Samples(std::exchange(accept_ns_, {}));
    report_.receive = Samples(std::move(receive_ns));
  }
  return std::exchange(report_, {});
}

}  // namespace triggerd::load
