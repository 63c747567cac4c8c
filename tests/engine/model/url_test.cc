#include "engine/model/url.h"

#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <curl/curl.h>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "engine/model/limits.h"
#include "tests/engine/test_tables.h"

namespace triggerd::model {
namespace {

TargetPolicy policy_of(bool allow_http, const std::vector<std::string>& networks) {
  TargetPolicy policy;
  policy.allow_http = allow_http;
  for (const std::string& network : networks) {
    policy.allow_networks.push_back(Network::parse(network).value());
  }
  return policy;
}

// The policies that tests/data/target_urls.txt names.
const std::map<std::string, TargetPolicy>& policies() {
  static const std::map<std::string, TargetPolicy> all{
      {"default", policy_of(false, {})},
      {"http", policy_of(true, {})},
      {"private-https", policy_of(false, {"10.0.0.0/8:443"})},
      {"loopback", policy_of(true, {"127.0.0.0/8", "::1/128"})},
      {"dev", policy_of(true, {"127.0.0.0/8:18000-18999"})},
      {"private", policy_of(true, {"10.0.0.0/8"})},
      {"public",
       policy_of(true, {"93.184.216.0/24", "172.32.0.0/16", "100.128.0.0/16", "2606:2800::/32"})}};
  return all;
}

struct Case {
  std::size_t line = 0;
  std::string policy;
  bool accepted = false;
  std::string url;
  std::string expected;  // canonical form, or words of the message
};

std::vector<Case> read_cases() {
  std::vector<Case> cases;
  for (const test::TableLine& line : test::read_table("tests/data/target_urls.txt")) {
    std::string_view rest = line.text;
    test::take_word(rest);
    std::istringstream names(test::take_word(rest));
    Case one{line.number, "", test::take_word(rest) == "A", test::take_quoted(rest),
             std::string(rest)};
    while (std::getline(names, one.policy, ',')) cases.push_back(one);
  }
  return cases;
}

// What libcurl reads in a URL: host without brackets, port, path.
struct CurlView {
  std::string host;
  std::string port;
  std::string path;
};

std::optional<std::string> part_of(CURLU* url, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return std::nullopt;
  std::string copy(text);
  curl_free(text);
  return copy;
}

std::optional<CurlView> read_by_curl(const std::string& text) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> url(curl_url(), curl_url_cleanup);
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return std::nullopt;
  for (const CURLUPart absent : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY,
                                 CURLUPART_FRAGMENT, CURLUPART_ZONEID}) {
    if (part_of(url.get(), absent, 0)) return std::nullopt;
  }
  auto host = part_of(url.get(), CURLUPART_HOST, 0);
  const auto port = part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  const auto path = part_of(url.get(), CURLUPART_PATH, 0);
  if (!host || !port || !path) return std::nullopt;
  for (char& c : *host) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (host->starts_with('[')) {
    const auto address = IpAddress::parse(std::string_view(*host).substr(1, host->size() - 2));
    if (!address) return std::nullopt;
    host = address->to_string();
  }
  return CurlView{*host, *port, *path};
}

// Reads libcurl the same from the text, and from our own form of it?
testing::AssertionResult curl_reads_alike(const std::string& text, const TargetUrl& url) {
  for (const std::string& form : {text, url.to_string()}) {
    const auto view = read_by_curl(form);
    if (!view) return testing::AssertionFailure() << "libcurl refuses " << form;
    if (view->host != url.host || view->port != std::to_string(url.port) ||
        view->path != url.path) {
      return testing::AssertionFailure() << "libcurl reads " << form << " as " << view->host << " "
                                         << view->port << " " << view->path;
    }
  }
  return testing::AssertionSuccess();
}

TEST(TargetUrl, IsAcceptedOrDeniedAsTheTableSays) {
  for (const Case& one : read_cases()) {
    SCOPED_TRACE("line " + std::to_string(one.line) + ", " + one.policy + ": " + one.url);
    const TargetPolicy& policy = policies().at(one.policy);
    const auto url = parse_target_url(one.url, policy);
    if (!one.accepted) {
      ASSERT_FALSE(url.ok());
      EXPECT_EQ(url.error().code, base::ErrorCode::kInvalid);
      EXPECT_EQ(url.error().message.rfind("target_url: ", 0), 0U) << url.error().message;
      EXPECT_NE(url.error().message.find(one.expected), std::string::npos) << url.error().message;
      continue;
    }
    ASSERT_TRUE(url.ok()) << url.error().message;
    EXPECT_EQ(url.value().to_string(), one.expected);
    EXPECT_TRUE(curl_reads_alike(one.url, url.value()));
    const auto again = parse_target_url(url.value().to_string(), policy);
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(again.value().to_string(), one.expected);
    EXPECT_EQ(again.value().origin(), url.value().origin());
  }
}

TEST(TargetUrl, KeepsToTheLimitsOfLength) {
  const TargetPolicy policy;
  const std::string front = "https://hooks.example.com/";
  EXPECT_TRUE(parse_target_url(front + std::string(kUrlBytesMax - front.size(), 'a'), policy).ok());
  EXPECT_FALSE(
      parse_target_url(front + std::string(kUrlBytesMax - front.size() + 1, 'a'), policy).ok());
  EXPECT_TRUE(parse_target_url("https://" + std::string(63, 'a') + ".example/", policy).ok());
  EXPECT_FALSE(parse_target_url("https://" + std::string(64, 'a') + ".example/", policy).ok());
  std::string host;
  for (int i = 0; i < 126; ++i) host += "a.";
  EXPECT_EQ((host + "b").size(), 253U);
  EXPECT_TRUE(parse_target_url("https://" + host + "b/", policy).ok());
  EXPECT_FALSE(parse_target_url("https://" + host + "bc/", policy).ok());
}

TEST(TargetUrl, NamesItsParts) {
  const auto url = parse_target_url("http://[::1]:8080/a", policies().at("loopback"));
  ASSERT_TRUE(url.ok());
  EXPECT_FALSE(url.value().https);
  EXPECT_EQ(url.value().host, "::1");
  EXPECT_EQ(url.value().literal, IpAddress::parse("::1"));
  EXPECT_EQ(url.value().port, 8080);
  EXPECT_EQ(url.value().path, "/a");
  EXPECT_EQ(url.value().origin(), "http://[::1]:8080");
  const auto name = parse_target_url("https://Hooks.example", TargetPolicy());
  ASSERT_TRUE(name.ok());
  EXPECT_TRUE(name.value().https);
  EXPECT_FALSE(name.value().literal.has_value());
  EXPECT_EQ(name.value().port, 443);
  EXPECT_EQ(name.value().path, "/");
  EXPECT_EQ(name.value().origin(), "https://hooks.example:443");
}

// URLs put together from pieces that are fine and, now and then, one that parsers stumble over.
rc::Gen<std::string> url_like() {
  const std::vector<std::string> fronts{
      "https://hooks.example.com", "HTTPS://A-b.Example", "http://127.0.0.1", "http://[::1]",
      "http://[::ffff:127.0.0.1]", "http://localhost",    "https://",         "http://"};
  const std::vector<std::string> ports{"", "", ":80", ":443", ":8443", ":18080", ":08", ":", ":x"};
  const std::vector<std::string> good{"/",  "a",   "/b", "%2F", "%00", "...", "~",
                                      "-_", ";=,", "@",  "%41", ":",   "*'"};
  const std::vector<std::string> odd{"//", "127.0.0.1", "[::1]", "[",  "]",  "user@",    "?",
                                     "#",  "\\",        "%2e",   "..", ".",  "/.",       "0x7f",
                                     "1",  "localhost", "xn--",  " ",  "\t", "\xc3\xbc", "%25",
                                     "%",  "::",        "1.1",   "|",  "\"", "{"};
  const auto piece = rc::gen::weightedOneOf<std::string>(
      {{8, rc::gen::elementOf(good)}, {1, rc::gen::elementOf(odd)}});
  return rc::gen::map(
      rc::gen::tuple(rc::gen::elementOf(fronts), rc::gen::elementOf(ports),
                     rc::gen::element<std::string>("/", "/", "/", ""),
                     rc::gen::resize(12, rc::gen::container<std::vector<std::string>>(piece))),
      [](const std::tuple<std::string, std::string, std::string, std::vector<std::string>>& parts) {
        std::string text = std::get<0>(parts) + std::get<1>(parts) + std::get<2>(parts);
        for (const std::string& next : std::get<3>(parts)) text += next;
        return text;
      });
}

RC_GTEST_PROP(TargetUrl, MeansTheSameToLibcurlWheneverItIsAccepted, ()) {
  const std::string text = *url_like();
  const auto url = parse_target_url(text, policies().at("loopback"));
  RC_TAG(url.ok() ? "accepted" : "denied");
  if (url.ok()) RC_ASSERT(static_cast<bool>(curl_reads_alike(text, url.value())));
}

RC_GTEST_PROP(TargetUrl, ComesBackFromItsCanonicalForm, ()) {
  const std::string text = *url_like();
  const TargetPolicy& policy = policies().at("loopback");
  const auto url = parse_target_url(text, policy);
  if (!url.ok()) return;
  const auto again = parse_target_url(url.value().to_string(), policy);
  RC_ASSERT(again.ok());
  RC_ASSERT(again.value().to_string() == url.value().to_string());
  RC_ASSERT(again.value().https == url.value().https);
  RC_ASSERT(again.value().host == url.value().host);
  RC_ASSERT(again.value().literal == url.value().literal);
  RC_ASSERT(again.value().port == url.value().port);
  RC_ASSERT(again.value().path == url.value().path);
}

RC_GTEST_PROP(TargetUrl, TakesAnyBytesWithoutHarm, (const std::string& text)) {
  const auto url = parse_target_url("https://" + text, TargetPolicy());
  if (url.ok()) RC_ASSERT(!url.value().host.empty());
}

}  // namespace
}  // namespace triggerd::model
