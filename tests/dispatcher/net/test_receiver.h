// A receiver that does what a test says, byte for byte: one thread listens, one serves each
// connection. Loopback only.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <openssl/ssl.h>

#include "tests/dispatcher/net/test_certificates.h"

namespace triggerd::dispatcher {

struct ReceivedRequest {
  std::string head;  // with the blank line
  std::string body;  // by Content-Length
};

// One accepted connection, on its own thread. Every call returns when the receiver stops.
class ReceiverConnection {
 public:
  ReceiverConnection(int fd, int number) : fd_(fd), number_(number) {}
  ReceiverConnection(const ReceiverConnection&) = delete;
  ReceiverConnection& operator=(const ReceiverConnection&) = delete;
  ~ReceiverConnection();

  // 0 for the first connection of this receiver.
  [[nodiscard]] int number() const { return number_; }
  // Nothing when the peer closed.
  std::optional<ReceivedRequest> read_request();
  // The head alone; bytes behind it stay unread for as long as the kernel keeps them.
  std::optional<std::string> read_head();
  // False when the peer is gone.
  bool send(std::string_view bytes);
  // Serves 200 with `body` to every request until the peer closes.
  void serve_ok(std::string_view body = "");
  // Blocks until the peer closes (or the receiver stops), reading and dropping.
  void wait_for_close();
  // Closes with RST.
  void reset();

 private:
  friend class TestReceiver;
  [[nodiscard]] bool read_more();
  [[nodiscard]] bool handshake(SSL_CTX* context);

  int fd_;
  int number_;
  SSL* ssl_ = nullptr;
  std::string buffer_;
};

// Sockets that listen at two addresses, on one port: of those that are free at the first one, one
// that is free at the other as well. TestReceivers take them over.
[[nodiscard]] std::pair<int, int> listen_on_one_port(const char* first, const char* second);

class TestReceiver {
 public:
  using Script = std::function<void(ReceiverConnection&)>;

  struct Options {
    const char* address = "127.0.0.1";   // on a free port
    int listener = -1;                   // listens already; the address says nothing then
    const Identity* identity = nullptr;  // TLS when set
  };
  explicit TestReceiver(Script script) : TestReceiver(std::move(script), Options{}) {}
  TestReceiver(Script script, const Options& options);
  // Cuts every connection off.
  ~TestReceiver();
  TestReceiver(const TestReceiver&) = delete;
  TestReceiver& operator=(const TestReceiver&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int connections() const { return connections_; }
  // Waits until that many connections are open; false after ten seconds.
  [[nodiscard]] bool wait_until_open(std::size_t count);
  // TLS handshakes that took up a kept session.
  [[nodiscard]] int resumptions() const { return resumptions_; }

 private:
  void listen_loop();
  void serve(int fd, int number);

  Script script_;
  int listener_;
  std::uint16_t port_ = 0;
  SSL_CTX* tls_ = nullptr;
  std::atomic<int> connections_ = 0;
  std::atomic<int> resumptions_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;   // of open_
  bool stopping_ = false;             // guarded by mutex_
  std::vector<int> open_;             // guarded by mutex_
  std::vector<std::thread> threads_;  // guarded by mutex_
  std::thread listen_thread_;
};

}  // namespace triggerd::dispatcher
