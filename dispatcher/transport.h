// One HTTP exchange with a receiver. Real: curl_transport; in tests: a fake.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/base/time.h"
#include "engine/model/limits.h"
#include "engine/model/output.h"
#include "engine/model/url.h"

namespace triggerd::dispatcher {

struct HttpCall {
  model::AttemptId id;
  model::TargetUrl url;
  // "Name: value" lines without CRLF, in the order to send; Host and Content-Length are the
  // transport's.
  std::vector<std::string> headers;
  std::string body;
  base::Duration timeout{0};  // connect, TLS, request and the full answer
  std::size_t answer_bytes_kept = model::kAnswerBytesKept;  // at most kAnswerBytesRead
};

// Thread: that of its loop. Exactly one outcome for each call, never from within start/cancel.
class Transport {
 public:
  using OnOutcome = std::function<void(model::AttemptId, model::Outcome)>;

  virtual ~Transport() = default;
  virtual void start(HttpCall call) = 0;
  virtual void cancel(model::AttemptId id) = 0;
};

}  // namespace triggerd::dispatcher
