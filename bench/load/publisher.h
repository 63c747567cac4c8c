// Publishes events to an engine over kept connections, in one of two ways:
//
//   saturate  closed loop: the next event of a connection follows the answer to the one before, as
//             long as few enough deliveries are outstanding. Gives throughput, no latencies.
//   pace      open loop: the schedule does not wait for answers, and a latency counts from the
//             scheduled time, so that a stall of the engine is seen in full by all that had to wait
//             (no coordinated omission). Behind an unanswered request the next one is pipelined.
//
// Thread: one. The sink outlives it and gets all of the deliveries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/samples.h"
#include "bench/load/sink.h"

namespace triggerd::load {

struct Target {
  std::uint16_t port = 0;
  std::string org;
  std::string api_key;
  std::size_t fan_out = 1;  // webhooks that each event matches
  std::size_t content_bytes = 1024;
};

struct PhaseReport {
  std::uint64_t accepted = 0;    // 202
  std::uint64_t refused = 0;     // any other answer
  std::uint64_t deliveries = 0;  // arrivals at the sink
  double publish_seconds = 0;    // first to last publish
  double seconds = 0;            // first publish to last arrival
  Samples accept;                // scheduled time to answer; pace only
  Samples receive;               // scheduled time to each arrival; pace only

  [[nodiscard]] std::string to_json() const;
};

class Publisher {
 public:
  Publisher(Target target, Sink& sink) : target_(std::move(target)), sink_(sink) {}

  // At most `outstanding_max` events are accepted and not delivered everywhere.
  [[nodiscard]] PhaseReport saturate(double seconds, std::size_t connections,
                                     std::uint64_t outstanding_max);
  [[nodiscard]] PhaseReport pace(double events_per_second, double seconds, std::size_t connections);

 private:
  struct Connection {
    int socket = -1;
    bool blocked = false;  // the socket takes no more for now
    std::string out;
    std::string in;
    std::deque<std::int64_t> asked_ns;  // scheduled times of what is not answered yet
  };

  void begin_phase(std::size_t connections);
  void publish(Connection& connection, std::int64_t scheduled_ns);
  void flush(Connection& connection);
  // Waits for sockets, at most until then, and takes what they have.
  void wait_until(std::int64_t until_ns);
  void receive(Connection& connection);
  [[nodiscard]] std::uint64_t unanswered() const;
  // Waits until everything accepted has arrived, or nothing has for some seconds.
  PhaseReport end_phase();

  Target target_;
  Sink& sink_;
  std::uint32_t phase_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t arrived_before_ = 0;
  int epoll_ = -1;
  std::vector<Connection> connections_;
  std::int64_t began_ns_ = 0;
  double period_ns_ = 0;  // pace
  std::vector<std::int64_t> accept_ns_;
  PhaseReport report_;
};

}  // namespace triggerd::load
