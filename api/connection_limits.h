// Every number that bounds a connection, and what the server counts. Defaults of CONTRACT A9 and
// RELIABILITY 4.2.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "api/head_check.h"
#include "engine/base/time.h"

namespace triggerd::api {

struct ServerLimits {
  ParserLimits parser;
  // From the first byte of a request to the end of its head.
  base::Duration header_time = std::chrono::seconds(10);
  // For a body, and longer by the time that what has come takes at the least rate.
  base::Duration body_time = std::chrono::seconds(30);
  std::uint64_t body_bytes_per_second_min = std::uint64_t{16} * 1024;
  base::Duration idle_time = std::chrono::seconds(60);
  // A client that takes none of its answers for so long is cut off.
  base::Duration write_stall_time = std::chrono::seconds(30);
  // After the last answer: time for the client to read it before the socket is closed. At most
  // discarded_bytes of what it still sends are read meanwhile.
  base::Duration linger_time = std::chrono::seconds(2);
  std::size_t discarded_bytes = std::size_t{32} * 1024;
  std::size_t requests_per_connection = 10'000;
  // Requests not yet answered; at the limit no more is read (backpressure).
  std::size_t unanswered = 64;
  // Answers that the client has not read; past it no request is taken and no answer is formatted,
  // so that at most this and one answer more are buffered.
  std::size_t buffered_bytes = std::size_t{256} * 1024;
  // More are answered 503 and closed.
  std::size_t connections = 16'384;
  std::size_t connections_per_address = 8'192;
  base::Duration sweep_interval = std::chrono::milliseconds(500);
};

struct ServerCounts {
  std::uint64_t connections_open = 0;
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;  // over a limit of connections
  std::uint64_t requests = 0;             // given to the handler
  std::uint64_t requests_refused = 0;     // answered by the server itself (400, 413, 431, …)
  std::uint64_t timeouts = 0;             // connections ended by a limit of time
};

}  // namespace triggerd::api
