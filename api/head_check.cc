#include "api/head_check.h"

#include <algorithm>
#include <array>
#include <limits>

#include "engine/base/assert.h"
#include "engine/model/network.h"

namespace triggerd::api {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
constexpr bool is_ows(char c) {
  return c == ' ' || c == '\t';
}
constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
bool is_one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

// Bytes that a line may hold; CR and LF are looked at apart.
constexpr std::array<bool, 256> kLineBytes = [] {
  std::array<bool, 256> plain{};
  for (std::size_t i = 0; i < plain.size(); ++i) plain[i] = (i >= 0x20 && i != 0x7f) || i == '\t';
  return plain;
}();

// Of a request line: no tab and nothing beyond ASCII either.
constexpr std::array<bool, 256> kRequestLineBytes = [] {
  std::array<bool, 256> plain{};
  for (std::size_t i = 0x20; i < 0x7f; ++i) plain[i] = true;
  return plain;
}();

struct NamedMethod {
  std::string_view name;
  Method method;
};
constexpr std::array<NamedMethod, 8> kMethods = {{{"GET", Method::kGet},
                                                  {"HEAD", Method::kHead},
                                                  {"POST", Method::kPost},
                                                  {"PUT", Method::kPut},
                                                  {"PATCH", Method::kPatch},
                                                  {"DELETE", Method::kDelete},
                                                  {"OPTIONS", Method::kOptions},
                                                  {"TRACE", Method::kTrace}}};

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_ows(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_ows(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the first element off a comma-separated list, without the blanks around it.
std::string_view next_element(std::string_view& list) {
  const std::size_t comma = list.find(',');
  const std::string_view element = trim(list.substr(0, comma));
  list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  return element;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_byte);
}

// Why a path and query cannot be taken, or nullptr.
const char* fault_of_target(std::string_view target) {
  for (std::size_t i = 0; i < target.size(); ++i) {
    const char c = target[i];
    if (c == '#') return "the target must not have a fragment";
    if (c == '\\') return "the target must not have a backslash";
    if (c != '%') continue;
    if (i + 2 >= target.size() || !is_hex(target[i + 1]) || !is_hex(target[i + 2])) {
      return "'%' in the target must be followed by two hexadecimal digits";
    }
    if (target[i + 1] == '0' && target[i + 2] == '0') return "the target must not have %00";
  }
  return nullptr;
}

// Where the authority of an absolute-form target begins, or 0.
std::size_t authority_of(std::string_view target) {
  for (const std::string_view scheme :
       {std::string_view("http://"), std::string_view("https://")}) {
    if (same_text(target.substr(0, scheme.size()), scheme)) return scheme.size();
  }
  return 0;
}

// Host and port; an absent or empty port is the scheme's.
struct Authority {
  std::string_view host;
  std::string_view port;
};
Authority split_authority(std::string_view text, bool https) {
  const std::size_t colon = text.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && text.find(']', colon) == std::string_view::npos;
  Authority authority{text.substr(0, has_port ? colon : text.size()),
                      has_port ? text.substr(colon + 1) : std::string_view()};
  while (authority.port.size() > 1 && authority.port.front() == '0')
    authority.port.remove_prefix(1);
  if (authority.port.empty()) authority.port = https ? "443" : "80";
  return authority;
}

}  // namespace

bool is_token_byte(char c) {
  return is_alpha(c) || is_digit(c) || is_one_of(c, "!#$%&'*+-.^_`|~");
}

bool is_field_byte(char c) {
  return kLineBytes[static_cast<unsigned char>(c)];
}

bool same_text(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

bool is_host_and_port(std::string_view text) {
  std::string_view rest;
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    const auto address = model::IpAddress::parse(text.substr(1, close - 1));
    if (!address || address->v4) return false;
    rest = text.substr(close + 1);
  } else {
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    if (name.empty()) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
      const char c = name[i];
      if (is_alpha(c) || is_digit(c) || is_one_of(c, "-._~!$&'()*+,;=")) continue;
      if (c != '%' || i + 2 >= name.size() || !is_hex(name[i + 1]) || !is_hex(name[i + 2])) {
        return false;
      }
    }
    rest = text.substr(name.size());
  }
  if (rest.empty()) return true;
  if (rest.front() != ':') return false;
  rest.remove_prefix(1);
  unsigned port = 0;
  for (const char c : rest) {
    if (!is_digit(c)) return false;
    port = port * 10 + static_cast<unsigned>(c - '0');
    if (port > 65535) return false;
  }
  return true;
}

std::string_view origin_form(std::string_view target) {
  const std::size_t authority = authority_of(target);
  if (authority == 0) return target;
  const std::size_t end = target.find_first_of("/?", authority);
  return end == std::string_view::npos ? std::string_view() : target.substr(end);
}

void HeadCheck::restart() {
  std::string kept = std::move(bytes_);
  kept.clear();
  line_begin_ = fields_begin_ = field_count_ = 0;
  authority_begin_ = authority_bytes_ = host_begin_ = host_bytes_ = 0;
  facts_ = HeadFacts();
  leading_crlfs_ = 0;
  after_cr_ = absolute_ = has_host_ = says_close_ = says_keep_alive_ = https_ = false;
  bytes_ = std::move(kept);
}

void HeadCheck::release_memory() {
  TRIGGERD_ASSERT(bytes_.empty());
  bytes_.shrink_to_fit();
}

HeadCheck::State HeadCheck::refuse(int status, const char* message) {
  refusal_ = {status, message};
  return State::kRefused;
}

// Bytes that may still come before a limit of size is passed.
std::size_t HeadCheck::room() const {
  return fields_begin_ == 0 ? limits_.request_line_bytes - (bytes_.size() - line_begin_)
                            : limits_.fields_bytes - (bytes_.size() - fields_begin_);
}

HeadCheck::State HeadCheck::over_limit() {
  return fields_begin_ == 0 ? refuse(414, "the request line is too long")
                            : refuse(431, "the header fields are too long");
}

HeadCheck::State HeadCheck::feed(std::string_view& input) {
  while (!input.empty()) {
    if (after_cr_) {
      if (input.front() != '\n') return refuse(400, "CR without LF in the head");
      input.remove_prefix(1);
      after_cr_ = false;
      if (bytes_.empty()) {
        if (++leading_crlfs_ > limits_.leading_crlfs) {
          return refuse(400, "too many empty lines before the request");
        }
        continue;
      }
      const State state = end_line();
      if (state != State::kMore) return state;
      continue;
    }
    const auto& plain = fields_begin_ == 0 ? kRequestLineBytes : kLineBytes;
    const std::size_t most = std::min(input.size(), room());
    std::size_t taken = 0;
    while (taken < most && plain[static_cast<unsigned char>(input[taken])]) ++taken;
    bytes_.append(input.substr(0, taken));
    input.remove_prefix(taken);
    if (input.empty()) break;
    const char c = input.front();
    if (c == '\r') {
      after_cr_ = true;
      input.remove_prefix(1);
    } else if (c == '\n') {
      return refuse(400, "LF without CR in the head");
    } else if (plain[static_cast<unsigned char>(c)]) {
      return over_limit();
    } else {
      return refuse(400, fields_begin_ == 0 ? "forbidden byte in the request line"
                                            : "forbidden byte in a header field");
    }
  }
  return State::kMore;
}

// Called behind the CRLF of a line; the line stands at the end of bytes_, without CRLF.
HeadCheck::State HeadCheck::end_line() {
  const std::size_t begin = line_begin_;
  const bool in_fields = fields_begin_ != 0;
  State state = State::kMore;
  if (!in_fields) {
    state = end_request_line(bytes_);
  } else if (begin == bytes_.size()) {
    bytes_ += "\r\n";
    return end_head();
  } else {
    state = end_field(begin);
  }
  if (state != State::kMore) return state;
  bytes_ += "\r\n";
  line_begin_ = bytes_.size();
  if (!in_fields) {
    fields_begin_ = line_begin_;
  } else if (bytes_.size() - fields_begin_ > limits_.fields_bytes) {
    return over_limit();
  }
  return State::kMore;
}

HeadCheck::State HeadCheck::end_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos || line.find(' ', second + 1) != std::string_view::npos) {
    return refuse(400, "the request line must be METHOD TARGET HTTP/1.1 with single spaces");
  }
  const std::string_view method = line.substr(0, first);
  std::string_view target = line.substr(first + 1, second - first - 1);
  const std::string_view version = line.substr(second + 1);
  if (!is_token(method)) return refuse(400, "the method is not a token");
  if (target.empty()) return refuse(400, "the target is empty");
  if (version.size() != 8 || version.substr(0, 5) != "HTTP/" || !is_digit(version[5]) ||
      version[6] != '.' || !is_digit(version[7])) {
    return refuse(400, "the request line must end in HTTP/1.1 or HTTP/1.0");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  }
  facts_.minor_version = version.back() == '1' ? 1 : 0;
  const auto* known = std::find_if(kMethods.begin(), kMethods.end(),
                                   [method](const NamedMethod& m) { return m.name == method; });
  if (known == kMethods.end()) {
    return refuse(501, "the method must be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS");
  }
  facts_.method = known->method;
  if (const char* fault = fault_of_target(target)) return refuse(400, fault);
  if (target.front() == '/') return State::kMore;
  const std::size_t authority = authority_of(target);
  if (authority == 0) {
    return refuse(400, "the target must be a path that begins with '/', or an absolute http URL");
  }
  const std::size_t end = std::min(target.find_first_of("/?", authority), target.size());
  absolute_ = true;
  https_ = lower(target[4]) == 's';
  authority_begin_ = first + 1 + authority;
  authority_bytes_ = end - authority;
  if (!is_host_and_port(target.substr(authority, end - authority))) {
    return refuse(400, "the host of the target is not valid");
  }
  return State::kMore;
}

HeadCheck::State HeadCheck::end_field(std::size_t begin) {
  const std::string_view line = std::string_view(bytes_).substr(begin);
  if (is_ows(line.front())) return refuse(400, "header fields must not be folded over lines");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return refuse(400, "a header field has no ':'");
  const std::string_view name = line.substr(0, colon);
  if (!is_token(name)) {
    return refuse(400, "the name of a header field must be a token directly followed by ':'");
  }
  if (++field_count_ > limits_.fields) return refuse(431, "too many header fields");
  for (std::size_t i = begin + colon + 1; i < bytes_.size() && is_ows(bytes_[i]); ++i) {
    bytes_[i] = ' ';
  }
  for (std::size_t i = bytes_.size(); i > begin + colon + 1 && is_ows(bytes_[i - 1]); --i) {
    bytes_[i - 1] = ' ';
  }
  return note_field(name, trim(line.substr(colon + 1)));
}

HeadCheck::State HeadCheck::note_field(std::string_view name, std::string_view value) {
  if (same_text(name, "host")) return note_host(value);
  if (same_text(name, "content-length")) return note_length(value);
  if (same_text(name, "transfer-encoding")) return note_transfer_encoding(value);
  if (same_text(name, "content_length") || same_text(name, "transfer_encoding")) {
    // Gateways that turn '_' into '-' would frame the message by it.
    return refuse(400, "header field names that look like a framing field are not taken");
  }
  if (same_text(name, "connection")) {
    while (!value.empty()) {
      const std::string_view option = next_element(value);
      says_close_ = says_close_ || same_text(option, "close");
      says_keep_alive_ = says_keep_alive_ || same_text(option, "keep-alive");
    }
  } else if (same_text(name, "expect") && facts_.minor_version == 1) {
    if (!same_text(value, "100-continue")) return refuse(417, "Expect must be 100-continue");
    facts_.expects_continue = true;
  }
  return State::kMore;
}

HeadCheck::State HeadCheck::note_host(std::string_view value) {
  if (has_host_) return refuse(400, "Host must be sent once");
  has_host_ = true;
  host_begin_ = static_cast<std::size_t>(value.data() - bytes_.data());
  host_bytes_ = value.size();
  if (!is_host_and_port(value)) return refuse(400, "Host must be a host with an optional port");
  return State::kMore;
}

HeadCheck::State HeadCheck::note_length(std::string_view value) {
  if (facts_.has_length) return refuse(400, "Content-Length must be sent once");
  if (value.empty() || !std::all_of(value.begin(), value.end(), is_digit)) {
    return refuse(400, "Content-Length must be digits");
  }
  if (value.size() > 1 && value.front() == '0') {
    return refuse(400, "Content-Length must not begin with 0");
  }
  // 18 digits are below 2^63: beyond them there is nothing to read.
  if (value.size() > 18) return refuse(413, "the body is too large");
  facts_.has_length = true;
  for (const char c : value) {
    facts_.length = facts_.length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return State::kMore;
}

HeadCheck::State HeadCheck::note_transfer_encoding(std::string_view value) {
  if (facts_.minor_version == 0) {
    return refuse(400, "Transfer-Encoding does not exist in HTTP/1.0");
  }
  if (facts_.chunked) return refuse(400, "Transfer-Encoding must be sent once");
  if (same_text(value, "chunked")) {
    facts_.chunked = true;
    return State::kMore;
  }
  // A list of codings that ends in one chunked is well formed, only not understood; so is one that
  // has none. Everything else leaves the end of the message open.
  bool chunked_seen = false;
  do {
    const std::string_view coding = next_element(value);
    if (!is_token(coding)) return refuse(400, "Transfer-Encoding must be 'chunked'");
    if (chunked_seen) return refuse(400, "'chunked' must be the last transfer coding, once");
    chunked_seen = same_text(coding, "chunked");
  } while (!value.empty());
  return refuse(501, "no transfer coding but 'chunked' is understood");
}

HeadCheck::State HeadCheck::end_head() {
  if (facts_.chunked && facts_.has_length) {
    return refuse(400, "Content-Length and Transfer-Encoding must not be sent together");
  }
  if (!has_host_ && facts_.minor_version == 1) return refuse(400, "Host is missing");
  if (absolute_ && has_host_) {
    const std::string_view all(bytes_);
    const Authority named = split_authority(all.substr(authority_begin_, authority_bytes_), https_);
    const Authority host = split_authority(all.substr(host_begin_, host_bytes_), https_);
    if (!same_text(named.host, host.host) || named.port != host.port) {
      return refuse(400, "Host differs from the host of the target");
    }
  }
  facts_.keep_alive = !says_close_ && (facts_.minor_version == 1 || says_keep_alive_);
  return State::kComplete;
}

}  // namespace triggerd::api
