#include "api/response_writer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "api/head_check.h"
#include "engine/base/log.h"

namespace triggerd::api {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "";
  }
}

bool is_ours(std::string_view name) {
  constexpr std::array<std::string_view, 6> ours_all = {"content-length", "transfer-encoding",
                                                        "connection",     "date",
                                                        "content-type",   "x-content-type-options"};
  return std::any_of(ours_all.begin(), ours_all.end(),
                     [name](std::string_view ours) { return same_text(ours, name); });
}

bool is_sendable(const HttpField& field) {
  return !field.name.empty() && std::all_of(field.name.begin(), field.name.end(), is_token_byte) &&
         std::all_of(field.value.begin(), field.value.end(), is_field_byte);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string_view ResponseWriter::date(base::WallTime now) {
  const std::int64_t second = base::unix_seconds(now);
  if (second == date_second_) return date_;
  date_second_ = second;
  constexpr std::array<const char*, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto time = static_cast<std::time_t>(second);
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                days[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                months[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                utc.tm_min, utc.tm_sec);
  date_ = text.data();
  return date_;
}

void ResponseWriter::append(std::string& out, const HttpResponse& response,
                            const ResponseFrame& frame, base::WallTime now) {
  const bool bodyless = response.status == 204 || response.status == 304;
  out += "HTTP/1.1 ";
  out += std::to_string(response.status);
  out += ' ';
  out += reason_of(response.status);
  out += "\r\n";
  append_field(out, "Date", date(now));
  if (!bodyless) {
    if (!response.content_type.empty() &&
        std::all_of(response.content_type.begin(), response.content_type.end(), is_field_byte)) {
      append_field(out, "Content-Type", response.content_type);
    }
    if (frame.length == ResponseFrame::Length::kKnown) {
      append_field(out, "Content-Length", std::to_string(response.body.size()));
    } else if (frame.length == ResponseFrame::Length::kChunked) {
      append_field(out, "Transfer-Encoding", "chunked");
    }
  }
  append_field(out, "X-Content-Type-Options", "nosniff");
  bool cache_control = false;
  for (const HttpField& field : response.fields) {
    if (is_ours(field.name) || !is_sendable(field)) continue;
    cache_control = cache_control || same_text(field.name, "cache-control");
    append_field(out, field.name, field.value);
  }
  if (!cache_control) append_field(out, "Cache-Control", "no-store");
  if (frame.connection == ResponseFrame::Connection::kClose) {
    append_field(out, "Connection", "close");
  } else if (frame.connection == ResponseFrame::Connection::kKeepSaid) {
    append_field(out, "Connection", "keep-alive");
  }
  out += "\r\n";
  if (!bodyless && frame.body == ResponseFrame::Body::kSend) out += response.body;
}

void append_chunk(std::string& out, std::string_view bytes) {
  if (bytes.empty()) return;
  std::array<char, 24> line{};
  const int size = std::snprintf(line.data(), line.size(), "%zx\r\n", bytes.size());
  out.append(line.data(), static_cast<std::size_t>(size)).append(bytes).append("\r\n");
}

HttpResponse error_response(int status, std::string_view message) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = "{\"errors\":[{\"httpcode\":" + std::to_string(status) + ",\"message\":\"";
  base::append_json_escaped(response.body, message);
  response.body += "\"}]}";
  return response;
}

}  // namespace triggerd::api
