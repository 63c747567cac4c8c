#include "dispatcher/egress_proxy.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace triggerd::dispatcher {
namespace {

constexpr std::string_view kScheme = "http://";
constexpr std::size_t kNameBytesMax = 253;

bool is_name(std::string_view host) {
  return !host.empty() && host.size() <= kNameBytesMax &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.' || c == '_';
         });
}

}  // namespace

base::Result<EgressProxy> parse_egress_proxy(std::string_view text) {
  const base::Error invalid{base::ErrorCode::kInvalid,
                            "must be http://HOST:PORT, such as http://proxy.example:3128, without "
                            "user, path or query"};
  if (!text.starts_with(kScheme)) return invalid;
  std::string_view rest = text.substr(kScheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) return invalid;
  EgressProxy proxy;
  const std::string_view port = rest.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), proxy.port);
  if (error != std::errc() || end != port.data() + port.size() || proxy.port == 0) return invalid;
  std::string_view host = rest.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  proxy.host = host;
  proxy.literal = model::IpAddress::parse(host);
  const bool good = bracketed ? proxy.literal && !proxy.literal->v4 : is_name(host);
  if (!good) return invalid;
  return proxy;
}

}  // namespace triggerd::dispatcher
