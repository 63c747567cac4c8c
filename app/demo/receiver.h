// The demo's receiver: an HTTP server on a thread of its own that verifies every call as a customer
// would, with the public keys alone, and answers 204, or 401 for a token that does not verify.
#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <variant>

#include "api/http.h"
#include "api/server.h"
#include "app/demo/tally.h"
#include "app/jws_verifier.h"
#include "engine/base/status.h"
#include "engine/loop/event_loop.h"
#include "engine/loop/mailbox.h"

namespace triggerd::app {

class DemoReceiver {
 public:
  // Listens on 127.0.0.1. The tally outlives the receiver.
  [[nodiscard]] static base::Result<std::unique_ptr<DemoReceiver>> start(DemoTally& tally);
  ~DemoReceiver();
  DemoReceiver(const DemoReceiver&) = delete;
  DemoReceiver& operator=(const DemoReceiver&) = delete;

  // Where webhook number `webhook` is called.
  [[nodiscard]] std::string url(std::size_t webhook) const;
  // The keys that calls are checked with, and the organization they must be for; before the first
  // event. Calls that come earlier are refused.
  void trust(JwsVerifier verifier, std::string org);

 private:
  struct Trust {
    JwsVerifier verifier;
    std::string org;
  };
  struct Stop {};
  using Message = std::variant<Trust, Stop>;
  class Handler;

  explicit DemoReceiver(DemoTally& tally) : tally_(tally) {}
  void run(std::promise<base::Status>& listening);

  DemoTally& tally_;
  std::uint16_t port_ = 0;
  loop::Mailbox<Message>* mailbox_ = nullptr;  // lives on the thread until it has joined
  std::thread thread_;
};

}  // namespace triggerd::app
