// Callers of a synchronous hook and its receivers in one process, so that one clock tells all.
// Driven by bench/load/hooks over standard input; every answer is one line of JSON.
//
//   hook_bench RECEIVERS DELAY_MS                          → {"ports":[…]}, the slowest one last
//   hook PORT ORG API_KEY RATE SECONDS CONNECTIONS         → report: the engine's hook is called
//   direct PORT RATE SECONDS CONNECTIONS                   → report: a receiver is called
//
// Receiver i of n answers `{"claim i":i}` after i/n of the delay. Calls are an open loop: each is
// due at its time and takes an idle connection; a latency counts from the time it was due.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/load/samples.h"
#include "bench/load/wire.h"

namespace triggerd::load {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kPatienceNs = 10 * kSecondNs;  // behind the last call
constexpr int kEventsPerWait = 256;

int new_epoll() {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) die("epoll_create1");
  return epoll;
}

void watch(int epoll, int socket, std::uint64_t number) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = number;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) != 0) die("epoll_ctl");
}

// What is ready until then.
std::vector<std::uint64_t> wait_until(int epoll, std::int64_t until_ns) {
  const std::int64_t left = std::max<std::int64_t>(until_ns - now_ns(), 0);
  const timespec timeout{left / kSecondNs, left % kSecondNs};
  std::array<epoll_event, kEventsPerWait> ready{};
  const int count = epoll_pwait2(epoll, ready.data(), kEventsPerWait, &timeout, nullptr);
  if (count < 0 && errno != EINTR) die("epoll_pwait2");
  std::vector<std::uint64_t> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(ready[static_cast<std::size_t>(i)].data.u64);
  return numbers;
}

// Messages are small and sockets empty: what does not go at once is a fault of the benchmark.
void send_all(int socket, const std::string& bytes) {
  const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent != static_cast<ssize_t>(bytes.size())) die("send");
}

// False when the peer has gone.
bool read_into(int socket, std::string& in) {
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t count = recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count > 0) {
      in.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || errno == ECONNRESET) {
      return false;
    } else if (errno != EINTR) {
      return true;
    }
  }
}

// --- Receivers --------------------------------------------------------------------------------

class Receivers {
 public:
  Receivers(std::size_t count, std::int64_t delay_ns) : epoll_(new_epoll()) {
    stop_ = eventfd(0, EFD_CLOEXEC);
    watch(epoll_, stop_, static_cast<std::uint64_t>(stop_));
    for (std::size_t i = 1; i <= count; ++i) {
      Listener listener;
      listener.socket = listen_on(0);
      listener.delay_ns =
          delay_ns * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(count);
      const std::string body = fmt::format(R"({{"claim{}":{}}})", i, i);
      listener.answer =
          fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
      ports_.push_back(port_of(listener.socket));
      watch(epoll_, listener.socket, static_cast<std::uint64_t>(listener.socket));
      listeners_.push_back(std::move(listener));
    }
    thread_ = std::thread([this] { run(); });
  }
  ~Receivers() {
    const std::uint64_t one = 1;
    if (write(stop_, &one, sizeof one) != sizeof one) die("eventfd");
    thread_.join();
  }
  Receivers(const Receivers&) = delete;
  Receivers& operator=(const Receivers&) = delete;

  [[nodiscard]] const std::vector<std::uint16_t>& ports() const { return ports_; }

 private:
  struct Listener {
    int socket = -1;
    std::int64_t delay_ns = 0;
    std::string answer;
    std::deque<std::pair<std::int64_t, std::uint64_t>> due;  // when, which connection
  };
  struct Connection {
    int socket = -1;
    std::size_t listener = 0;
    std::string in;
  };

  void run() {
    for (;;) {
      std::int64_t next = now_ns() + kSecondNs;
      for (const Listener& listener : listeners_) {
        if (!listener.due.empty()) next = std::min(next, listener.due.front().first);
      }
      for (const std::uint64_t number : wait_until(epoll_, next)) {
        if (number == static_cast<std::uint64_t>(stop_)) return;
        serve(number);
      }
      answer_due();
    }
  }

  void serve(std::uint64_t number) {
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
      if (number != static_cast<std::uint64_t>(listeners_[i].socket)) continue;
      const int socket = accept4(listeners_[i].socket, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;
      const std::uint64_t name = ++last_connection_ + kFirstConnection;
      connections_[name] = Connection{socket, i, {}};
      watch(epoll_, socket, name);
      return;
    }
    Connection& connection = connections_.at(number);
    if (!read_into(connection.socket, connection.in)) {
      close(connection.socket);
      connections_.erase(number);
      return;
    }
    while (const std::optional<Message> message = first_message(connection.in)) {
      connection.in.erase(0, message->bytes);
      Listener& listener = listeners_[connection.listener];
      listener.due.emplace_back(now_ns() + listener.delay_ns, number);
    }
  }

  void answer_due() {
    for (Listener& listener : listeners_) {
      while (!listener.due.empty() && listener.due.front().first <= now_ns()) {
        const auto at = connections_.find(listener.due.front().second);
        listener.due.pop_front();
        if (at != connections_.end()) send_all(at->second.socket, listener.answer);
      }
    }
  }

  static constexpr std::uint64_t kFirstConnection = std::uint64_t{1} << 32;  // above descriptors
  int epoll_;
  int stop_ = -1;
  std::vector<std::uint16_t> ports_;
  std::vector<Listener> listeners_;
  std::unordered_map<std::uint64_t, Connection> connections_;  // the thread's
  std::uint64_t last_connection_ = 0;
  std::thread thread_;
};

// --- Callers ----------------------------------------------------------------------------------

struct Pace {
  double rate = 0;
  double seconds = 0;
  std::size_t connections = 0;
};

class Callers {
 public:
  // An answer counts as one when it is a 200 whose body holds `expected`.
  Callers(std::uint16_t port, std::string request, std::string expected, const Pace& pace)
      : request_(std::move(request)), expected_(std::move(expected)), pace_(pace) {
    for (std::size_t i = 0; i < pace.connections; ++i) {
      connections_.push_back({connect_to(port), {}, 0});
      watch(epoll_, connections_.back().socket, i);
      idle_.push_back(i);
    }
  }

  std::string run() {
    const auto total = static_cast<std::uint64_t>(pace_.rate * pace_.seconds);
    const std::int64_t began = now_ns();
    const auto due_at = [this, began](std::uint64_t call) {
      return began + static_cast<std::int64_t>(static_cast<double>(call) * 1e9 / pace_.rate);
    };
    const std::int64_t end = due_at(total) + kPatienceNs;
    std::uint64_t called = 0;
    while (answered_ + other_ < total && now_ns() < end) {
      while (called < total && due_at(called) <= now_ns() && !idle_.empty()) {
        call(due_at(called));
        ++called;
      }
      const bool waits_for_time = called < total && !idle_.empty();
      for (const std::uint64_t number :
           wait_until(epoll_, waits_for_time ? due_at(called) : now_ns() + kSecondNs / 10)) {
        receive(number);
      }
    }
    other_ = total - answered_;
    for (const Connection& connection : connections_) close(connection.socket);
    close(epoll_);
    return fmt::format(R"({{"answered":{},"other":{},"latency":{}}})", answered_, other_,
                       Samples(std::move(latency_ns_)).to_json());
  }

 private:
  struct Connection {
    int socket = -1;
    std::string in;
    std::int64_t due_ns = 0;
  };

  void call(std::int64_t due_ns) {
    const std::size_t number = idle_.back();
    idle_.pop_back();
    connections_[number].due_ns = due_ns;
    send_all(connections_[number].socket, request_);
  }

  void receive(std::uint64_t number) {
    Connection& connection = connections_[number];
    if (!read_into(connection.socket, connection.in)) die("a connection was closed");
    const std::optional<Message> message = first_message(connection.in);
    if (!message) return;
    const std::string_view whole = std::string_view(connection.in).substr(0, message->bytes);
    const bool good =
        whole.substr(0, 12) == "HTTP/1.1 200" && whole.find(expected_) != std::string_view::npos;
    ++(good ? answered_ : other_);
    if (good) latency_ns_.push_back(now_ns() - connection.due_ns);
    connection.in.erase(0, message->bytes);
    idle_.push_back(number);
  }

  std::string request_;
  std::string expected_;
  Pace pace_;
  int epoll_ = new_epoll();
  std::vector<Connection> connections_;
  std::vector<std::size_t> idle_;
  std::vector<std::int64_t> latency_ns_;
  std::uint64_t answered_ = 0;
  std::uint64_t other_ = 0;
};

std::string post(std::string_view path, std::string_view fields) {
  constexpr std::string_view content =
      R"({"aud":"org","first_token":true,"iss":"https://api.example","sub":"person"})";
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{}"
      "Content-Length: {}\r\n\r\n{}",
      path, fields, content.size(), content);
}

std::string measure(std::istringstream& words, const std::string& command, std::size_t receivers) {
  std::uint16_t port = 0;
  words >> port;
  std::string request = post("/hook", "");
  if (command == "hook") {
    std::string org;
    std::string key;
    words >> org >> key;
    request = post("/organizations/sync-hooks/token_minted",
                   fmt::format("SlashID-OrgID: {}\r\nSlashID-API-Key: {}\r\n", org, key));
  }
  Pace pace;
  words >> pace.rate >> pace.seconds >> pace.connections;
  // The slowest receiver's claim: its answer was waited for.
  return Callers(port, std::move(request), fmt::format(R"("claim{}":)", receivers), pace).run();
}

}  // namespace
}  // namespace triggerd::load

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: hook_bench RECEIVERS DELAY_MS   (then commands on standard input)\n",
               stderr);
    return 2;
  }
  const std::size_t count = std::strtoul(argv[1], nullptr, 10);
  const std::int64_t delay_ns = std::strtol(argv[2], nullptr, 10) * 1'000'000;
  const triggerd::load::Receivers receivers(count, delay_ns);
  std::cout << fmt::format(R"({{"ports":[{}]}})", fmt::join(receivers.ports(), ",")) << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    if (command != "hook" && command != "direct") {
      std::fputs(("hook_bench: unknown command: " + line + "\n").c_str(), stderr);
      return 2;
    }
    std::cout << triggerd::load::measure(words, command, count) << std::endl;
  }
  return 0;
}
