// The check of a request's head before the HTTP parser sees it: every way in which two readers of
// the same bytes could disagree about where a request ends is refused here, whatever version of
// llhttp is behind it. RFC 9112 (2.2, 3, 5, 6), RFC 9110 (5.5, 7.2, 10.1.1).
//
// Pure: bytes in, verdict out. The verdict does not depend on how the bytes were cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/http.h"

namespace triggerd::api {

// An answer that closes the connection. `message` is ours, never a copy of input.
struct Refusal {
  int status = 0;
  const char* message = "";
};

struct ParserLimits {
  std::size_t request_line_bytes = std::size_t{8} * 1024;     // without its CRLF; more is 414
  std::size_t fields_bytes = std::size_t{32} * 1024;          // with their CRLFs; more is 431
  std::size_t fields = 100;                                   // more is 431
  std::size_t leading_crlfs = 2;                              // before a request line; more is 400
  std::size_t chunk_extension_bytes = std::size_t{4} * 1024;  // of one message; more is 400
  std::size_t trailer_bytes = std::size_t{8} * 1024;          // more is 431
  std::size_t dropped_body_bytes =
      std::size_t{64} * 1024;  // of a body that nobody wants; more closes
};

// What the head says about the message; valid when HeadCheck is complete.
struct HeadFacts {
  Method method = Method::kGet;
  std::uint8_t minor_version = 1;
  bool chunked = false;
  bool has_length = false;
  std::uint64_t length = 0;
  bool keep_alive = true;
  bool expects_continue = false;
};

// Collects the bytes of one head.
class HeadCheck {
 public:
  enum class State : std::uint8_t { kMore, kComplete, kRefused };

  explicit HeadCheck(const ParserLimits& limits) : limits_(limits) {}

  // Takes bytes from the front of `input`, at most to the end of the head.
  // Requires: neither complete nor refused.
  State feed(std::string_view& input);
  // Has a byte of the request come (leading CRLFs are none)?
  [[nodiscard]] bool begun() const { return !bytes_.empty(); }

  // The whole head, tabs around field values made spaces (the versions of llhttp differ in them).
  // Requires: complete.
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] const HeadFacts& facts() const { return facts_; }
  // Requires: refused.
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }

  // Ready for the next head; keeps the buffer's memory.
  void restart();
  // Gives the buffer's memory back. Requires: !begun().
  void release_memory();

 private:
  State refuse(int status, const char* message);
  State end_line();
  State end_request_line(std::string_view line);
  State end_field(std::size_t begin);
  State end_head();
  State note_field(std::string_view name, std::string_view value);
  State note_length(std::string_view value);
  State note_transfer_encoding(std::string_view value);
  State note_host(std::string_view value);
  State over_limit();
  [[nodiscard]] std::size_t room() const;

  const ParserLimits& limits_;
  std::string bytes_;
  std::size_t line_begin_ = 0;
  std::size_t fields_begin_ = 0;  // 0 while in the request line
  std::size_t field_count_ = 0;
  std::size_t authority_begin_ = 0;  // of an absolute-form target
  std::size_t authority_bytes_ = 0;
  std::size_t host_begin_ = 0;
  std::size_t host_bytes_ = 0;
  HeadFacts facts_;
  Refusal refusal_;
  std::uint8_t leading_crlfs_ = 0;
  bool after_cr_ = false;
  bool absolute_ = false;
  bool has_host_ = false;
  bool says_close_ = false;
  bool says_keep_alive_ = false;
  bool https_ = false;
};

// A host of RFC 3986 with an optional port of at most 65535; no user, not empty.
[[nodiscard]] bool is_host_and_port(std::string_view text);
// The path and query of a target in absolute or origin form.
[[nodiscard]] std::string_view origin_form(std::string_view target);
[[nodiscard]] bool is_token_byte(char c);
// HTAB, SP and everything printable, bytes of 0x80 and above too (obs-text).
[[nodiscard]] bool is_field_byte(char c);
// Without case, ASCII.
[[nodiscard]] bool same_text(std::string_view left, std::string_view right);

}  // namespace triggerd::api
