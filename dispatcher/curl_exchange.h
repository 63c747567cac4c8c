// One call's transfer: an easy handle, what it is told, and what it collects of the answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <curl/curl.h>
#include <openssl/x509.h>

#include "dispatcher/address_guard.h"
#include "dispatcher/classify.h"
#include "dispatcher/transport.h"

namespace triggerd::dispatcher {

// Options that are the same for every call. CLOSESOCKET and SHARE are the pump's, SSL_CTX_DATA (an
// X509_STORE, not null) is the transport's.
void set_constant_options(CURL* easy);

// Thread: that of its loop. Does not move: curl holds its address.
class CurlExchange {
 public:
  // `guard` outlives the exchange.
  CurlExchange(HttpCall call, const AddressGuard& guard);
  CurlExchange(const CurlExchange&) = delete;
  CurlExchange& operator=(const CurlExchange&) = delete;

  enum class Connection : std::uint8_t { kAny, kFresh };
  // Tells `easy` all of this call. May be called again after a transfer ended, for another address;
  // what was collected is forgotten. Valid until the exchange ends or another one is prepared.
  struct Plan {
    model::IpAddress address;      // of the receiver, or of the proxy
    std::uint16_t proxy_port = 0;  // 0: there is no proxy
    base::Duration timeout{0};
    base::Duration connect_timeout{0};
    Connection connection = Connection::kAny;
  };
  void prepare(CURL* easy, const Plan& plan);
  // The exchange that `easy` was prepared for last.
  [[nodiscard]] static CurlExchange& of(CURL* easy);

  // What became of the transfer. Requires: `easy` is not under way.
  [[nodiscard]] TransferEnd end_of(CURL* easy, CURLcode code) const;
  // Adds timings, the kept answer and Retry-After to a classified outcome.
  void complete(CURL* easy, base::WallTime now, model::Outcome& outcome);

  [[nodiscard]] const HttpCall& call() const { return call_; }

 private:
  struct Answer {
    std::uint16_t status = 0;    // of the head that is being read
    bool head_complete = false;  // of the final answer
    std::size_t head_bytes = 0;  // of all heads, 1xx and trailers included
    std::size_t body_bytes = 0;
    std::string body;  // the kept beginning
    std::string retry_after;
    bool head_over_limit = false;
    bool body_cut = false;
  };

  static std::size_t on_header(char* bytes, std::size_t one, std::size_t count, void* exchange);
  static std::size_t on_body(char* bytes, std::size_t one, std::size_t count, void* exchange);
  static curl_socket_t on_open(void* exchange, curlsocktype purpose, curl_sockaddr* address);
  static int on_request(void* exchange, char* peer, char* local, int peer_port, int local_port);
  [[nodiscard]] bool read_header(std::string_view line);
  void link_headers();

  HttpCall call_;
  const AddressGuard& guard_;
  std::string url_;
  std::vector<curl_slist> headers_;  // point into call_.headers: nothing is copied
  std::string connect_to_text_;
  std::string proxy_;
  curl_slist connect_to_{};

  Answer answer_;
  bool blocked_ = false;
  bool no_descriptor_ = false;
};

}  // namespace triggerd::dispatcher
