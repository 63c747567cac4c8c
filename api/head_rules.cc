#include "api/head_rules.h"

#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "api/event_format.h"
#include "api/head_check.h"
#include "api/media_type.h"
#include "api/problem.h"

namespace triggerd::api {
namespace {

constexpr std::string_view kLevelField = "SlashID-Required-Consistency";
constexpr std::string_view kTimeoutField = "SlashID-Required-Consistency-Timeout";

base::Error invalid(std::string_view field, std::string_view what) {
  return {base::ErrorCode::kInvalid, fmt::format("{}: {}", field, what)};
}

}  // namespace

namespace {

// A body that is coded cannot be read, whatever its type is.
std::optional<HttpResponse> refuse_content_encoding(const HttpRequest& head) {
  const std::string* const encoding = head.find_field("Content-Encoding");
  if (encoding == nullptr || same_text(*encoding, "identity")) return std::nullopt;
  return problem(415, "Content-Encoding: send the body without one");
}

}  // namespace

std::optional<HttpResponse> refuse_media_type(const HttpRequest& head, PlainText plain) {
  if (auto refusal = refuse_content_encoding(head)) return refusal;
  const std::string* const type = head.find_field("Content-Type");
  if (type == nullptr) return std::nullopt;
  const MediaType media_type = parse_media_type(*type);
  const bool is_json = media_type.essence == "application/json" ||
                       (plain == PlainText::kIsJson && media_type.essence == "text/plain");
  if (head.count_fields("Content-Type") > 1 || !is_json || !media_type.is_utf8) {
    return problem(415, "Content-Type: must be application/json, in UTF-8");
  }
  return std::nullopt;
}

std::optional<HttpResponse> refuse_event_format(const HttpRequest& head) {
  if (auto refusal = refuse_content_encoding(head)) return refusal;
  if (event_format_of(head)) return std::nullopt;
  return problem(415,
                 "Content-Type: must be application/json, application/x-ndjson, "
                 "application/cloudevents+json or application/cloudevents-batch+json, in UTF-8; "
                 "with ce-* fields any JSON type");
}

std::optional<HttpResponse> refuse_length(const HttpRequest& head, std::size_t bytes_max) {
  const std::string* const text = head.find_field("Content-Length");
  if (text == nullptr) return std::nullopt;
  std::size_t length = 0;
  const std::from_chars_result read =
      std::from_chars(text->data(), text->data() + text->size(), length);
  // Whether it is a number at all has been checked; one that does not fit is too large.
  if (read.ec == std::errc() && length <= bytes_max) return std::nullopt;
  HttpResponse response =
      problem(413, fmt::format("body: at most {} bytes are taken here", bytes_max));
  response.close = true;
  return response;
}

base::Result<base::Duration> consistency_timeout(const HttpRequest& head,
                                                 base::Duration unless_said) {
  if (head.count_fields(kLevelField) > 1) return invalid(kLevelField, "send it once");
  if (head.count_fields(kTimeoutField) > 1) return invalid(kTimeoutField, "send it once");
  const std::string* const level = head.find_field(kLevelField);
  if (level != nullptr && *level != "local_region" && *level != "all_regions") {
    return invalid(kLevelField, "must be local_region or all_regions");
  }
  const std::string* const timeout = head.find_field(kTimeoutField);
  if (timeout == nullptr) return unless_said;
  int seconds = 0;
  const char* const end = timeout->data() + timeout->size();
  const std::from_chars_result read = std::from_chars(timeout->data(), end, seconds);
  if (read.ec != std::errc() || read.ptr != end || seconds < 1 || seconds > 120 ||
      timeout->front() == '0') {
    return invalid(kTimeoutField, "must be a whole number of seconds from 1 to 120");
  }
  return base::Duration(std::chrono::seconds(seconds));
}

}  // namespace triggerd::api
