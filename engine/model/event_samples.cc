#include "engine/model/event_samples.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>

#include <fmt/format.h>

#include "engine/base/assert.h"
#include "engine/base/log.h"
#include "engine/model/event_types.h"

namespace triggerd::model {
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

// --- What the events say ----------------------------------------------------------------------

// Own members of an event type beside the shared ones. <word> stands for a value; the same word
// twice is the same value.
struct Template {
  std::string_view type;  // the name without "_InRegion" and version
  std::string_view members;
};

constexpr std::string_view kPermission =
    R"("permission_id":"<uuid>","permission_name":"<permission>")";
constexpr std::string_view kRole = R"("role_id":"<uuid>","role_name":"<role>")";
constexpr std::string_view kFullRole =
    R"("role_id":"<uuid>","role_name":"<role>","permissions":["<permission>"])";
constexpr std::string_view kPerson = R"("person_id":"<person>")";
constexpr std::string_view kAwsRole =
    R"("aws_account_id":"<account>","role_arn":"arn:aws:iam::<account>:role/<service>",)"
    R"("role_name":"<service>")";

// clang-format off
constexpr Template kTemplates[] = {
    {"AuthenticationSucceeded", R"("person_id":"<person>","success_authn_method":"<method>",)"
                                R"("authenticated_methods":["<method>"],"handle":<handle>)"},
    {"AuthenticationFailed", R"("person_id":"<person>","failed_authn_method":"<method>",)"
                             R"("failure_reason":"<failure>","failure_detail":"attempt <small>",)"
                             R"("challenge_id":"<uuid>","handle":<handle>)"},
    {"TokenMinted",
     R"("person_id":"<person>","token_id":"<uuid>","authenticated_methods":["<method>"],)"
     R"("region":"<region>")"},
    {"AnonymousTokenMinted",
     R"("person_id":"<person>","token_id":"<uuid>","authenticated_methods":["anonymous"],)"
     R"("region":"<region>")"},
    {"PasswordChanged", R"("person_id":"<person>","initiator":<initiator>)"},

    {"PersonCreated", R"("person_id":"<person>","handles":[<handle>],"region":"<region>")"},
    {"AnonymousPersonCreated", R"("person_id":"<person>","region":"<region>")"},
    {"PersonDeleted", R"("person_id":"<person>","region":"<region>")"},
    {"PersonIdentified", kPerson},
    {"PersonLoggedOut", kPerson},
    {"GdprConsentsChanged", R"("person_id":"<person>","consent_levels":["necessary","<consent>"])"},

    {"VirtualPageLoaded", kPerson},
    {"SlashIDSDKLoaded", ""},

    {"GateServerStarted",
     R"("gate_version":"1.<small>.0","hostname":"gate-<small>.internal.example")"},
    {"GateRequestHandled",
     R"("request_method":"GET","request_path":"/api<page>","response_status":200,)"
     R"("timing_metadata":<timing>)"},
    {"GateRequestCredentialFound",
     R"("request_method":"POST","request_path":"/api<page>",)"
     R"("credential_type":"<credential>","credential_location":"header")"},

    {"PermissionCreated", kPermission},
    {"PermissionUpdated", kPermission},
    {"PermissionDeleted", kPermission},
    {"RoleCreated", kFullRole},
    {"RoleUpdated", kFullRole},
    {"RoleDeleted", kRole},
    {"RolesSetToPerson", R"("person_id":"<person>","roles":["<role>"])"},
    {"PermissionsSetToPerson", R"("person_id":"<person>","permissions":["<permission>"])"},

    {"SuborganizationCreated",
     R"("suborganization_id":"<uuid>","suborganization_name":"Branch <small>")"},
    {"OAuth2ClientCreated",
     R"("client_id":"<uuid>","client_name":"<service>","grant_types":["client_credentials"],)"
     R"("scopes":["<permission>"])"},

    {"MitmAttackDetected",
     R"("token_id":"<uuid>","tag":"login-page","allowed_domains":["shop.example"],)"
     R"("detected_origin":"https://shop-<small>.example.net","user_agent":"<agent>")"},

    {"AWSIAMUserCreated",
     R"("aws_account_id":"<account>","user_arn":"arn:aws:iam::<account>:user/<service>",)"
     R"("user_name":"<service>","tags":[{"key":"team","value":"<team>"}])"},
    {"AWSIAMRoleCreated",
     R"("aws_account_id":"<account>","role_arn":"arn:aws:iam::<account>:role/<service>",)"
     R"("role_name":"<service>","tags":[{"key":"team","value":"<team>"}],)"
     R"("permissions_boundary":{)"
     R"("permissions_boundary_arn":"arn:aws:iam::<account>:policy/boundary",)"
     R"("permissions_boundary_type":"PermissionsBoundaryPolicy"})"},
    {"AWSIAMRoleInlinePoliciesUpdated",
     R"("aws_account_id":"<account>","role_name":"<service>",)"
     R"("inline_policies":[{"policy_name":"read-objects",)"
     R"("policy_document":"{\"Version\":\"2012-10-17\",\"Statement\":[]}"}])"},
    {"AWSIAMRoleManagedPoliciesUpdated",
     R"("aws_account_id":"<account>","role_name":"<service>",)"
     R"("managed_policies":[{"policy_name":"ReadOnlyAccess",)"
     R"("policy_arn":"arn:aws:iam::aws:policy/ReadOnlyAccess"}])"},
    {"AWSIAMRoleAssumeRolePolicyUpdated",
     R"("aws_account_id":"<account>","role_name":"<service>",)"
     R"("assume_role_policy_document":"{\"Version\":\"2012-10-17\",\"Statement\":[]}")"},
    {"AWSIAMRolePermissionsBoundaryUpdated",
     R"("aws_account_id":"<account>","role_name":"<service>",)"
     R"("permissions_boundary":{)"
     R"("permissions_boundary_arn":"arn:aws:iam::<account>:policy/boundary",)"
     R"("permissions_boundary_type":"PermissionsBoundaryPolicy"})"},
    {"AWSIAMRoleDeleted", kAwsRole},

    {"GCPServiceAccountCreated",
     R"("project_id":"<project>",)"
     R"("service_account_email":"<service>@<project>.iam.gserviceaccount.example",)"
     R"("display_name":"<service>")"},
    {"GCPRoleCreated", R"("project_id":"<project>","role":"projects/<project>/roles/<service>",)"
                       R"("included_permissions":["storage.objects.get"])"},
    {"GCPIAMPolicyBindingUpdated",
     R"("project_id":"<project>",)"
     R"("member":"serviceAccount:<service>@<project>.iam.gserviceaccount.example",)"
     R"("binding":{"role":"roles/viewer",)"
     R"t("condition":{"expression":"request.time < timestamp(\"2030-01-01T00:00:00Z\")",)t"
     R"("title":"until 2030"}})"},
    {"GCPServiceAccountDeleted",
     R"("project_id":"<project>",)"
     R"("service_account_email":"<service>@<project>.iam.gserviceaccount.example")"},

    {"ActiveDirectorySPNCreated",
     R"("tenant_id":"<uuid>","spn":"HTTP/<service>.corp.example","display_name":"<service>")"},
    {"ActiveDirectorySPNRoleUpdated",
     R"("tenant_id":"<uuid>","spn":"HTTP/<service>.corp.example","roles":["<role>"])"},
    {"ActiveDirectorySPNDeleted", R"("tenant_id":"<uuid>","spn":"HTTP/<service>.corp.example")"},
    {"ActiveDirectoryUserCreated",
     R"("tenant_id":"<uuid>","user_principal_name":"<first>.<last>@corp.example",)"
     R"("display_name":"<first> <last>")"},

};
// clang-format on

// Event types whose events have an end user with an address.
constexpr std::string_view kWithClient[] = {
    "AuthenticationSucceeded",
    "AuthenticationFailed",
    "TokenMinted",
    "AnonymousTokenMinted",
    "PasswordChanged",
    "PersonCreated",
    "AnonymousPersonCreated",
    "PersonIdentified",
    "PersonLoggedOut",
    "GdprConsentsChanged",
    "VirtualPageLoaded",
    "SlashIDSDKLoaded",
    "GateRequestHandled",
    "GateRequestCredentialFound",
    "MitmAttackDetected",
};

// --- Words to choose from ---------------------------------------------------------------------

struct Choice {
  std::string_view word;
  std::span<const std::string_view> from;
};

constexpr std::string_view kMethods[] = {"webauthn",    "email_link",    "sms_link",
                                         "otp_via_sms", "otp_via_email", "totp",
                                         "oidc",        "saml",          "password"};
constexpr std::string_view kFailures[] = {
    "invalid_password",           "incorrect_password",
    "incorrect_otp_code",         "incorrect_otp_code_via_email",
    "incorrect_otp_code_via_sms", "client_side_error"};
constexpr std::string_view kAgents[] = {
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
    "Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"};
constexpr std::string_view kPages[] = {"/", "/login", "/account", "/checkout", "/orders?page=2"};
constexpr std::string_view kRegions[] = {"us-iowa", "europe-belgium", "asia-japan",
                                         "europe-england", "australia-sydney"};
constexpr std::string_view kConsents[] = {"analytics", "marketing", "retargeting", "tracking"};
constexpr std::string_view kInitiators[] = {"1", "2"};  // AdminAPI, EndUser
constexpr std::string_view kCredentials[] = {"bearer_token", "api_key", "basic_auth"};
constexpr std::string_view kPermissions[] = {"orders:read", "orders:write", "invoices:read",
                                             "users:manage"};
constexpr std::string_view kRoles[] = {"admin", "editor", "viewer", "billing"};
constexpr std::string_view kServices[] = {"billing-sync", "report-export", "ci-deploy", "backup"};
constexpr std::string_view kTeams[] = {"payments", "platform", "data"};
constexpr std::string_view kProjects[] = {"shop-production", "shop-staging", "analytics-lab"};
constexpr std::string_view kFirstNames[] = {"ada", "alan", "grace", "edsger", "barbara", "donald"};
constexpr std::string_view kLastNames[] = {"moreau", "okafor", "lindqvist", "tanaka", "silva"};
constexpr std::string_view kSdkVersions[] = {"3.29.6", "3.28.1", "3.27.0"};

constexpr Choice kChoices[] = {{"method", kMethods},         {"failure", kFailures},
                               {"agent", kAgents},           {"page", kPages},
                               {"region", kRegions},         {"consent", kConsents},
                               {"initiator", kInitiators},   {"credential", kCredentials},
                               {"permission", kPermissions}, {"role", kRoles},
                               {"service", kServices},       {"team", kTeams},
                               {"project", kProjects},       {"first", kFirstNames},
                               {"last", kLastNames},         {"sdk_version", kSdkVersions}};

// --- Making one -------------------------------------------------------------------------------

// As SlashID's: an early draft of version 7, whose first 36 bits are Unix seconds (CONTRACT B1.2).
base::Uuid person_uuid(base::WallTime created_at, base::Random& random) {
  base::Uuid uuid = random.uuid_v4();
  const auto seconds = static_cast<std::uint64_t>(base::unix_seconds(created_at));
  for (std::size_t i = 0; i < 4; ++i) {
    uuid.bytes[i] = static_cast<std::uint8_t>(seconds >> (28 - 8 * i));
  }
  uuid.bytes[4] = static_cast<std::uint8_t>(((seconds & 0xf) << 4) | (uuid.bytes[4] & 0xf));
  uuid.bytes[6] = static_cast<std::uint8_t>(0x70 | (uuid.bytes[6] & 0xf));
  return uuid;
}

class SampleMaker {
 public:
  SampleMaker(base::WallTime now, base::Random& random) : now_(now), random_(random) {}

  // Appends `text` with its <words> filled in. A '<' that begins no word stands for itself.
  void append(std::string& out, std::string_view text) {
    while (!text.empty()) {
      const std::size_t open = std::min(text.find('<'), text.size());
      out += text.substr(0, open);
      text.remove_prefix(open);
      if (text.empty()) return;
      const std::size_t length = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", 1);
      if (length == std::string_view::npos || length == 1 || text[length] != '>') {
        out += '<';
        text.remove_prefix(1);
        continue;
      }
      out += value(text.substr(1, length - 1));
      text.remove_prefix(length + 1);
    }
  }

  const std::string& value(std::string_view word) {
    const auto found = values_.find(word);
    if (found != values_.end()) return found->second;
    std::string made = make(word);  // may make others
    return values_.emplace(word, std::move(made)).first->second;
  }
  // Empty when the word was not used.
  [[nodiscard]] std::string used(std::string_view word) const {
    const auto found = values_.find(word);
    return found == values_.end() ? std::string() : found->second;
  }

 private:
  std::string make(std::string_view word) {
    for (const Choice& choice : kChoices) {
      if (choice.word == word) return std::string(choice.from[random_.below(choice.from.size())]);
    }
    if (word == "uuid") return random_.uuid_v4().to_string();
    if (word == "person") return person();
    if (word == "handle") return handle();
    if (word == "address") return address();
    if (word == "location") return "https://shop.example" + value("page");
    if (word == "timing") return timing();
    if (word == "small") return std::to_string(1 + random_.below(20));
    TRIGGERD_ASSERT(word == "account");
    return fmt::format("{:012}", random_.below(1'000'000'000'000));
  }

  // Somebody who registered within the last three years.
  std::string person() {
    constexpr std::uint64_t seconds = std::uint64_t{3} * 365 * 24 * 3600;
    return person_uuid(now_ - std::chrono::seconds(random_.below(seconds)), random_).to_string();
  }
  std::string handle() {
    switch (random_.below(4)) {
      case 0:  // 555-0100 to 555-0199 are for fiction
        return fmt::format(R"({{"type":"phone_number","value":"+1202555{:04}"}})",
                           100 + random_.below(100));
      case 1: {
        // Drawn one by one: the order in which arguments are evaluated is the compiler's.
        const std::string first = value("first");
        return fmt::format(R"({{"type":"username","value":"{}{}"}})", first, random_.below(1000));
      }
      default: {
        const std::string first = value("first");
        const std::string last = value("last");
        return fmt::format(R"({{"type":"email_address","value":"{}.{}@mail.example"}})", first,
                           last);
      }
    }
  }
  // RFC 5737, RFC 3849.
  std::string address() {
    const std::uint64_t host = 1 + random_.below(254);
    switch (random_.below(4)) {
      case 0:
        return fmt::format("192.0.2.{}", host);
      case 1:
        return fmt::format("198.51.100.{}", host);
      case 2:
        return fmt::format("203.0.113.{}", host);
      default:
        return fmt::format("2001:db8:{:x}::{:x}", random_.below(0xffff) + 1, host);
    }
  }
  std::string timing() {
    const std::uint64_t ms = 1 + random_.below(500);
    return fmt::format(R"({{"start":"{}","end":"{}","elapsed":{}}})",
                       base::to_rfc3339(now_ - std::chrono::milliseconds(ms)),
                       base::to_rfc3339(now_), static_cast<double>(ms) / 1000);
  }

  base::WallTime now_;
  base::Random& random_;
  std::map<std::string, std::string, std::less<>> values_;
};

// "RoleCreated_InRegion_v1" → "RoleCreated".
std::string_view type_of(std::string_view event_name, std::string_view suffix) {
  return event_name.substr(0, event_name.size() - suffix.size());
}

}  // namespace

EventSample sample_event(std::string_view event_name, std::string_view analytics_correlation_id,
                         base::WallTime now, base::Random& random) {
  constexpr std::string_view in_region = "_InRegion_v1";
  const bool regional = event_name.ends_with(in_region);
  const std::string_view type =
      regional ? type_of(event_name, in_region) : event_name.substr(0, event_name.rfind("_v"));
  SampleMaker maker(now, random);
  EventSample sample;
  std::string& out = sample.content;
  out = R"({"analytics_metadata":{"analytics_correlation_id":")";
  if (analytics_correlation_id.empty()) {
    out += random.uuid_v4().to_string();
  } else {
    base::append_json_escaped(out, analytics_correlation_id);
  }
  out += '"';
  if (std::find(std::begin(kWithClient), std::end(kWithClient), type) != std::end(kWithClient)) {
    maker.append(out, R"(,"client_ip_address":"<address>")");
  }
  out += '}';
  if (source_of(event_name) == EventSource::kSdk) {
    maker.append(out, R"(,"browser_metadata":{"slashid_sdk_version":"<sdk_version>",)"
                      R"("user_agent":"<agent>","window_location":"<location>"})");
  }
  const auto* const found =
      std::find_if(std::begin(kTemplates), std::end(kTemplates),
                   [type](const Template& candidate) { return candidate.type == type; });
  if (found != std::end(kTemplates) && !found->members.empty()) {
    out += ',';
    maker.append(out, found->members);
  }
  if (regional) maker.append(out, R"(,"region":"<region>")");
  out += '}';
  sample.person_id = maker.used("person");
  sample.authn_method = maker.used("method");
  sample.failure_reason = maker.used("failure");
  sample.window_location = maker.used("location");
  return sample;
}

std::span<const std::string_view> seed_event_names() {
  return kSeedNames;
}

}  // namespace triggerd::model
