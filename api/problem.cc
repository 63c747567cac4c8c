#include "api/problem.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "api/json_writer.h"
#include "engine/base/assert.h"

namespace triggerd::api {
namespace {

// A batch of events may have several faults in each; an answer must not outgrow its request.
constexpr std::size_t kEntriesMax = 4096;

HttpResponse envelope(const std::vector<ErrorEntry>& entries) {
  HttpResponse response;
  response.status = entries.front().status;
  response.content_type = "application/json";
  response.body = write_errors(entries);
  return response;
}

bool asks_to_retry(int status) {
  return status == 429 || status == 503;
}

}  // namespace

int status_of(base::ErrorCode code) {
  switch (code) {
    case base::ErrorCode::kInvalid:
      return 400;
    case base::ErrorCode::kNotFound:
      return 404;
    case base::ErrorCode::kConflict:
      return 409;
    case base::ErrorCode::kTimeout:
      return 408;
    case base::ErrorCode::kTooLarge:
      return 413;
    case base::ErrorCode::kRateLimited:
      return 429;
    case base::ErrorCode::kOverloaded:
    case base::ErrorCode::kUnavailable:
      return 503;
    case base::ErrorCode::kCorrupt:
    case base::ErrorCode::kInternal:
      break;
  }
  return 500;
}

HttpResponse problem(int status, std::string_view message) {
  HttpResponse response = envelope({{status, std::string(message)}});
  if (asks_to_retry(status)) response.fields.push_back({"Retry-After", "1"});
  return response;
}

HttpResponse problem(const Faults& faults) {
  return problem(model::Refusal{faults, std::nullopt});
}

HttpResponse problem(const model::Refusal& refusal) {
  TRIGGERD_ASSERT(!refusal.faults.empty());
  std::vector<ErrorEntry> entries;
  for (const base::Error& fault : refusal.faults) {
    if (entries.size() == kEntriesMax) {
      entries.push_back({entries.front().status, fmt::format("and {} more faults; mend these first",
                                                             refusal.faults.size() - kEntriesMax)});
      break;
    }
    entries.push_back({status_of(fault.code), fault.message});
  }
  HttpResponse response = envelope(entries);
  if (asks_to_retry(response.status)) {
    const auto seconds =
        std::chrono::ceil<std::chrono::seconds>(refusal.retry_after.value_or(model::Duration(0)));
    const auto whole = std::max<std::int64_t>(1, seconds.count());
    response.fields.push_back({"Retry-After", std::to_string(whole)});
  }
  return response;
}

HttpResponse unknown_route() {
  HttpResponse response;
  response.status = 404;
  response.content_type = "text/plain";
  response.body = "404 page not found";
  return response;
}

}  // namespace triggerd::api
