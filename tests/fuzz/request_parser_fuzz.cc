// HTTP requests: the parser against itself, fed in other pieces, and against a plain reading of
// where each message that it takes must end. The first two bytes say where the bytes are cut, the
// third which bodies are dropped.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/request_parser.h"
#include "engine/base/assert.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

using triggerd::api::HttpField;
using triggerd::api::HttpRequest;
using triggerd::api::ParserLimits;
using triggerd::api::RequestParser;

constexpr std::size_t kBodyBytesMax = 1024;

// One message that was taken whole, and where it stood.
struct Taken {
  HttpRequest request;
  std::size_t begin = 0;
  std::size_t head_end = 0;
  std::size_t end = 0;
  bool chunked = false;
  bool dropped = false;
  std::uint64_t length = 0;
};

struct Outcome {
  std::vector<Taken> taken;
  std::size_t heads = 0;
  int status = 0;  // of the refusal
  std::string message;
  bool begun = false;
};

// Feeds as a connection does whose handler answers everything and never asks to close.
class Driver {
 public:
  explicit Driver(std::uint8_t dropped) : dropped_(dropped) {}

  void feed(std::string_view input) {
    const std::size_t end = fed_ + input.size();
    while (outcome_.status == 0) {
      const RequestParser::Event event = parser_.feed(input);
      fed_ = end - input.size();
      if (event == RequestParser::Event::kMore) {
        TRIGGERD_ASSERT(input.empty());
        break;
      }
      on_event(event);
    }
    fed_ = end;
    outcome_.begun = parser_.begun();
  }
  [[nodiscard]] const Outcome& outcome() const { return outcome_; }

 private:
  void on_event(RequestParser::Event event) {
    if (event == RequestParser::Event::kHead) {
      // No head without the request of the one before it.
      TRIGGERD_ASSERT(outcome_.heads == outcome_.taken.size());
      current_.head_end = fed_;
      current_.chunked = parser_.facts().chunked;
      current_.length = parser_.facts().length;
      current_.dropped = ((dropped_ >> (outcome_.heads++ % 8)) & 1) != 0;
      if (current_.dropped) {
        parser_.drop_body();
      } else {
        parser_.want_body(kBodyBytesMax);
      }
    } else if (event == RequestParser::Event::kRequest) {
      TRIGGERD_ASSERT(outcome_.heads == outcome_.taken.size() + 1);
      current_.end = fed_;
      current_.request = parser_.take_request();
      outcome_.taken.push_back(current_);
      current_ = Taken();
      current_.begin = fed_;
    } else {
      outcome_.status = parser_.refusal().status;
      outcome_.message = parser_.refusal().message;
      TRIGGERD_ASSERT(outcome_.status >= 400 && outcome_.status < 600);
    }
  }

  ParserLimits limits_;
  RequestParser parser_{limits_};
  Outcome outcome_;
  Taken current_;
  std::size_t fed_ = 0;
  std::uint8_t dropped_;
};

bool is_same(const HttpField& a, const HttpField& b) {
  return a.name == b.name && a.value == b.value;
}

bool is_same(const Taken& a, const Taken& b) {
  const HttpRequest& left = a.request;
  const HttpRequest& right = b.request;
  return a.begin == b.begin && a.head_end == b.head_end && a.end == b.end &&
         left.method == right.method && left.target == right.target && left.body == right.body &&
         std::equal(left.fields.begin(), left.fields.end(), right.fields.begin(),
                    right.fields.end(),
                    [](const HttpField& x, const HttpField& y) { return is_same(x, y); });
}

void check_same(const Outcome& a, const Outcome& b) {
  TRIGGERD_ASSERT(a.heads == b.heads && a.status == b.status && a.message == b.message);
  TRIGGERD_ASSERT(a.status != 0 || a.begun == b.begun);
  TRIGGERD_ASSERT(std::equal(a.taken.begin(), a.taken.end(), b.taken.begin(), b.taken.end(),
                             [](const Taken& x, const Taken& y) { return is_same(x, y); }));
}

// The value of the only field of this name in the bytes of a head, read line by line.
std::optional<std::string> field_of(std::string_view head, std::string_view lower_name) {
  std::optional<std::string> found;
  for (std::size_t begin = head.find("\r\n"); begin != std::string_view::npos;) {
    begin += 2;
    const std::size_t end = head.find("\r\n", begin);
    if (end == std::string_view::npos) break;
    std::string line(head.substr(begin, end - begin));
    begin = end;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    for (std::size_t i = 0; i < colon; ++i) {
      if (line[i] >= 'A' && line[i] <= 'Z') line[i] = static_cast<char>(line[i] - 'A' + 'a');
    }
    if (line.substr(0, colon) != lower_name) continue;
    TRIGGERD_ASSERT(!found);
    found = line.substr(colon + 1);
    found->erase(0, found->find_first_not_of(" \t"));
    found->erase(found->find_last_not_of(" \t") + 1);
  }
  return found;
}

// The body of a chunked message that takes up all of `bytes`. Fails the case when it does not.
std::string unchunked(std::string_view bytes) {
  std::string body;
  for (;;) {
    const std::size_t line_end = bytes.find("\r\n");
    TRIGGERD_ASSERT(line_end != std::string_view::npos && line_end > 0);
    std::size_t size = 0;
    for (const char c : bytes.substr(0, line_end)) {
      const bool digit = c >= '0' && c <= '9';
      const char letter = static_cast<char>(c | 0x20);
      if (!digit && (letter < 'a' || letter > 'f')) break;  // an extension
      size = size * 16 + static_cast<std::size_t>(digit ? c - '0' : letter - 'a' + 10);
      TRIGGERD_ASSERT(size <= bytes.size());
    }
    bytes.remove_prefix(line_end + 2);
    if (size == 0) break;
    body += bytes.substr(0, size);
    TRIGGERD_ASSERT(bytes.substr(size, 2) == "\r\n");
    bytes.remove_prefix(size + 2);
  }
  // Trailers, and the empty line behind them, at the very end.
  TRIGGERD_ASSERT(bytes == "\r\n" || bytes.find("\r\n\r\n") == bytes.size() - 4);
  return body;
}

void check_framing(std::string_view all, const Taken& taken) {
  std::string_view head = all.substr(taken.begin, taken.head_end - taken.begin);
  while (head.starts_with("\r\n")) head.remove_prefix(2);
  TRIGGERD_ASSERT(head.size() >= 4 && head.find("\r\n\r\n") == head.size() - 4);
  const std::string_view body = all.substr(taken.head_end, taken.end - taken.head_end);
  const auto length = field_of(head, "content-length");
  const auto encoding = field_of(head, "transfer-encoding");
  TRIGGERD_ASSERT(taken.chunked == encoding.has_value());
  if (encoding) {
    TRIGGERD_ASSERT(!length);
    const std::string plain = unchunked(body);
    TRIGGERD_ASSERT(taken.request.body == (taken.dropped ? "" : plain));
    return;
  }
  TRIGGERD_ASSERT(body.size() == taken.length);
  if (length) {
    TRIGGERD_ASSERT(length->find_first_not_of("0123456789") == std::string::npos);
    const std::size_t digits = std::min(length->find_first_not_of('0'), length->size());
    const std::string plain = length->substr(digits);
    TRIGGERD_ASSERT((plain.empty() ? "0" : plain) == std::to_string(body.size()));
  } else {
    TRIGGERD_ASSERT(body.empty());
  }
  TRIGGERD_ASSERT(taken.request.body == (taken.dropped ? "" : body));
}

Outcome parse(std::string_view text, std::size_t piece_bytes, std::uint8_t dropped) {
  Driver driver(dropped);
  for (std::size_t at = 0; at < text.size(); at += piece_bytes) {
    driver.feed(text.substr(at, piece_bytes));
  }
  return driver.outcome();
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  triggerd::fuzz::Input input(bytes, size);
  const std::size_t place = input.take_byte() * std::size_t{256} + input.take_byte();
  const std::uint8_t dropped = input.take_byte();
  const std::string_view text = input.rest();

  const Outcome whole = parse(text, std::max<std::size_t>(text.size(), 1), dropped);
  for (const Taken& taken : whole.taken) check_framing(text, taken);
  // The checks before llhttp are complete: it never has to refuse what they let through.
  TRIGGERD_ASSERT(whole.message != "the request is not well formed");

  Driver cut(dropped);
  cut.feed(text.substr(0, place % (text.size() + 1)));
  cut.feed(text.substr(place % (text.size() + 1)));
  check_same(whole, cut.outcome());
  check_same(whole, parse(text, 1, dropped));
  return 0;
}
