#include "dispatcher/curl_exchange.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>

#include <openssl/ssl.h>
#include <sys/socket.h>

#include "dispatcher/retry_after.h"
#include "engine/base/assert.h"
#include "engine/model/limits.h"

namespace triggerd::dispatcher {
namespace {

CURLcode use_store(CURL* /*easy*/, void* ssl_context, void* store) {
  SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(ssl_context), static_cast<X509_STORE*>(store));
  return CURLE_OK;
}

long whole_millis(base::Duration duration) {
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return std::max<long>(static_cast<long>(millis), 1);
}

// Whole lines without CR LF; `name` in lower case.
std::optional<std::string_view> header_value(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':') return std::nullopt;
  const bool same = std::ranges::equal(line.substr(0, name.size()), name, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
  if (!same) return std::nullopt;
  return line.substr(name.size() + 1);
}

// "HTTP/1.1 200 OK" → 200; 0 when it is none.
std::uint16_t status_of(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || line.size() < space + 4) return 0;
  int status = 0;
  for (const char c : line.substr(space + 1, 3)) {
    if (c < '0' || c > '9') return 0;
    status = status * 10 + (c - '0');
  }
  return static_cast<std::uint16_t>(status);
}

std::uint32_t microseconds(CURL* easy, CURLINFO which) {
  curl_off_t value = 0;
  curl_easy_getinfo(easy, which, &value);
  return static_cast<std::uint32_t>(std::clamp<curl_off_t>(value, 0, UINT32_MAX));
}

}  // namespace

void set_constant_options(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  // What is for the receiver is not told to a proxy, and what a proxy says of its tunnel is no part
  // of the answer.
  curl_easy_setopt(easy, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
  // Entries are dropped when a transfer ends: nothing but address literals passes, and a cache
  // without end (-1) would grow with every address ever called.
  curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 16L * 1024L);

  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  // The store comes from use_store; libcurl's own would be parsed for each connection.
  curl_easy_setopt(easy, CURLOPT_CAINFO, nullptr);
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &use_store);
  // libcurl would keep the store of the first connection, and use it in place of a later one.
  curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
}

CurlExchange::CurlExchange(HttpCall call, const AddressGuard& guard)
    : call_(std::move(call)), guard_(guard), url_(call_.url.to_string()) {
  link_headers();
}

void CurlExchange::link_headers() {
  // libcurl would add these two on its own; an empty value takes them out.
  static char expect[] = "Expect:";
  static char accept[] = "Accept:";
  headers_.reserve(call_.headers.size() + 2);
  for (std::string& line : call_.headers) {
    const std::size_t colon = line.find(':');
    TRIGGERD_ASSERT(colon != std::string::npos);
    // libcurl's spelling of a header with an empty value.
    if (line.find_first_not_of(" \t", colon + 1) == std::string::npos) {
      line.resize(colon);
      line += ';';
    }
    headers_.push_back({line.data(), nullptr});
  }
  headers_.push_back({expect, nullptr});
  headers_.push_back({accept, nullptr});
  for (std::size_t i = 0; i + 1 < headers_.size(); ++i) headers_[i].next = &headers_[i + 1];
}

void CurlExchange::prepare(CURL* easy, const Plan& plan) {
  answer_ = {};
  blocked_ = false;
  no_descriptor_ = false;
  // The name stays in Host, SNI and the certificate check; the connection goes to the address that
  // was checked.
  const std::string address = plan.address.to_string();
  const std::string host = plan.address.v4 ? address : "[" + address + "]";
  connect_to_text_ = "::" + host + ":" + std::to_string(call_.url.port);
  connect_to_ = {connect_to_text_.data(), nullptr};
  const bool by_proxy = plan.proxy_port != 0;
  proxy_ = by_proxy ? "http://" + host + ":" + std::to_string(plan.proxy_port) : "";

  curl_easy_setopt(easy, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(easy, CURLOPT_CONNECT_TO, by_proxy ? nullptr : &connect_to_);
  // Set in either case: libcurl would else take the one of the environment, and the guard would see
  // its address instead of the receiver's.
  curl_easy_setopt(easy, CURLOPT_PROXY, proxy_.c_str());
  curl_easy_setopt(easy, CURLOPT_NOPROXY, by_proxy ? "" : "*");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call_.body.c_str());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call_.body.size()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, whole_millis(plan.timeout));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, whole_millis(plan.connect_timeout));
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, plan.connection == Connection::kFresh ? 1L : 0L);

  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &CurlExchange::on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &CurlExchange::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &CurlExchange::on_open);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &CurlExchange::on_request);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
}

CurlExchange& CurlExchange::of(CURL* easy) {
  char* exchange = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &exchange);
  TRIGGERD_ASSERT(exchange != nullptr);
  return *static_cast<CurlExchange*>(static_cast<void*>(exchange));
}

TransferEnd CurlExchange::end_of(CURL* easy, CURLcode code) const {
  TransferEnd end;
  end.code = code;
  end.http_status = answer_.head_complete ? answer_.status : std::uint16_t{0};
  end.answer_began = answer_.head_bytes > 0;
  end.blocked = blocked_;
  end.no_descriptor = no_descriptor_;
  end.head_over_limit = answer_.head_over_limit;
  end.body_cut = answer_.body_cut;
  // Set when TCP, and TLS with https, stood and the request was about to be sent.
  end.connected = microseconds(easy, CURLINFO_PRETRANSFER_TIME_T) > 0;
  long connects = 0;
  curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
  end.reused_connection = connects == 0 && end.connected;
  long os_errno = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
  end.os_errno = static_cast<int>(os_errno);
  long tunnel_status = 0;
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &tunnel_status);
  end.tunnel_status = static_cast<int>(tunnel_status);
  curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &end.verify_result);
  return end;
}

void CurlExchange::complete(CURL* easy, base::WallTime now, model::Outcome& outcome) {
  long connects = 0;
  curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
  if (connects > 0) {
    const std::uint32_t looked_up = microseconds(easy, CURLINFO_NAMELOOKUP_TIME_T);
    const std::uint32_t connected = microseconds(easy, CURLINFO_CONNECT_TIME_T);
    const std::uint32_t secured = microseconds(easy, CURLINFO_APPCONNECT_TIME_T);
    outcome.timings.connect_us = connected > looked_up ? connected - looked_up : 0;
    outcome.timings.tls_us = secured > connected ? secured - connected : 0;
  }
  outcome.timings.first_byte_us = microseconds(easy, CURLINFO_STARTTRANSFER_TIME_T);
  if ((outcome.http_status == 429 || outcome.http_status == 503) && !answer_.retry_after.empty()) {
    outcome.retry_after = parse_retry_after(answer_.retry_after, now);
  }
  outcome.answer = std::move(answer_.body);
  outcome.answer_bytes =
      static_cast<std::uint32_t>(std::min<std::size_t>(answer_.body_bytes, UINT32_MAX));
}

std::size_t CurlExchange::on_header(char* bytes, std::size_t one, std::size_t count,
                                    void* exchange) {
  const std::string_view line(bytes, one * count);
  return static_cast<CurlExchange*>(exchange)->read_header(line) ? line.size() : 0;
}

bool CurlExchange::read_header(std::string_view line) {
  answer_.head_bytes += line.size();
  if (answer_.head_bytes > model::kAnswerHeaderBytesMax) {
    answer_.head_over_limit = true;
    return false;
  }
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (answer_.head_complete) return true;  // a trailer
  if (line.starts_with("HTTP/")) {
    answer_.status = status_of(line);
    answer_.retry_after.clear();
  } else if (line.empty()) {
    answer_.head_complete = answer_.status >= 200;
  } else if (const auto value = header_value(line, "retry-after")) {
    answer_.retry_after = value->substr(0, 64);
  }
  return true;
}

std::size_t CurlExchange::on_body(char* bytes, std::size_t one, std::size_t count, void* exchange) {
  auto* const self = static_cast<CurlExchange*>(exchange);
  Answer& answer = self->answer_;
  const std::size_t size = one * count;
  answer.body_bytes += size;
  const std::size_t room = self->call_.answer_bytes_kept - answer.body.size();
  answer.body.append(bytes, std::min(size, room));
  if (answer.body_bytes <= model::kAnswerBytesRead) return size;
  answer.body_cut = true;
  return size == 0 ? 1 : 0;  // anything but the size ends the transfer
}

curl_socket_t CurlExchange::on_open(void* exchange, curlsocktype /*purpose*/,
                                    curl_sockaddr* address) {
  auto* const self = static_cast<CurlExchange*>(exchange);
  const auto peer = endpoint_of(&address->addr, address->addrlen);
  if (!peer || !self->guard_.may_call(peer->address, peer->port)) {
    self->blocked_ = true;
    return CURL_SOCKET_BAD;
  }
  const int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd >= 0) {
    // Of an answer that is too long the rest is never read: the kernel need not take it either.
    // Where this fails, the system's own bound holds.
    const int bytes = static_cast<int>(model::kAnswerBytesRead);
    static_cast<void>(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes));
    return fd;
  }
  self->no_descriptor_ = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
  return CURL_SOCKET_BAD;
}

// Before every request, also on a connection that another call opened.
int CurlExchange::on_request(void* exchange, char* peer, char* /*local*/, int peer_port,
                             int /*local_port*/) {
  auto* const self = static_cast<CurlExchange*>(exchange);
  const auto address = model::IpAddress::parse(peer);
  if (address && self->guard_.may_call(*address, static_cast<std::uint16_t>(peer_port))) {
    return CURL_PREREQFUNC_OK;
  }
  self->blocked_ = true;
  return CURL_PREREQFUNC_ABORT;
}

}  // namespace triggerd::dispatcher
