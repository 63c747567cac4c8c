// Bytes in, requests out; no socket and no clock. head_check and chunk_check judge the bytes,
// llhttp takes them apart, and both must agree on where the message ends.
//
// Thread: any one. Borrows the limits. The events do not depend on how the bytes were cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <llhttp.h>

#include "api/chunk_check.h"
#include "api/head_check.h"
#include "api/http.h"

namespace triggerd::api {

class RequestParser {
 public:
  enum class Event : std::uint8_t {
    kMore,     // all input is taken, nothing to tell
    kHead,     // head() is there: call want_body(), stream_body() or drop_body() before feeding on
    kBody,     // after stream_body(): body_piece() is there, until feed() is called again
    kRequest,  // complete: take_request()
    kRefused,  // refusal(); the parser is dead, what follows must not be looked at
  };

  explicit RequestParser(const ParserLimits& limits);
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Takes bytes from the front of `input` up to the next event. After kHead call again even with
  // empty input: a request without a body is complete then.
  Event feed(std::string_view& input);

  // All three are valid from kHead until take_request(). `peer` stays empty.
  [[nodiscard]] const HttpRequest& head() const { return request_; }
  [[nodiscard]] HttpRequest& mutable_head() { return request_; }
  [[nodiscard]] const HeadFacts& facts() const { return head_.facts(); }
  [[nodiscard]] bool has_body() const { return facts().chunked || facts().length > 0; }
  // A longer body is 413. Requires: the last event was kHead.
  void want_body(std::size_t bytes_max);
  // Gives the body in pieces and keeps nothing; it may have any length.
  void stream_body();
  [[nodiscard]] std::string_view body_piece() const { return body_piece_; }
  // Takes the body and keeps nothing; past ParserLimits::dropped_body_bytes it is 413.
  void drop_body();

  // Requires: the last event was kRequest.
  HttpRequest take_request();
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }

  // Has a byte of an unfinished request come?
  [[nodiscard]] bool begun() const { return phase_ != Phase::kHead || head_.begun(); }
  [[nodiscard]] bool in_body() const { return phase_ == Phase::kBody; }
  // Of the body of the current request, dropped or kept.
  [[nodiscard]] std::uint64_t body_bytes() const { return body_bytes_; }
  // Gives memory back. Requires: !begun().
  void release_memory() { head_.release_memory(); }

 private:
  enum class Phase : std::uint8_t { kHead, kDecide, kBody, kDone, kDead };
  enum class Body : std::uint8_t { kKeep, kStream, kDrop };
  struct Callbacks;

  Event refuse(Refusal refusal);
  Event feed_head(std::string_view& input);
  Event feed_sized(std::string_view& input);
  Event feed_chunked(std::string_view& input);
  Event end_request();
  void choose(Body body, std::uint64_t bytes_max);
  // False when llhttp refuses; `text` is all of what it is given at this point.
  bool parse(std::string_view text);

  HeadCheck head_;
  ChunkCheck chunks_;
  const ParserLimits& limits_;
  llhttp_t llhttp_{};
  HttpRequest request_;
  Refusal refusal_;
  std::string_view body_piece_;
  std::uint64_t body_bytes_ = 0;
  std::uint64_t body_bytes_max_ = 0;
  Phase phase_ = Phase::kHead;
  Body body_ = Body::kKeep;
  bool head_parsed_ = false;     // llhttp has seen the end of the head
  bool message_parsed_ = false;  // llhttp has seen the end of the message
};

}  // namespace triggerd::api
