#include "app/samples.h"

#include <array>

#include <fmt/format.h>

#include "engine/model/event_types.h"

namespace triggerd::app {
namespace {

constexpr std::array<std::string_view, 15> kSeedNames = {
    "AuthenticationSucceeded_v1", "AuthenticationFailed_v1",
    "PersonCreated_v1",           "AnonymousPersonCreated_v1",
    "PersonDeleted_v1",           "VirtualPageLoaded_v1",
    "SlashIDSDKLoaded_v1",        "PersonIdentified_v1",
    "PersonLoggedOut_v1",         "TokenMinted_v1",
    "AnonymousTokenMinted_v1",    "PasswordChanged_v1",
    "GdprConsentsChanged_v1",     "GateServerStarted_v1",
    "GateRequestHandled_v1"};

constexpr std::array<std::string_view, 6> kMethods = {"webauthn", "email_link", "otp_via_sms",
                                                      "password", "oidc",       "totp"};
constexpr std::array<std::string_view, 4> kFailures = {"incorrect_password", "incorrect_otp_code",
                                                       "invalid_password", "client_side_error"};
constexpr std::array<std::string_view, 3> kAgents = {
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"};
constexpr std::array<std::string_view, 4> kPages = {"/", "/login", "/account", "/checkout"};

template <std::size_t N>
std::string_view pick(const std::array<std::string_view, N>& words, base::Random& random) {
  return words[random.below(N)];
}

std::string uuid(base::Random& random) {
  return random.uuid_v4().to_string();
}

std::string analytics(base::Random& random) {
  return fmt::format(R"("analytics_metadata":{{"analytics_correlation_id":"{}",)"
                     R"("client_ip_address":"192.0.2.{}"}})",
                     uuid(random), 1 + random.below(254));
}

std::string browser(base::Random& random) {
  return fmt::format(
      R"("browser_metadata":{{"user_agent":"{}","window_location":"https://shop.example{}"}})",
      pick(kAgents, random), pick(kPages, random));
}

std::string handle(base::Random& random) {
  return fmt::format(R"("handle":{{"type":"email_address","value":"person{}@mail.example"}})",
                     random.below(100'000));
}

std::string person(base::Random& random) {
  return fmt::format(R"("person_id":"{}")", uuid(random));
}

// The event's own fields, with a comma in front, or nothing.
std::string own_fields(std::string_view name, base::Random& random) {
  if (name == "AuthenticationSucceeded_v1") {
    const std::string_view method = pick(kMethods, random);
    return fmt::format(R"(,{},"success_authn_method":"{}","authenticated_methods":["{}"],{})",
                       person(random), method, method, handle(random));
  }
  if (name == "AuthenticationFailed_v1") {
    return fmt::format(R"(,"failed_authn_method":"{}","failure_reason":"{}",{})",
                       pick(kMethods, random), pick(kFailures, random), handle(random));
  }
  if (name == "GateRequestHandled_v1") {
    return fmt::format(R"(,"timing_metadata":{{"start":"2026-01-02T03:04:05Z",)"
                       R"("end":"2026-01-02T03:04:05.012Z","elapsed":0.0{}}})",
                       1 + random.below(98));
  }
  if (name == "PasswordChanged_v1") return fmt::format(R"(,{},"initiator":2)", person(random));
  if (name == "VirtualPageLoaded_v1" || name == "SlashIDSDKLoaded_v1" ||
      name == "GateServerStarted_v1") {
    return "";
  }
  return "," + person(random);
}

}  // namespace

std::span<const std::string_view> seed_event_names() {
  return kSeedNames;
}

std::string sample_content(std::string_view event_name, base::Random& random) {
  std::string content = "{" + analytics(random);
  if (model::source_of(event_name) == model::EventSource::kSdk) content += "," + browser(random);
  return content + own_fields(event_name, random) + "}";
}

}  // namespace triggerd::app
