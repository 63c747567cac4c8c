// A blocking HTTP client for the command line: one connection, JSON bodies.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/status.h"

namespace triggerd::app {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// One thread at a time. Proxies of the environment are ignored; answers over 64 MiB are cut off.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Sent with every request from now on.
  void set_header(const std::string& name, const std::string& value);
  // Asked every second or so while a request is under way: true gives it up.
  void set_give_up(std::function<bool()> give_up);
  // `fields` go with this request alone, as "Name: value".
  // kUnavailable: no answer came; the message says why. Waits at most 60 s.
  [[nodiscard]] base::Result<HttpAnswer> send(const std::string& method, const std::string& url,
                                              const std::string& body,
                                              const std::vector<std::string>& fields = {});

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

}  // namespace triggerd::app
