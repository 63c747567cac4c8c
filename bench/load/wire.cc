#include "bench/load/wire.h"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace triggerd::load {
namespace {

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int new_socket(int flags) {
  const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  if (made < 0) die("socket");
  return made;
}

template <class Integer>
bool parse_hex(std::string_view text, Integer& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return error == std::errc() && end == text.data() + text.size();
}

double microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

}  // namespace

std::int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * kNanosecondsPerSecond + time.tv_nsec;
}

double cpu_us() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return microseconds(used.ru_utime) + microseconds(used.ru_stime);
}

std::string_view find_field(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
    const std::size_t begin = at + 2;
    const std::size_t end = head.find("\r\n", begin);
    if (end == std::string_view::npos || end == begin) break;
    const std::string_view line = head.substr(begin, end - begin);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        strncasecmp(line.data(), name.data(), name.size()) == 0) {
      const std::string_view value = line.substr(name.size() + 1);
      const std::size_t first = value.find_first_not_of(' ');
      return first == std::string_view::npos ? std::string_view() : value.substr(first);
    }
    at = end;
  }
  return {};
}

std::optional<Message> first_message(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  Message message{bytes.substr(0, end + 4), end + 4};
  const std::string_view length = find_field(message.head, "Content-Length");
  std::size_t body = 0;
  std::from_chars(length.data(), length.data() + length.size(), body);
  message.bytes += body;
  if (bytes.size() < message.bytes) return std::nullopt;
  return message;
}

std::string to_uuid(const EventNumber& number) {
  return fmt::format("{:08x}-0000-4000-8000-{:012x}", number.phase, number.index);
}

std::optional<EventNumber> parse_uuid(std::string_view text) {
  EventNumber number;
  if (text.size() != 36 || text.substr(8, 16) != "-0000-4000-8000-" ||
      !parse_hex(text.substr(0, 8), number.phase) || !parse_hex(text.substr(24), number.index)) {
    return std::nullopt;
  }
  return number;
}

int listen_on(std::uint16_t port) {
  const int listener = new_socket(SOCK_NONBLOCK);
  const int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  const sockaddr_in address = loopback(port);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    die("bind");
  }
  if (listen(listener, SOMAXCONN) != 0) die("listen");
  return listener;
}

std::uint16_t port_of(int socket) {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) die("getsockname");
  return ntohs(address.sin_port);
}

int connect_to(std::uint16_t port) {
  const int made = new_socket(0);
  const sockaddr_in address = loopback(port);
  if (connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    die("connect");
  }
  const int yes = 1;
  setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  return made;
}

void die(std::string_view what) {
  std::fputs(fmt::format("{}: {}\n", what, std::strerror(errno)).c_str(), stderr);
  std::_Exit(1);
}

}  // namespace triggerd::load
