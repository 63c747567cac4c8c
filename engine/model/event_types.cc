#include "engine/model/event_types.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

namespace triggerd::model {
namespace {

using enum EventSource;

constexpr std::array kEventTypes{
    // Authentication
    BuiltInEventType{"AuthenticationSucceeded_v1", kSdk},
    BuiltInEventType{"AuthenticationFailed_v1", kSdk},
    BuiltInEventType{"TokenMinted_v1", kCloud},
    BuiltInEventType{"AnonymousTokenMinted_v1", kCloud},
    BuiltInEventType{"PasswordChanged_v1", kCloud},
    // Persons
    BuiltInEventType{"PersonCreated_v1", kCloud},
    BuiltInEventType{"AnonymousPersonCreated_v1", kCloud},
    BuiltInEventType{"PersonDeleted_v1", kCloud},
    BuiltInEventType{"PersonIdentified_v1", kSdk},
    BuiltInEventType{"PersonLoggedOut_v1", kSdk},
    BuiltInEventType{"GdprConsentsChanged_v1", kCloud},
    // SDK
    BuiltInEventType{"VirtualPageLoaded_v1", kSdk},
    BuiltInEventType{"SlashIDSDKLoaded_v1", kSdk},
    // Gate
    BuiltInEventType{"GateServerStarted_v1", kGate},
    BuiltInEventType{"GateRequestHandled_v1", kGate},
    BuiltInEventType{"GateRequestCredentialFound_v1", kGate},
    // Roles and permissions: once done everywhere, and in each region
    BuiltInEventType{"PermissionCreated_v1", kCloud},
    BuiltInEventType{"PermissionCreated_InRegion_v1", kCloud},
    BuiltInEventType{"PermissionUpdated_v1", kCloud},
    BuiltInEventType{"PermissionUpdated_InRegion_v1", kCloud},
    BuiltInEventType{"PermissionDeleted_v1", kCloud},
    BuiltInEventType{"PermissionDeleted_InRegion_v1", kCloud},
    BuiltInEventType{"RoleCreated_v1", kCloud},
    BuiltInEventType{"RoleCreated_InRegion_v1", kCloud},
    BuiltInEventType{"RoleUpdated_v1", kCloud},
    BuiltInEventType{"RoleUpdated_InRegion_v1", kCloud},
    BuiltInEventType{"RoleDeleted_v1", kCloud},
    BuiltInEventType{"RoleDeleted_InRegion_v1", kCloud},
    BuiltInEventType{"RolesSetToPerson_v1", kCloud},
    BuiltInEventType{"RolesSetToPerson_InRegion_v1", kCloud},
    BuiltInEventType{"PermissionsSetToPerson_v1", kCloud},
    BuiltInEventType{"PermissionsSetToPerson_InRegion_v1", kCloud},
    // Organizations, OAuth
    BuiltInEventType{"SuborganizationCreated_v1", kCloud},
    BuiltInEventType{"SuborganizationCreated_InRegion_v1", kCloud},
    BuiltInEventType{"OAuth2ClientCreated_v1", kCloud},
    BuiltInEventType{"OAuth2ClientCreated_InRegion_v1", kCloud},
    // Security
    BuiltInEventType{"MitmAttackDetected_v1", kCloud},
    // AWS
    BuiltInEventType{"AWSIAMUserCreated_v1", kCloud},
    BuiltInEventType{"AWSIAMRoleCreated_v1", kCloud},
    BuiltInEventType{"AWSIAMRoleInlinePoliciesUpdated_v1", kCloud},
    BuiltInEventType{"AWSIAMRoleManagedPoliciesUpdated_v1", kCloud},
    BuiltInEventType{"AWSIAMRoleAssumeRolePolicyUpdated_v1", kCloud},
    BuiltInEventType{"AWSIAMRolePermissionsBoundaryUpdated_v1", kCloud},
    BuiltInEventType{"AWSIAMRoleDeleted_v1", kCloud},
    // GCP
    BuiltInEventType{"GCPServiceAccountCreated_v1", kCloud},
    BuiltInEventType{"GCPRoleCreated_v1", kCloud},
    BuiltInEventType{"GCPIAMPolicyBindingUpdated_v1", kCloud},
    BuiltInEventType{"GCPServiceAccountDeleted_v1", kCloud},
    // Active Directory
    BuiltInEventType{"ActiveDirectorySPNCreated_v1", kCloud},
    BuiltInEventType{"ActiveDirectorySPNRoleUpdated_v1", kCloud},
    BuiltInEventType{"ActiveDirectorySPNDeleted_v1", kCloud},
    BuiltInEventType{"ActiveDirectoryUserCreated_v1", kCloud},
};
static_assert(kEventTypes.size() == 52, "CONTRACT B5.2 lists 52 names");

constexpr std::array<std::string_view, 4> kSyncHooks{"token_minted", "identify_user",
                                                     "threat_detection", "posture_detection"};

constexpr std::array<std::string_view, 7> kOperational{
    "triggerd.WebhookDisabled_v1", "triggerd.WebhookEnabled_v1", "triggerd.DeadLetter_v1",
    "triggerd.BreakerOpened_v1",   "triggerd.BreakerClosed_v1",  "triggerd.SecretRotated_v1",
    "triggerd.RecoverFinished_v1"};

}  // namespace

std::span<const std::string_view> operational_event_types() {
  return kOperational;
}

std::span<const BuiltInEventType> built_in_event_types() {
  return kEventTypes;
}

std::span<const std::string_view> built_in_sync_hooks() {
  return kSyncHooks;
}

EventSource source_of(std::string_view event_name) {
  const auto* const found =
      std::find_if(kEventTypes.begin(), kEventTypes.end(),
                   [event_name](const BuiltInEventType& type) { return type.name == event_name; });
  return found == kEventTypes.end() ? kCloud : found->source;
}

std::optional<VersionedName> split_event_name(std::string_view event_name) {
  const std::size_t mark = event_name.rfind("_v");
  if (mark == std::string_view::npos || mark == 0) return std::nullopt;
  const std::string_view digits = event_name.substr(mark + 2);
  // No leading zero: type and version must give the name back.
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  constexpr std::uint64_t version_max = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t version = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (version > (version_max - digit) / 10) return std::nullopt;
    version = version * 10 + digit;
  }
  return VersionedName{event_name.substr(0, mark), version};
}

}  // namespace triggerd::model
