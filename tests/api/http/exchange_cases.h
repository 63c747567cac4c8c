// What clients may send, and what must come of it: RELIABILITY 4.1 and 4.3 as data.
#pragma once

#include <string>
#include <vector>

namespace triggerd::api {

struct ExchangeCase {
  enum class After {
    kAlive,    // the next request on the connection is answered
    kClosed,   // the server closes
    kWaiting,  // the request is not complete: no answer, and silence when the client ends
  };
  std::string name;
  std::string bytes;
  std::vector<int> statuses;  // of the answers, in order
  After after = After::kClosed;
  bool socket_only = false;  // needs more of the server than its parser
};

// A request that must never be seen; stands inside and behind what is refused.
extern const char* const kSmuggled;

std::vector<ExchangeCase> exchange_cases();

}  // namespace triggerd::api
