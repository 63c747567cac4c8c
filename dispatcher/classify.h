// How a transfer ended → what the attempt came to. The only file that knows curl's codes.
#pragma once

#include <cstdint>

#include <curl/curl.h>

#include "dispatcher/resolver.h"
#include "engine/model/records.h"

namespace triggerd::dispatcher {

// What is known of a transfer when curl has let go of it.
struct TransferEnd {
  CURLcode code = CURLE_OK;
  std::uint16_t http_status = 0;  // of the final answer; 0 before its head was complete
  bool answer_began = false;      // any byte of an answer came
  bool blocked = false;           // the guard refused the address at connect or at reuse
  bool no_descriptor = false;     // the process is out of descriptors or buffers
  bool head_over_limit = false;   // kAnswerHeaderBytesMax
  bool body_cut = false;          // we stopped at kAnswerBytesRead
  bool connected = false;         // TCP and TLS stood: the request may have been sent
  bool reused_connection = false;
  int os_errno = 0;
  long verify_result = 0;  // of the certificate, OpenSSL's
  int tunnel_status = 0;   // what a proxy said to CONNECT; 0: it was not asked
};

enum class NextStep : std::uint8_t {
  kDone,
  kNextAddress,      // nothing was sent: another address of the name may do
  kFreshConnection,  // a kept connection was dead: not an attempt yet
};

// What may follow within the same attempt, as long as time and addresses last.
[[nodiscard]] NextStep next_step(const TransferEnd& end);

// Kind, status and detail; the rest is the transport's. The detail names no address and does not
// tell one refused address from another.
[[nodiscard]] model::Outcome classify(const TransferEnd& end);

// The same for a name without a usable address. Requires: result != kFound.
[[nodiscard]] model::Outcome classify_lookup(Resolution::Result result);

// The guard refused.
[[nodiscard]] model::Outcome blocked_outcome();
[[nodiscard]] model::Outcome cancelled_outcome();
[[nodiscard]] model::Outcome busy_outcome();
// The attempt's time was over before a connection was tried.
[[nodiscard]] model::Outcome timeout_outcome();

}  // namespace triggerd::dispatcher
