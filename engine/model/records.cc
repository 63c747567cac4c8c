#include "engine/model/records.h"

namespace triggerd::model {

std::string_view word_of(OutcomeClass kind) {
  switch (kind) {
    case OutcomeClass::kOk:
      return "ok";
    case OutcomeClass::kHttpError:
      return "http_error";
    case OutcomeClass::kTimeout:
      return "timeout";
    case OutcomeClass::kConnect:
      return "connect";
    case OutcomeClass::kDns:
      return "dns";
    case OutcomeClass::kTls:
      return "tls";
    case OutcomeClass::kBlocked:
      return "blocked";
    case OutcomeClass::kProtocol:
      return "protocol";
    case OutcomeClass::kCancelled:
      return "cancelled";
    case OutcomeClass::kBusy:
      return "busy";
    case OutcomeClass::kBadAnswer:
      return "bad_answer";
    case OutcomeClass::kDenied:
      return "denied";
    case OutcomeClass::kBreakerOpen:
      return "breaker_open";
    case OutcomeClass::kDisabled:
      return "disabled";
  }
  return "unknown";
}

}  // namespace triggerd::model
