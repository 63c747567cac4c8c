#include "tests/dispatcher/net/test_receiver.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/assert.h"

namespace triggerd::dispatcher {
namespace {

// Elsewhere on the machine somebody may have a port at one address and not at the other.
constexpr int kPortsTried = 100;

sockaddr* any(sockaddr_in& address) {
  return reinterpret_cast<sockaddr*>(&address);
}

// -1: the port is taken. Port 0: a free one.
int listen_at(const char* host, std::uint16_t port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  TRIGGERD_ASSERT(inet_pton(AF_INET, host, &address.sin_addr) == 1);
  if (bind(listener, any(address), sizeof address) == 0 && listen(listener, 512) == 0) {
    return listener;
  }
  TRIGGERD_ASSERT(errno == EADDRINUSE);
  close(listener);
  return -1;
}

std::uint16_t port_of(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  TRIGGERD_ASSERT(getsockname(listener, any(address), &size) == 0);
  return ntohs(address.sin_port);
}

}  // namespace

std::pair<int, int> listen_on_one_port(const char* first, const char* second) {
  int one = -1;
  int other = -1;
  for (int tried = 0; other < 0; ++tried) {
    TRIGGERD_ASSERT(tried < kPortsTried);
    if (one >= 0) close(one);
    one = listen_at(first, 0);
    TRIGGERD_ASSERT(one >= 0);
    other = listen_at(second, port_of(one));
  }
  return {one, other};
}

ReceiverConnection::~ReceiverConnection() {
  if (ssl_ != nullptr) {
    SSL_shutdown(ssl_);
    SSL_free(ssl_);
  }
}

bool ReceiverConnection::handshake(SSL_CTX* context) {
  ssl_ = SSL_new(context);
  SSL_set_fd(ssl_, fd_);
  return SSL_accept(ssl_) == 1;
}

bool ReceiverConnection::read_more() {
  char bytes[16 * 1024];
  const auto count = ssl_ != nullptr ? static_cast<ssize_t>(SSL_read(ssl_, bytes, sizeof bytes))
                                     : recv(fd_, bytes, sizeof bytes, 0);
  if (count <= 0) return false;
  buffer_.append(bytes, static_cast<std::size_t>(count));
  return true;
}

std::optional<std::string> ReceiverConnection::read_head() {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more()) return std::nullopt;
  }
  std::string head = buffer_.substr(0, end + 4);
  buffer_.erase(0, end + 4);
  return head;
}

std::optional<ReceivedRequest> ReceiverConnection::read_request() {
  std::optional<std::string> head = read_head();
  if (!head) return std::nullopt;
  std::size_t length = 0;
  if (const std::size_t at = head->find("Content-Length: "); at != std::string::npos) {
    length = std::strtoul(head->c_str() + at + 16, nullptr, 10);
  }
  while (buffer_.size() < length) {
    if (!read_more()) return std::nullopt;
  }
  ReceivedRequest request{std::move(*head), buffer_.substr(0, length)};
  buffer_.erase(0, length);
  return request;
}

bool ReceiverConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count =
        ssl_ != nullptr
            ? static_cast<ssize_t>(SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())))
            : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void ReceiverConnection::serve_ok(std::string_view body) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                             "\r\n\r\n" + std::string(body);
  while (read_request()) {
    if (!send(answer)) return;
  }
}

void ReceiverConnection::wait_for_close() {
  while (read_more()) buffer_.clear();
}

void ReceiverConnection::reset() {
  const linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  if (ssl_ != nullptr) SSL_set_quiet_shutdown(ssl_, 1);
}

TestReceiver::TestReceiver(Script script, const Options& options)
    : script_(std::move(script)),
      listener_(options.listener >= 0 ? options.listener : listen_at(options.address, 0)) {
  TRIGGERD_ASSERT(listener_ >= 0);
  port_ = port_of(listener_);
  if (options.identity != nullptr) {
    tls_ = SSL_CTX_new(TLS_server_method());
    TRIGGERD_ASSERT(SSL_CTX_use_certificate(tls_, options.identity->certificate.get()) == 1);
    TRIGGERD_ASSERT(SSL_CTX_use_PrivateKey(tls_, options.identity->key.get()) == 1);
  }
  listen_thread_ = std::thread([this] { listen_loop(); });
}

TestReceiver::~TestReceiver() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    shutdown(listener_, SHUT_RDWR);
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
  }
  listen_thread_.join();
  threads.swap(threads_);
  for (std::thread& thread : threads) thread.join();
  close(listener_);
  SSL_CTX_free(tls_);
}

bool TestReceiver::wait_until_open(std::size_t count) {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(10),
                           [this, count] { return open_.size() == count; });
}

void TestReceiver::listen_loop() {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) {
      close(fd);
      return;
    }
    open_.push_back(fd);
    changed_.notify_all();
    const int number = connections_++;
    threads_.emplace_back([this, fd, number] { serve(fd, number); });
  }
}

void TestReceiver::serve(int fd, int number) {
  {
    ReceiverConnection connection(fd, number);
    if (tls_ == nullptr || connection.handshake(tls_)) {
      if (connection.ssl_ != nullptr && SSL_session_reused(connection.ssl_) == 1) ++resumptions_;
      script_(connection);
    }
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  open_.erase(std::ranges::find(open_, fd));
  changed_.notify_all();
  close(fd);
}

}  // namespace triggerd::dispatcher
