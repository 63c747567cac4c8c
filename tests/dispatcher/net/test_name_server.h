// A name server on loopback UDP that answers what a test says, or keeps silent.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace triggerd::dispatcher {

struct NameQuestion {
  enum class Type : std::uint16_t { kA = 1, kAaaa = 28 };
  std::string name{};  // lower case, without the last dot
  Type type = Type::kA;
};

struct NameRecord {
  std::string name{};   // empty: the name asked for
  std::string value{};  // an address, or the name that a CNAME points to
  std::uint32_t ttl = 60;
};

struct NameAnswer {
  bool exists = true;  // false: NXDOMAIN
  std::vector<NameRecord> records{};
};

class TestNameServer {
 public:
  // On the server's thread. Nothing: silence. Addresses of the other family are left out.
  using Script = std::function<std::optional<NameAnswer>(const NameQuestion&)>;

  explicit TestNameServer(Script script);
  ~TestNameServer();
  TestNameServer(const TestNameServer&) = delete;
  TestNameServer& operator=(const TestNameServer&) = delete;

  // "127.0.0.1:PORT"
  [[nodiscard]] std::string address() const;
  [[nodiscard]] int questions() const { return questions_; }

 private:
  void serve();

  Script script_;
  int fd_;
  std::uint16_t port_ = 0;
  std::atomic<int> questions_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace triggerd::dispatcher
