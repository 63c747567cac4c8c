#include "api/request_parser.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tests/api/http/exchange_cases.h"

namespace triggerd::api {
namespace {

// What came of some bytes.
struct Outcome {
  std::vector<int> statuses;
  std::vector<std::string> targets;
  std::vector<std::string> bodies;
  std::vector<HttpField> fields;  // of the last head
  std::string message;            // of the refusal
  bool open = true;
  bool begun = false;
};

constexpr std::size_t kBodyBytesMax = 1024;

// Drives a parser as a connection does whose handler answers everything with 200.
class ParserDriver {
 public:
  explicit ParserDriver(ParserLimits limits = {}) : limits_(limits), parser_(limits_) {}

  void feed(std::string_view input) {
    while (outcome_.open) {
      const RequestParser::Event event = parser_.feed(input);
      if (event == RequestParser::Event::kMore) break;
      if (event == RequestParser::Event::kHead) {
        outcome_.targets.push_back(parser_.head().target);
        outcome_.fields = parser_.head().fields;
        parser_.want_body(kBodyBytesMax);
      } else if (event == RequestParser::Event::kRequest) {
        const bool keep_alive = parser_.facts().keep_alive;
        HttpRequest request = parser_.take_request();
        EXPECT_GE(request.body.capacity(), request.body.size() + kJsonPadding);
        outcome_.statuses.push_back(200);
        outcome_.bodies.push_back(request.body);
        outcome_.open = keep_alive;
      } else {
        outcome_.statuses.push_back(parser_.refusal().status);
        outcome_.message = parser_.refusal().message;
        outcome_.open = false;
      }
    }
    outcome_.begun = parser_.begun();
  }
  [[nodiscard]] const Outcome& outcome() const { return outcome_; }

 private:
  ParserLimits limits_;
  RequestParser parser_;
  Outcome outcome_;
};

Outcome parse_whole(std::string_view bytes, ParserLimits limits = {}) {
  ParserDriver driver(limits);
  driver.feed(bytes);
  return driver.outcome();
}

Outcome parse_in_pieces(std::string_view bytes, std::size_t piece_bytes) {
  ParserDriver driver;
  for (std::size_t i = 0; i < bytes.size(); i += piece_bytes) {
    driver.feed(bytes.substr(i, piece_bytes));
  }
  return driver.outcome();
}

// What the parser says when its checks let through what llhttp then refuses, or the two disagree
// about the end of a message. Then the verdict would depend on llhttp's version.
const char* const kDisagreement = "the request is not well formed";

const std::string kGet = "GET /x HTTP/1.1\r\nHost: a\r\n";

TEST(RequestParser, CasesComeOutAsListedWholeAndInPieces) {
  std::size_t count = 0;
  for (const ExchangeCase& c : exchange_cases()) {
    if (c.socket_only) continue;
    ++count;
    SCOPED_TRACE(c.name);
    const Outcome whole = parse_whole(c.bytes);
    EXPECT_EQ(whole.statuses, c.statuses) << whole.message;
    EXPECT_EQ(whole.open, c.after != ExchangeCase::After::kClosed) << whole.message;
    EXPECT_EQ(std::count(whole.targets.begin(), whole.targets.end(), "/smuggled"), 0);
    EXPECT_NE(whole.message, kDisagreement);
    for (const std::size_t piece_bytes : {1U, 2U, 7U}) {
      const Outcome pieces = parse_in_pieces(c.bytes, piece_bytes);
      EXPECT_EQ(pieces.statuses, whole.statuses) << piece_bytes;
      EXPECT_EQ(pieces.open, whole.open) << piece_bytes;
      EXPECT_EQ(pieces.targets, whole.targets) << piece_bytes;
      EXPECT_EQ(pieces.bodies, whole.bodies) << piece_bytes;
      EXPECT_EQ(pieces.message, whole.message) << piece_bytes;
    }
  }
  EXPECT_GE(count, 150U);
}

TEST(RequestParser, CutsAnywhereGiveTheSame) {
  const std::string bytes =
      "\r\nPOST /a?b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;e\r\nabc\r\n0\r\nT: u\r\n\r\n" +
      kGet + "Content-Length: 2\r\n\r\nhi";
  const Outcome whole = parse_whole(bytes);
  EXPECT_EQ(whole.bodies, (std::vector<std::string>{"abc", "hi"}));
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    ParserDriver driver;
    driver.feed(std::string_view(bytes).substr(0, cut));
    driver.feed(std::string_view(bytes).substr(cut));
    EXPECT_EQ(driver.outcome().bodies, whole.bodies) << cut;
    EXPECT_EQ(driver.outcome().statuses, whole.statuses) << cut;
  }
}

// Bytes of a listed case are overwritten, removed or doubled.
RC_GTEST_PROP(RequestParser, MutatedCasesNeitherDependOnCutsNorSplitTheParsers, ()) {
  static const std::vector<ExchangeCase> cases = exchange_cases();
  static const std::string alphabet("\0\t\n\r \v\x7f\x80\xff\"#%,-./0178:;?AXaegx\\", 30);
  std::string bytes = cases[*rc::gen::inRange<std::size_t>(0, cases.size())].bytes;
  RC_PRE(!bytes.empty() && bytes.size() < 5000);
  const int changes = *rc::gen::inRange(1, 6);
  for (int i = 0; i < changes && !bytes.empty(); ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
    const int kind = *rc::gen::inRange(0, 4);
    if (kind == 0) bytes.erase(at, 1);
    if (kind == 1) bytes.insert(at, 1, *rc::gen::elementOf(alphabet));
    if (kind == 2) bytes[at] = *rc::gen::elementOf(alphabet);
    if (kind == 3) bytes.insert(at, bytes.substr(at, *rc::gen::inRange<std::size_t>(1, 40)));
  }
  const Outcome whole = parse_whole(bytes);
  const Outcome pieces = parse_in_pieces(bytes, *rc::gen::inRange<std::size_t>(1, 9));
  RC_ASSERT(pieces.statuses == whole.statuses);
  RC_ASSERT(pieces.targets == whole.targets);
  RC_ASSERT(pieces.bodies == whole.bodies);
  RC_ASSERT(pieces.message == whole.message);
  RC_ASSERT(whole.message != kDisagreement);
}

TEST(RequestParser, FieldsComeTrimmedAndAsSent) {
  const Outcome outcome = parse_whole(kGet + "X-Abc: \t a\tb \t\r\nEmpty:\t\r\n\r\n");
  ASSERT_EQ(outcome.fields.size(), 3U);
  EXPECT_EQ(outcome.fields[0].name, "Host");
  EXPECT_EQ(outcome.fields[1].name, "X-Abc");
  EXPECT_EQ(outcome.fields[1].value, "a\tb");
  EXPECT_EQ(outcome.fields[2].value, "");
}

TEST(RequestParser, AbsoluteFormsBecomePathAndQuery) {
  const auto target = [](const std::string& sent) {
    const Outcome outcome = parse_whole("GET " + sent + " HTTP/1.1\r\nHost: a\r\n\r\n");
    return outcome.targets.empty() ? outcome.message : outcome.targets.front();
  };
  EXPECT_EQ(target("http://a/x?y"), "/x?y");
  EXPECT_EQ(target("http://a"), "/");
  EXPECT_EQ(target("http://a?y"), "/?y");
  EXPECT_EQ(target("HTTPS://A:443/x"), "/x");
  EXPECT_EQ(target("/http://b/"), "/http://b/");
}

TEST(RequestParser, BegunIsSaidFromTheFirstByteToTheLast) {
  ParserDriver driver;
  driver.feed("\r\n");
  EXPECT_FALSE(driver.outcome().begun);
  driver.feed("P");
  EXPECT_TRUE(driver.outcome().begun);
  driver.feed("OST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
  EXPECT_TRUE(driver.outcome().begun);
  driver.feed("x");
  EXPECT_FALSE(driver.outcome().begun);
}

TEST(RequestParserLimits, RequestLine) {
  const auto line = [](std::size_t bytes) {
    const std::string around = "GET / HTTP/1.1";
    return parse_whole("GET /" + std::string(bytes - around.size(), 'x') +
                       " HTTP/1.1\r\nHost: a\r\n\r\n");
  };
  EXPECT_EQ(line(8192).statuses, std::vector<int>{200});
  EXPECT_EQ(line(8193).statuses, std::vector<int>{414});
}

TEST(RequestParserLimits, FieldBytes) {
  const auto fields = [](std::size_t bytes) {
    const std::string around = "Host: a\r\nX: \r\n";
    return parse_whole(
        "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(bytes - around.size(), 'x') + "\r\n\r\n");
  };
  EXPECT_EQ(fields(32768).statuses, std::vector<int>{200});
  EXPECT_EQ(fields(32769).statuses, std::vector<int>{431});
  EXPECT_EQ(fields(32770).statuses, std::vector<int>{431});
  EXPECT_EQ(fields(32771).statuses, std::vector<int>{431});
}

TEST(RequestParserLimits, FieldCount) {
  const auto fields = [](int count) {
    std::string bytes = kGet;
    for (int i = 1; i < count; ++i) bytes += "X: a\r\n";
    return parse_whole(bytes + "\r\n");
  };
  EXPECT_EQ(fields(100).statuses, std::vector<int>{200});
  EXPECT_EQ(fields(101).statuses, std::vector<int>{431});
}

TEST(RequestParserLimits, ChunkExtensionsOfOneMessage) {
  const auto extensions = [](std::size_t bytes) {
    return parse_whole("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
                       std::string(bytes - 1, 'e') + "\r\na\r\n0;e\r\n\r\n" + kGet + "\r\n");
  };
  EXPECT_EQ(extensions(4096).statuses, (std::vector<int>{200, 200}));
  EXPECT_EQ(extensions(4097).statuses, std::vector<int>{400});
}

TEST(RequestParserLimits, Trailers) {
  const auto trailers = [](std::size_t bytes) {
    return parse_whole("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX:" +
                       std::string(bytes - 2, 't') + "\r\n\r\n");
  };
  EXPECT_EQ(trailers(8192).statuses, std::vector<int>{200});
  EXPECT_EQ(trailers(8193).statuses, std::vector<int>{431});
}

TEST(RequestParserLimits, DroppedBody) {
  const auto drop = [](std::size_t bytes) {
    const ParserLimits limits;
    RequestParser parser(limits);
    const std::string sent =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" +
        std::string(bytes, 'x');
    std::string_view input = sent;
    EXPECT_EQ(parser.feed(input), RequestParser::Event::kHead);
    parser.drop_body();
    const RequestParser::Event event = parser.feed(input);
    if (event != RequestParser::Event::kRequest) return parser.refusal().status;
    EXPECT_EQ(parser.body_bytes(), bytes);
    EXPECT_EQ(parser.take_request().body, "");
    return 0;
  };
  EXPECT_EQ(drop(65536), 0);
  EXPECT_EQ(drop(65537), 413);
}

TEST(RequestParser, AnAnnouncedBodyCostsNothingBeforeItComes) {
  const ParserLimits limits;
  RequestParser parser(limits);
  const std::string sent = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n";
  std::string_view input = sent;
  ASSERT_EQ(parser.feed(input), RequestParser::Event::kHead);
  parser.want_body(4'194'304);
  ASSERT_EQ(parser.feed(input), RequestParser::Event::kMore);
  EXPECT_LE(parser.head().body.capacity(), 70'000U);
}

}  // namespace
}  // namespace triggerd::api
