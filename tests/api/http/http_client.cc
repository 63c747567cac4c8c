#include "tests/api/http/http_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace triggerd::api {
namespace {

std::string method_name(Method method) {
  constexpr std::array<const char*, 8> names = {"GET",   "HEAD",   "POST",    "PUT",
                                                "PATCH", "DELETE", "OPTIONS", "TRACE"};
  return names[static_cast<std::size_t>(method)];
}

// One whole answer off the front, or false.
bool take_response(std::string& bytes, bool to_head, ParsedResponse& response) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  response = ParsedResponse();
  if (bytes.substr(0, 9) != "HTTP/1.1 ") {
    ADD_FAILURE() << "no answer: " << bytes;
    bytes.clear();
    return false;
  }
  response.status = std::atoi(bytes.c_str() + 9);
  std::size_t line = bytes.find("\r\n") + 2;
  while (line < end + 2) {
    const std::size_t line_end = bytes.find("\r\n", line);
    const std::size_t colon = bytes.find(": ", line);
    std::string name = bytes.substr(line, colon - line);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return static_cast<char>(std::tolower(c)); });
    response.fields[name] = bytes.substr(colon + 2, line_end - colon - 2);
    line = line_end + 2;
  }
  std::size_t body_bytes = 0;
  const auto length = response.fields.find("content-length");
  if (length != response.fields.end() && !to_head) {
    body_bytes = std::strtoull(length->second.c_str(), nullptr, 10);
  }
  if (bytes.size() < end + 4 + body_bytes) return false;
  response.body = bytes.substr(end + 4, body_bytes);
  bytes.erase(0, end + 4 + body_bytes);
  return true;
}

}  // namespace

HttpResponse text_response(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

HeadDecision EchoHandler::on_head(const HttpRequest& head) {
  targets.push_back(head.target);
  if (head.path() == "/early") return AnswerNow{text_response(401, "early")};
  if (head.path() == "/stream") return StreamBody{text_response(200, "")};
  if (head.path() == "/live") {
    return StreamBody{text_response(200, ""), StreamBody::EndedBy::kClient};
  }
  if (head.path() == "/nobody") return ReadBody{0};
  return ReadBody{body_bytes_max, refusal_fields};
}

namespace {

class EchoReader final : public BodyReader {
 public:
  EchoReader(EchoStreams& streams, SendPiece send) : streams_(streams), send_(std::move(send)) {
    ++streams_.open;
  }
  ~EchoReader() override { --streams_.open; }

  void on_body(std::string_view& bytes) override {
    const std::string_view piece = bytes.substr(0, streams_.piece);
    bytes.remove_prefix(piece.size());
    streams_.taken += piece.size();
    send_(std::string(piece), Flow::kMore);
  }
  void on_body_end() override { send_("<end>", Flow::kLast); }
  void on_body_cut(int status, std::string_view /*why*/) override {
    send_("<" + std::to_string(status) + ">", Flow::kLast);
  }
  [[nodiscard]] bool has_room() const override { return streams_.has_room; }
  [[nodiscard]] std::size_t unfinished_bytes() const override { return streams_.taken; }
  [[nodiscard]] std::uint64_t parts() const override { return 0; }

 private:
  EchoStreams& streams_;
  SendPiece send_;
};

}  // namespace

LiveReader::LiveReader(LiveAnswers& live, SendPiece send) : live_(live), send_(std::move(send)) {
  ++live_.open;
  live_.last = this;
}

LiveReader::~LiveReader() {
  --live_.open;
  if (live_.last == this) live_.last = nullptr;
}

void LiveReader::go_on() {
  if (!may_send_ || ended_ || live_.text.empty()) return;
  may_send_ = false;
  const std::string piece = live_.text.substr(0, live_.piece);
  live_.text.erase(0, piece.size());
  live_.sent += piece.size();
  send_(piece, Flow::kMore);
}

void LiveReader::on_room() {
  may_send_ = true;
  go_on();
}

void LiveReader::on_body_cut(int status, std::string_view /*why*/) {
  if (std::exchange(ended_, true)) return;
  send_("<" + std::to_string(status) + ">", Flow::kLast);
}

std::unique_ptr<BodyReader> EchoHandler::on_stream(const HttpRequest& head, SendPiece send) {
  if (head.path() == "/live") return std::make_unique<LiveReader>(live, std::move(send));
  return std::make_unique<EchoReader>(streams, std::move(send));
}

Ticket EchoHandler::on_request(HttpRequest request, Respond respond) {
  EXPECT_GE(request.body.capacity(), request.body.size() + kJsonPadding);
  last_peer = request.peer;
  if (request.path() == "/later") {
    later.push_back(std::move(respond));
    return {0, later.size()};
  }
  if (request.path() == "/none") {
    respond(text_response(204, ""));
  } else if (request.path() == "/big") {
    respond(text_response(200, std::string(1 << 20, 'b')));
  } else if (request.path() == "/custom") {
    respond(custom);
  } else {
    respond(text_response(200,
                          method_name(request.method) + " " + request.target + " " + request.body));
  }
  return {};
}

std::vector<ParsedResponse> take_responses(std::string& bytes, bool to_head) {
  std::vector<ParsedResponse> responses;
  ParsedResponse response;
  while (take_response(bytes, to_head, response)) responses.push_back(response);
  return responses;
}

ServerFixture::ServerFixture(ServerOptions options) : now(base::read_clocks()) {
  options.clock = [this] { return now; };
  auto listening = Server::listen(loop, std::move(options), handler);
  EXPECT_TRUE(listening.ok()) << (listening.ok() ? "" : listening.error().message);
  server = std::move(listening.value());
}

ServerFixture::~ServerFixture() = default;

bool ServerFixture::run_until(const std::function<bool()>& done) {
  const base::MonoTime give_up = base::read_clocks().mono + std::chrono::seconds(10);
  while (!done()) {
    loop.run_once();
    if (base::read_clocks().mono > give_up) return false;
  }
  return true;
}

void ServerFixture::advance(base::Duration time) {
  now.mono += time;
  now.wall += time;
  server->sweep();
}

Client::Client(ServerFixture& fixture)
    : fixture_(fixture), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(fixture.server->port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
}

Client::~Client() {
  if (fd_ >= 0) ::close(fd_);
}

void Client::send(std::string_view bytes) {
  EXPECT_TRUE(fixture_.run_until([&] {
    if (bytes.empty() || closed_) return true;
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    if (sent < 0 && errno != EAGAIN) closed_ = true;
    return bytes.empty() || closed_;
  }));
}

bool Client::send_some(std::string_view bytes) const {
  return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
}

void Client::end_writing() const {
  ::shutdown(fd_, SHUT_WR);
}

void Client::reset() {
  const linger abort{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  ::close(fd_);
  fd_ = -1;
  closed_ = true;
}

bool Client::read() {
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count > 0) {
      received.append(buffer.data(), static_cast<std::size_t>(count));
      continue;
    }
    if (count == 0 || errno != EAGAIN) closed_ = true;
    return !closed_;
  }
}

std::vector<ParsedResponse> Client::wait_for(std::size_t count) {
  std::vector<ParsedResponse> responses;
  std::size_t final_ones = 0;
  EXPECT_TRUE(fixture_.run_until([&] {
    read();
    for (ParsedResponse& response : take_responses(received, to_head)) {
      if (response.status >= 200) ++final_ones;
      responses.push_back(std::move(response));
    }
    return final_ones >= count || closed_;
  })) << "waited for "
      << count << " answers, got " << final_ones << "; rest: " << received;
  return responses;
}

bool Client::wait_closed() {
  return fixture_.run_until([this] { return !read(); });
}

}  // namespace triggerd::api
