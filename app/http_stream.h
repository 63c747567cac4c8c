// A GET whose answer goes on, for the command line: read piece by piece, for as long as it lasts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/base/time.h"

namespace triggerd::app {

// Thread: one at a time. Proxies of the environment are ignored. An answer of which nothing comes
// for a minute is over: its server sends comments more often than that.
class HttpStream {
 public:
  // Begins; `fields` are "Name: value".
  HttpStream(const std::string& url, const std::vector<std::string>& fields);
  ~HttpStream();
  HttpStream(const HttpStream&) = delete;
  HttpStream& operator=(const HttpStream&) = delete;

  // Waits at most so long for something to come. False once the answer is over.
  [[nodiscard]] bool wait(base::Duration most);
  // 0 while the head has not come.
  [[nodiscard]] int status() const;
  // What has come since the last call; about 1 MiB at most, the rest waits.
  [[nodiscard]] std::string take();
  // Why it is over before its end; empty where it came to its end.
  [[nodiscard]] const std::string& error() const;

 private:
  struct Transfer;
  std::unique_ptr<Transfer> transfer_;
};

}  // namespace triggerd::app
