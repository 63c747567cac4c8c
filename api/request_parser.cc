#include "api/request_parser.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <string>
#include <utility>

#include "engine/base/assert.h"

namespace triggerd::api {
namespace {

// Reserved for a body before its bytes have come: a client that announces much and sends nothing
// must not cost much.
constexpr std::size_t kBodyReservedMax = std::size_t{64} * 1024;

constexpr Refusal kDisagreement = {400, "the request is not well formed"};

int llhttp_method_of(Method method) {
  switch (method) {
    case Method::kGet:
      return HTTP_GET;
    case Method::kHead:
      return HTTP_HEAD;
    case Method::kPost:
      return HTTP_POST;
    case Method::kPut:
      return HTTP_PUT;
    case Method::kPatch:
      return HTTP_PATCH;
    case Method::kDelete:
      return HTTP_DELETE;
    case Method::kOptions:
      return HTTP_OPTIONS;
    case Method::kTrace:
      return HTTP_TRACE;
  }
  return -1;
}

}  // namespace

// What llhttp calls. A value other than 0 makes it refuse.
struct RequestParser::Callbacks {
  static RequestParser& self(llhttp_t* llhttp) {
    return *static_cast<RequestParser*>(llhttp->data);
  }

  static int on_url(llhttp_t* llhttp, const char* at, std::size_t size) {
    self(llhttp).request_.target.append(at, size);
    return 0;
  }
  static int on_field(llhttp_t* llhttp, const char* at, std::size_t size) {
    auto& fields = self(llhttp).request_.fields;
    fields.push_back({std::string(at, size), {}});
    return 0;
  }
  static int on_value(llhttp_t* llhttp, const char* at, std::size_t size) {
    self(llhttp).request_.fields.back().value.append(at, size);
    return 0;
  }
  static int on_headers_complete(llhttp_t* llhttp) {
    RequestParser& parser = self(llhttp);
    const HeadFacts& facts = parser.facts();
    const bool chunked = (llhttp->flags & F_CHUNKED) != 0;
    const bool agrees = chunked == facts.chunked && llhttp->content_length == facts.length &&
                        llhttp->method == llhttp_method_of(facts.method);
    parser.head_parsed_ = agrees;
    // Upgrade is not taken up here: the body is framed as declared, and nothing pauses.
    llhttp->upgrade = 0;
    return agrees ? 0 : -1;
  }
  static int on_body(llhttp_t* llhttp, const char* at, std::size_t size) {
    RequestParser& parser = self(llhttp);
    if (parser.body_ == Body::kKeep) parser.request_.body.append(at, size);
    if (parser.body_ == Body::kStream) parser.body_piece_ = {at, size};
    return 0;
  }
  static int on_message_complete(llhttp_t* llhttp) {
    self(llhttp).message_parsed_ = true;
    return 0;
  }

  static const llhttp_settings_t& settings() {
    static const llhttp_settings_t all = [] {
      llhttp_settings_t settings;
      llhttp_settings_init(&settings);
      settings.on_url = &on_url;
      settings.on_header_field = &on_field;
      settings.on_header_value = &on_value;
      settings.on_headers_complete = &on_headers_complete;
      settings.on_body = &on_body;
      settings.on_message_complete = &on_message_complete;
      return settings;
    }();
    return all;
  }
};

RequestParser::RequestParser(const ParserLimits& limits)
    : head_(limits), chunks_(limits), limits_(limits) {}

RequestParser::Event RequestParser::refuse(Refusal refusal) {
  refusal_ = refusal;
  phase_ = Phase::kDead;
  return Event::kRefused;
}

bool RequestParser::parse(std::string_view text) {
  return llhttp_execute(&llhttp_, text.data(), text.size()) == HPE_OK;
}

RequestParser::Event RequestParser::feed(std::string_view& input) {
  switch (phase_) {
    case Phase::kHead:
      return feed_head(input);
    case Phase::kBody:
      if (message_parsed_) return end_request();
      return facts().chunked ? feed_chunked(input) : feed_sized(input);
    case Phase::kDecide:
    case Phase::kDone:
    case Phase::kDead:
      break;
  }
  // kHead and kRequest must have been answered by a call.
  TRIGGERD_ASSERT(phase_ == Phase::kDead);
  return Event::kRefused;
}

RequestParser::Event RequestParser::feed_head(std::string_view& input) {
  switch (head_.feed(input)) {
    case HeadCheck::State::kMore:
      return Event::kMore;
    case HeadCheck::State::kRefused:
      return refuse(head_.refusal());
    case HeadCheck::State::kComplete:
      break;
  }
  // A new llhttp for each request: nothing of the last one can linger.
  llhttp_init(&llhttp_, HTTP_REQUEST, &Callbacks::settings());
  llhttp_.data = this;
  head_parsed_ = message_parsed_ = false;
  request_ = HttpRequest();
  request_.method = facts().method;
  body_bytes_ = 0;
  if (!parse(head_.bytes()) || !head_parsed_ || message_parsed_ == has_body()) {
    return refuse(kDisagreement);
  }
  const std::string_view target = origin_form(request_.target);
  if (target.size() != request_.target.size()) {
    request_.target = (target.empty() || target.front() == '?' ? "/" : "") + std::string(target);
  }
  for (HttpField& field : request_.fields) {
    const std::size_t end = field.value.find_last_not_of(' ');
    field.value.resize(end == std::string::npos ? 0 : end + 1);
  }
  phase_ = Phase::kDecide;
  return Event::kHead;
}

void RequestParser::choose(Body body, std::uint64_t bytes_max) {
  TRIGGERD_ASSERT(phase_ == Phase::kDecide);
  body_ = body;
  body_bytes_max_ = bytes_max;
  phase_ = Phase::kBody;
  chunks_.restart();
  if (body == Body::kKeep && has_body() && facts().length <= bytes_max) {
    const auto length = static_cast<std::size_t>(facts().length);
    request_.body.reserve(std::min(length, kBodyReservedMax) + kJsonPadding);
  }
}

void RequestParser::want_body(std::size_t bytes_max) {
  choose(Body::kKeep, bytes_max);
}

void RequestParser::stream_body() {
  choose(Body::kStream, std::numeric_limits<std::uint64_t>::max());
}

void RequestParser::drop_body() {
  choose(Body::kDrop, limits_.dropped_body_bytes);
}

RequestParser::Event RequestParser::feed_sized(std::string_view& input) {
  if (facts().length > body_bytes_max_) return refuse({413, "the body is too large"});
  if (input.empty()) return Event::kMore;
  const std::uint64_t left = facts().length - body_bytes_;
  const std::string_view piece =
      input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left, input.size())));
  input.remove_prefix(piece.size());
  body_bytes_ += piece.size();
  if (!parse(piece) || message_parsed_ != (body_bytes_ == facts().length)) {
    return refuse(kDisagreement);
  }
  if (body_ == Body::kStream) return Event::kBody;  // its end is told by the next call
  return message_parsed_ ? end_request() : Event::kMore;
}

RequestParser::Event RequestParser::feed_chunked(std::string_view& input) {
  for (;;) {
    bool parsed = true;
    const ChunkCheck::Piece piece = chunks_.feed(input);
    switch (piece) {
      case ChunkCheck::Piece::kMore:
        return Event::kMore;
      case ChunkCheck::Piece::kRefused:
        return refuse(chunks_.refusal());
      case ChunkCheck::Piece::kSize: {
        if (chunks_.chunk_bytes() > body_bytes_max_ - body_bytes_) {
          return refuse({413, "the body is too large"});
        }
        std::array<char, 24> line{};
        const int size = std::snprintf(line.data(), line.size(), "%llx\r\n",
                                       static_cast<unsigned long long>(chunks_.chunk_bytes()));
        parsed = parse({line.data(), static_cast<std::size_t>(size)});
        break;
      }
      case ChunkCheck::Piece::kData:
        body_bytes_ += chunks_.data().size();
        parsed = parse(chunks_.data());
        break;
      case ChunkCheck::Piece::kDataEnd:
        parsed = parse("\r\n");
        break;
      case ChunkCheck::Piece::kEnd:
        parsed = parse("0\r\n\r\n");
        break;
    }
    const bool ended = piece == ChunkCheck::Piece::kEnd;
    if (!parsed || message_parsed_ != ended) return refuse(kDisagreement);
    if (ended) return end_request();
    if (piece == ChunkCheck::Piece::kData && body_ == Body::kStream) return Event::kBody;
  }
}

RequestParser::Event RequestParser::end_request() {
  phase_ = Phase::kDone;
  request_.body.reserve(request_.body.size() + kJsonPadding);
  return Event::kRequest;
}

HttpRequest RequestParser::take_request() {
  TRIGGERD_ASSERT(phase_ == Phase::kDone);
  phase_ = Phase::kHead;
  head_.restart();
  return std::exchange(request_, HttpRequest());
}

}  // namespace triggerd::api
