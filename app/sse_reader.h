// Server-Sent Events out of bytes, as they come: the HTML standard, section 9.2.6.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace triggerd::app {

struct SseMessage {
  std::string event;  // empty where none was named
  std::string data;   // lines with LF in between
  std::string id;     // of this message; empty where none was named
};

class SseReader {
 public:
  // A message of more than `bytes_max` is too long, and nothing is read any more.
  explicit SseReader(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Takes from the front of `bytes` until a message is whole: true then, and message() has it. One
  // of which only the id is said counts; comments do not.
  [[nodiscard]] bool feed(std::string_view& bytes);
  [[nodiscard]] const SseMessage& message() const { return whole_; }
  [[nodiscard]] bool too_long() const { return too_long_; }

 private:
  // True when the line ended a message.
  bool take_line();

  std::size_t bytes_max_;
  std::string line_;
  bool after_cr_ = false;
  bool any_data_ = false;
  bool too_long_ = false;
  SseMessage building_;
  SseMessage whole_;
};

}  // namespace triggerd::app
