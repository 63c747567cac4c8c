// A publish of 1 KiB at the door, beside the library that does the work.
//
//   parse   RequestParser with the check of the head and a request to take away; floor: bare llhttp
//   json    read_events: validated, content cut out and put together; floor: a simdjson DOM parse
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <llhttp.h>
#include <simdjson.h>

#include "api/event_reader.h"
#include "api/request_parser.h"
#include "bench/micro/beside.h"
#include "engine/base/random.h"

namespace {

using triggerd::api::RequestParser;

constexpr std::size_t kBodyBytes = 1024;

std::string publish_body() {
  std::string content;
  for (int i = 0; content.size() < kBodyBytes - 128; ++i) {
    content += fmt::format(R"({}"attribute_{}":"value {} of this event")", i == 0 ? "" : ",", i, i);
  }
  return fmt::format(R"({{"event_id":"0192f0c4-0000-7000-8000-000000000001",)"
                     R"("event_name":"AuthenticationSucceeded_v1","content":{{{}}}}})",
                     content);
}

std::string publish_request() {
  const std::string body = publish_body();
  return fmt::format(
      "POST /organizations/events HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"
      "SlashID-OrgID: 0192f0c4-0000-7000-8000-000000000001\r\n"
      "SlashID-API-Key: 0123456789abcdef0123456789abcdef0123456789a\r\n"
      "Content-Type: application/json\r\nAccept: */*\r\nContent-Length: {}\r\n\r\n{}",
      body.size(), body);
}

void parse(benchmark::State& state) {
  const std::string request = publish_request();
  const triggerd::api::ParserLimits limits;
  RequestParser parser(limits);
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  triggerd::bench::beside(
      state,
      [&] {
        std::string_view input = request;
        if (parser.feed(input) != RequestParser::Event::kHead) std::abort();
        parser.want_body(4 * kBodyBytes);
        if (parser.feed(input) != RequestParser::Event::kRequest) std::abort();
        benchmark::DoNotOptimize(parser.take_request());
      },
      [&] {
        llhttp_t bare;
        llhttp_init(&bare, HTTP_REQUEST, &settings);
        if (llhttp_execute(&bare, request.data(), request.size()) != HPE_OK) std::abort();
        benchmark::DoNotOptimize(bare);
      });
}
BENCHMARK(parse);

void json(benchmark::State& state) {
  std::string body = publish_body();
  body.reserve(body.size() + triggerd::api::kJsonPadding);
  triggerd::base::SeededRandom random(1);
  const triggerd::api::EventDefaults defaults{{}, {}, random, {}};
  const simdjson::padded_string padded(body);
  simdjson::dom::parser dom;
  triggerd::bench::beside(
      state,
      [&] {
        std::vector<triggerd::model::NewEvent> events;
        if (!triggerd::api::read_events(body, defaults, events).empty()) std::abort();
        benchmark::DoNotOptimize(events);
      },
      [&] {
        const auto document = dom.parse(padded);
        if (document.error() != simdjson::SUCCESS) std::abort();
        benchmark::DoNotOptimize(document);
      });
}
BENCHMARK(json);

}  // namespace
