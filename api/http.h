// An HTTP exchange as plain values, between the connection (bytes) and the routes (meaning).
// RFC 9110, RFC 9112.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "api/ticket.h"

namespace triggerd::api {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kTrace };
// As it stands on the wire: "GET".
[[nodiscard]] std::string_view word_of(Method method);

struct HttpField {
  std::string name;  // as sent; compared without case
  std::string value;
};

// A whole request. `body` has kJsonPadding spare bytes of capacity behind its end, so that the JSON
// parser reads it in place.
struct HttpRequest {
  Method method = Method::kGet;
  std::string target;  // as sent: path and query, not decoded
  std::vector<HttpField> fields;
  std::string body;
  std::string peer;  // address of the client, without port

  // Up to the first '?'.
  [[nodiscard]] std::string_view path() const;
  // Behind the first '?', or empty.
  [[nodiscard]] std::string_view query() const;
  // Value of the first field of this name (without case), or nullptr.
  [[nodiscard]] const std::string* find_field(std::string_view name) const;
  [[nodiscard]] std::size_t count_fields(std::string_view name) const;
};
inline constexpr std::size_t kJsonPadding = 64;

struct HttpResponse {
  int status = 200;
  std::string content_type;  // empty when there is no body
  std::string body;
  std::vector<HttpField>
      fields;          // further ones; Date, Content-Length and the fixed ones are the connection's
  bool close = false;  // close the connection after this answer
};

// What the routes say when they have seen the head alone.
struct ReadBody {
  // More is 413. With 0 the request comes without its body: up to 64 KiB of one are dropped.
  std::size_t bytes_max = 0;
  // For the answer when the server gives it itself, because the body is refused (413, 408, 400).
  std::vector<HttpField> refusal_fields{};
};
// Answer now, without the body (401, 404, 405, 413, 415); what was sent of it is dropped.
struct AnswerNow {
  HttpResponse response;
};
// Take the body as it comes, however long it is, and send the answer as it is made: on_stream.
struct StreamBody {
  // Who ends the answer: the reader, soon after the end of the body, or the client. Of the latter
  // kind it goes on when the body is over, quiet for as long as it likes; the client ends it by
  // ending its side, and the connection closes behind it.
  enum class EndedBy : std::uint8_t { kReader, kClient };

  HttpResponse answer;  // all but its body
  EndedBy ended_by = EndedBy::kReader;
};
using HeadDecision = std::variant<ReadBody, AnswerNow, StreamBody>;

// Called exactly once, on the loop's thread, at any time: also from within on_request, and also
// after the client has gone (the answer is dropped then).
using Respond = std::function<void(HttpResponse)>;

// Sends a piece of a streamed answer. On the loop's thread, at any time; after kLast, and when the
// client has gone, it does nothing.
enum class Flow : std::uint8_t { kMore, kLast };
using SendPiece = std::function<void(std::string bytes, Flow flow)>;

// What reads a streamed body. Owned by the connection, which destroys it when the answer is over or
// the client has gone. A SendPiece that it calls from elsewhere than its own functions may give it
// more of the body, or destroy it: such a call stands last.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // Takes bytes from the front: all of them unless its room ends.
  virtual void on_body(std::string_view& bytes) = 0;
  // Nothing more comes, and the answer is to end soon: the body is complete, or it will never be.
  // (Ended by the client: it goes on behind on_body_end(); on_body_cut() also says that the server
  // is about to stop.)
  virtual void on_body_end() = 0;
  virtual void on_body_cut(int status, std::string_view why) = 0;
  // Ended by the client: what was sent is on its way, and there is room for another piece. It may
  // be sent from within.
  virtual void on_room() {}
  // While false the client is not read from. It becomes true by a SendPiece.
  [[nodiscard]] virtual bool has_room() const = 0;
  // Bytes that have come of a part that is not complete, and the parts that are: a part that has
  // begun must come at the least rate of a body.
  [[nodiscard]] virtual std::size_t unfinished_bytes() const = 0;
  [[nodiscard]] virtual std::uint64_t parts() const = 0;
};

// What a server serves. One per I/O thread.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // `head` has everything but the body. Comes before 100-continue is sent.
  virtual HeadDecision on_head(const HttpRequest& head) = 0;
  // Names the request while it has no answer; the zero ticket when it has one already, or when its
  // client's going changes nothing.
  virtual Ticket on_request(HttpRequest request, Respond respond) = 0;
  // The client has gone, and nobody would read the answer to this request: it need not come. A
  // request that has been answered is ignored.
  virtual void on_gone(Ticket request) = 0;
  // Asked for after StreamBody alone; never null then.
  virtual std::unique_ptr<BodyReader> on_stream(const HttpRequest& head, SendPiece send) = 0;
};

}  // namespace triggerd::api
