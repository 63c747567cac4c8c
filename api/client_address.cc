#include "api/client_address.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "api/head_check.h"

namespace triggerd::api {
namespace {

constexpr std::string_view kForwardedFor = "X-Forwarded-For";

bool is_trusted(const model::IpAddress& address, const std::vector<model::Network>& proxies) {
  return std::any_of(proxies.begin(), proxies.end(),
                     [&address](const model::Network& proxy) { return proxy.contains(address); });
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The last entry of a comma-separated list, which is shortened by it; nothing when none is left.
std::optional<std::string_view> take_last(std::optional<std::string_view>& list) {
  if (!list) return std::nullopt;
  const std::size_t comma = list->rfind(',');
  const std::string_view last =
      trim(comma == std::string_view::npos ? *list : list->substr(comma + 1));
  if (comma == std::string_view::npos) {
    list.reset();
  } else {
    list = list->substr(0, comma);
  }
  return last;
}

}  // namespace

model::IpAddress client_address(const HttpRequest& request,
                                const std::vector<model::Network>& trusted_proxies) {
  const std::optional<model::IpAddress> peer = model::IpAddress::parse(request.peer);
  if (!peer) return model::IpAddress{false, {}};
  model::IpAddress client = peer->unmapped();
  if (trusted_proxies.empty()) return client;
  // Several fields are one list (RFC 9110, 5.3); the last field is the nearest proxy's.
  for (auto field = request.fields.rbegin(); field != request.fields.rend(); ++field) {
    if (!same_text(field->name, kForwardedFor)) continue;
    std::optional<std::string_view> list = field->value;
    while (is_trusted(client, trusted_proxies)) {
      const std::optional<std::string_view> entry = take_last(list);
      if (!entry) break;
      const std::optional<model::IpAddress> named = model::IpAddress::parse(*entry);
      if (!named) return client;
      client = named->unmapped();
    }
  }
  return client;
}

}  // namespace triggerd::api
