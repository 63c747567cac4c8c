// Who wants to know of every request that was answered: for figures, not for the requests.
#pragma once

#include "api/router.h"
#include "engine/base/time.h"

namespace triggerd::api {

struct AnsweredRequest {
  const Route* route = nullptr;  // of all_routes(); null where none was found
  int status = 0;
  base::Duration took{0};  // from the complete request to its answer
};

// Called on the loop's thread, before the answer is written; must not call back.
class RequestObserver {
 public:
  virtual ~RequestObserver() = default;
  virtual void answered(const AnsweredRequest& request) = 0;
};

}  // namespace triggerd::api
