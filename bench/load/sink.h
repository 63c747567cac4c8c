// A fast receiver: answers every POST with an empty 200 and notes when each event of ours arrived.
//
// Owns its listeners, its connections and one thread. The other functions: any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "bench/load/wire.h"

namespace triggerd::load {

struct Arrival {
  EventNumber event;
  std::int64_t at_ns = 0;  // now_ns() when its bytes were read
};

class Sink {
 public:
  // Listens on `count` ports of 127.0.0.1: first_port and the following, or free ones with 0.
  Sink(std::size_t count, std::uint16_t first_port);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  [[nodiscard]] const std::vector<std::uint16_t>& ports() const { return ports_; }
  // Requests answered so far, and those of them that were events of ours.
  [[nodiscard]] std::uint64_t requests() const { return requests_; }
  [[nodiscard]] std::uint64_t arrived() const { return arrived_; }
  // What arrived since the last call.
  [[nodiscard]] std::vector<Arrival> take_arrivals();

 private:
  struct Connection {
    std::string in;
    std::string out;
  };

  void run();
  void accept_all(int listener);
  void serve(int socket, std::uint32_t events);
  // False when the connection is over.
  bool read(int socket, Connection& connection);
  bool write(int socket, Connection& connection) const;

  int epoll_ = -1;
  int stop_ = -1;  // an eventfd
  std::vector<int> listeners_;
  std::vector<std::uint16_t> ports_;
  std::unordered_map<int, Connection> connections_;  // the thread's, by socket
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> arrived_{0};
  std::mutex mutex_;  // guards arrivals_
  std::vector<Arrival> arrivals_;
  std::thread thread_;
};

}  // namespace triggerd::load
