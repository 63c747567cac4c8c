#include "tests/dispatcher/net/test_name_server.h"

#include <cctype>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/assert.h"

namespace triggerd::dispatcher {
namespace {

constexpr std::uint16_t kCname = 5;

void put16(std::string& out, std::size_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value & 0xff);
}

std::string wire_name(const std::string& name) {
  std::string out;
  std::size_t start = 0;
  while (start < name.size()) {
    std::size_t dot = name.find('.', start);
    if (dot == std::string::npos) dot = name.size();
    out += static_cast<char>(dot - start);
    out += name.substr(start, dot - start);
    start = dot + 1;
  }
  out += '\0';
  return out;
}

// Record type and data of `value`: an address of either family, or a name.
std::pair<std::uint16_t, std::string> record_data(const std::string& value) {
  unsigned char bytes[16];
  if (inet_pton(AF_INET, value.c_str(), bytes) == 1) {
    return {1, std::string(reinterpret_cast<char*>(bytes), 4)};
  }
  if (inet_pton(AF_INET6, value.c_str(), bytes) == 1) {
    return {28, std::string(reinterpret_cast<char*>(bytes), 16)};
  }
  return {kCname, wire_name(value)};
}

}  // namespace

TestNameServer::TestNameServer(Script script)
    : script_(std::move(script)), fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  TRIGGERD_ASSERT(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  socklen_t size = sizeof address;
  getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

TestNameServer::~TestNameServer() {
  stopping_ = true;
  thread_.join();
  close(fd_);
}

std::string TestNameServer::address() const {
  return "127.0.0.1:" + std::to_string(port_);
}

void TestNameServer::serve() {
  while (!stopping_) {
    pollfd wait{fd_, POLLIN, 0};
    if (poll(&wait, 1, 20) <= 0) continue;
    char bytes[1500];
    sockaddr_in peer{};
    socklen_t peer_size = sizeof peer;
    const ssize_t count =
        recvfrom(fd_, bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&peer), &peer_size);
    if (count < 17) continue;
    const std::string query(bytes, static_cast<std::size_t>(count));
    NameQuestion question;
    std::size_t at = 12;
    while (at < query.size() && query[at] != 0) {
      const auto length = static_cast<unsigned char>(query[at]);
      if (!question.name.empty()) question.name += '.';
      for (const char c : query.substr(at + 1, length)) {
        question.name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      }
      at += 1U + length;
    }
    if (at + 5 > query.size()) continue;
    const auto type = static_cast<std::uint16_t>(static_cast<unsigned char>(query[at + 2]));
    question.type = static_cast<NameQuestion::Type>(type);
    ++questions_;
    const std::optional<NameAnswer> answer = script_(question);
    if (!answer) continue;
    std::string records;
    std::size_t record_count = 0;
    for (const NameRecord& record : answer->records) {
      const auto [record_type, data] = record_data(record.value);
      if (record_type != kCname && record_type != type) continue;
      records += record.name.empty() ? std::string("\xc0\x0c", 2) : wire_name(record.name);
      put16(records, record_type);
      put16(records, 1);
      put16(records, record.ttl >> 16);
      put16(records, record.ttl & 0xffff);
      put16(records, data.size());
      records += data;
      ++record_count;
    }
    std::string reply = query.substr(0, 2);
    reply += '\x81';
    reply += answer->exists ? '\x80' : '\x83';
    put16(reply, 1);
    put16(reply, record_count);
    put16(reply, 0);
    put16(reply, 0);
    reply += query.substr(12, at + 5 - 12) + records;
    sendto(fd_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&peer), peer_size);
  }
}

}  // namespace triggerd::dispatcher
