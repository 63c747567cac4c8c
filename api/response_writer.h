// An HttpResponse as bytes, with the fields that are the same for every answer. RFC 9110, 9112.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/http.h"
#include "engine/base/time.h"

namespace triggerd::api {

// What the connection knows about the exchange.
struct ResponseFrame {
  enum class Body : std::uint8_t { kSend, kOmit };                    // kOmit answers HEAD
  enum class Connection : std::uint8_t { kKeep, kKeepSaid, kClose };  // kKeepSaid: HTTP/1.0
  // Of a body that is sent behind: in chunks, or (to HTTP/1.0) until the connection is closed.
  enum class Length : std::uint8_t { kKnown, kChunked, kUntilClose };
  Body body = Body::kSend;
  Connection connection = Connection::kKeep;
  Length length = Length::kKnown;
};

// Writes answers; keeps the text of Date for a second.
class ResponseWriter {
 public:
  // Appends status line, fields and body. Fields of `response` that the connection owns
  // (Content-Length, Transfer-Encoding, Connection, Date) or that hold a control byte are left out,
  // so that nothing of them can begin a line of its own. Cache-Control may be replaced.
  void append(std::string& out, const HttpResponse& response, const ResponseFrame& frame,
              base::WallTime now);

 private:
  std::string_view date(base::WallTime now);

  std::int64_t date_second_ = -1;
  std::string date_;
};

// One chunk of a body in chunks; nothing for no bytes, which would end it.
void append_chunk(std::string& out, std::string_view bytes);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

// The error envelope of CONTRACT B2.
[[nodiscard]] HttpResponse error_response(int status, std::string_view message);

}  // namespace triggerd::api
