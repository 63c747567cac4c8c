// A transport on its loop, and verbs to call a receiver and wait for what came of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "dispatcher/curl_transport.h"
#include "engine/loop/event_loop.h"

namespace triggerd::dispatcher {

// May call 127.0.0.0/8, by http too.
[[nodiscard]] TransportOptions loopback_options();

struct CallOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  bool https = false;
  std::string path = "/hook";
  std::string body = "body";
  base::Duration timeout = std::chrono::seconds(10);
};

class TransportTest : public ::testing::Test {
 protected:
  ~TransportTest() override;

  // Before the first call; else loopback_options().
  void open(const TransportOptions& options);
  // Starts a call; ids count from 1.
  model::AttemptId start(const CallOptions& options);
  // Runs the loop until `count` outcomes are there in all, at most 20 s.
  void run_until(std::size_t count);
  // Starts one call and waits for its outcome.
  model::Outcome call(const CallOptions& options);
  [[nodiscard]] const model::Outcome& outcome(model::AttemptId id) const;

  loop::EventLoop loop_;
  std::unique_ptr<CurlTransport> transport_;
  std::map<model::AttemptId, model::Outcome> outcomes_;
  std::size_t reported_ = 0;  // counts a second outcome of one call too
  std::size_t awaited_ = 0;
  std::uint64_t last_id_ = 0;
};

}  // namespace triggerd::dispatcher
