// The little of HTTP/1.1 that the load tools need: both sides of it are known, so nothing is
// checked beyond where a message ends. Also the event ids that carry their index, and the sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace triggerd::load {

// CLOCK_MONOTONIC, nanoseconds.
[[nodiscard]] std::int64_t now_ns();
// User and system time of this process so far, microseconds.
[[nodiscard]] double cpu_us();

// One message at the front of a buffer.
struct Message {
  std::string_view head;  // with its last CRLF CRLF
  std::size_t bytes = 0;  // head and body
};
// Nothing while it is not whole. A message without Content-Length has no body.
[[nodiscard]] std::optional<Message> first_message(std::string_view bytes);
// Value of a field by its name (without case); empty when it is not there.
[[nodiscard]] std::string_view find_field(std::string_view head, std::string_view name);

// Which event of which phase; as a UUID: PPPPPPPP-0000-4000-8000-IIIIIIIIIIII.
struct EventNumber {
  std::uint32_t phase = 0;
  std::uint64_t index = 0;  // below 2^48
};
[[nodiscard]] std::string to_uuid(const EventNumber& number);
// Nothing when the text is no id of ours.
[[nodiscard]] std::optional<EventNumber> parse_uuid(std::string_view text);

// Non-blocking sockets on 127.0.0.1; any failure ends the process with a message: a benchmark has
// nothing to fall back to.
[[nodiscard]] int listen_on(std::uint16_t port);
[[nodiscard]] std::uint16_t port_of(int socket);
[[nodiscard]] int connect_to(std::uint16_t port);
[[noreturn]] void die(std::string_view what);

}  // namespace triggerd::load
