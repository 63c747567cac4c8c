// Target URLs: what is accepted reads back as the same from its canonical form, and libcurl, which
// will be given that form, reads host, port and path as we do. The first byte chooses the policy.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "engine/base/assert.h"
#include "engine/model/network.h"
#include "engine/model/url.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

namespace model = triggerd::model;
using model::TargetPolicy;
using model::TargetUrl;

const TargetPolicy& policy_of(std::uint8_t choice) {
  static const std::array<TargetPolicy, 4> policies = [] {
    std::array<TargetPolicy, 4> all;
    all[1].allow_http = true;
    all[2].allow_http = true;  // everything
    for (const char* const network : {"0.0.0.0/0", "[::]/0"}) {
      all[2].allow_networks.push_back(model::Network::parse(network).value());
    }
    all[3].allow_networks.push_back(model::Network::parse("10.0.0.0/8:443").value());
    return all;
  }();
  return policies[choice % policies.size()];
}

bool is_same(const TargetUrl& a, const TargetUrl& b) {
  return a.https == b.https && a.host == b.host && a.literal == b.literal && a.port == b.port &&
         a.path == b.path;
}

std::optional<std::string> part_of(CURLU* url, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return std::nullopt;
  std::string copy(text);
  curl_free(text);
  return copy;
}

// `text` is the form as given, or the canonical one.
void check_curl_agrees(const std::string& text, const TargetUrl& url) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> curl(curl_url(), curl_url_cleanup);
  TRIGGERD_ASSERT(curl_url_set(curl.get(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK);
  for (const CURLUPart absent : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS,
                                 CURLUPART_QUERY, CURLUPART_FRAGMENT, CURLUPART_ZONEID}) {
    TRIGGERD_ASSERT(!part_of(curl.get(), absent, 0));
  }
  TRIGGERD_ASSERT(part_of(curl.get(), CURLUPART_SCHEME, 0) == (url.https ? "https" : "http"));
  TRIGGERD_ASSERT(part_of(curl.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT) ==
                  std::to_string(url.port));
  TRIGGERD_ASSERT(part_of(curl.get(), CURLUPART_PATH, 0) == url.path);

  std::string host = part_of(curl.get(), CURLUPART_HOST, 0).value_or("");
  for (char& c : host) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (!host.starts_with('[')) {
    TRIGGERD_ASSERT(host == url.host);
    return;
  }
  const auto address = model::IpAddress::parse(std::string_view(host).substr(1, host.size() - 2));
  TRIGGERD_ASSERT(address && url.literal && *address == *url.literal);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  triggerd::fuzz::Input input(bytes, size);
  const TargetPolicy& policy = policy_of(input.take_byte());
  const std::string text(input.rest());
  const auto parsed = model::parse_target_url(text, policy);
  if (!parsed.ok()) {
    TRIGGERD_ASSERT(parsed.error().message.starts_with("target_url: "));
    return 0;
  }
  const TargetUrl& url = parsed.value();
  const std::string canonical = url.to_string();
  const auto again = model::parse_target_url(canonical, policy);
  TRIGGERD_ASSERT(again.ok());
  TRIGGERD_ASSERT(is_same(again.value(), url));
  TRIGGERD_ASSERT(again.value().to_string() == canonical);
  check_curl_agrees(text, url);
  check_curl_agrees(canonical, url);
  return 0;
}
