// Registry requests: organizations and API keys (CONTRACT A7).
#include <algorithm>
#include <string>
#include <utility>

#include "engine/core/registry_requests.h"
#include "engine/model/limits.h"

namespace triggerd::core {

using base::ErrorCode;
using base::Now;
using model::ApiKey;
using model::Organization;
using model::OrgId;
using model::RequestId;
using model::WebhookRef;

void RegistryRequests::handle(const model::CreateOrganization& request, RequestId id, Now now) {
  Faults faults = validate_name("name", request.name);
  if (!faults.empty()) return refuse(id, std::move(faults));
  if (registry_.organization_count() >= model::kOrganizationsMax) {
    return refuse(id, ErrorCode::kInvalid,
                  "organizations: at most " + std::to_string(model::kOrganizationsMax) +
                      " can exist; delete one that is not used");
  }
  Organization organization;
  organization.id = request.id ? *request.id : OrgId(random_.uuid_v7(now.wall));
  if (registry_.organization(organization.id) != nullptr) {
    return refuse(id, ErrorCode::kConflict,
                  "id: organization " + organization.id.to_string() + " exists already");
  }
  organization.name = request.name;
  organization.created_at = now.wall;
  registry_.add_organization(organization);
  outbox_.put(model::PutOrganization{organization});
  outbox_.reply(id, model::OrganizationReply{std::move(organization)});
}

void RegistryRequests::handle(const model::ListOrganizations&, RequestId id, Now) {
  outbox_.reply(id, model::OrganizationsReply{registry_.organizations()});
}

void RegistryRequests::handle(const model::GetOrganization& request, RequestId id, Now) {
  const OrganizationEntry* entry = organization_or_refuse(request.org, id);
  if (entry != nullptr) outbox_.reply(id, model::OrganizationReply{entry->organization});
}

void RegistryRequests::handle(const model::DeleteOrganization& request, RequestId id, Now) {
  const OrganizationEntry* entry = organization_or_refuse(request.org, id);
  if (entry == nullptr) return;
  const std::vector<ApiKey> keys = entry->api_keys;
  for (const WebhookRef ref : std::vector<WebhookRef>(entry->webhooks)) {
    erase_webhook(*registry_.webhook(ref));
  }
  for (const model::EventType& type : catalogue_.said_by(request.org)) {
    erase_event_type(request.org, type.name);
  }
  for (const ApiKey& key : keys) outbox_.put(model::EraseApiKey{key.org, key.id});
  registry_.erase_organization(request.org);
  outbox_.put(model::EraseOrganization{request.org});
  for (const ApiKey& key : keys) {
    outbox_.emit(outbox_.batch(), model::ApiKeyRemoved{key.digest});
  }
  outbox_.reply(id, model::Done{});
}

void RegistryRequests::handle(const model::CreateApiKey& request, RequestId id, Now now) {
  const OrganizationEntry* entry = organization_or_refuse(request.org, id);
  if (entry == nullptr) return;
  Faults faults = validate_name("name", request.name);
  if (request.scopes == 0 || (request.scopes & ~model::kScopesAll) != 0) {
    faults.push_back({ErrorCode::kInvalid,
                      "scopes: give at least one of publish, read, manage, and nothing else"});
  }
  if (!faults.empty()) return refuse(id, std::move(faults));
  if (entry->api_keys.size() >= model::kApiKeysPerOrgMax) {
    return refuse(id, ErrorCode::kInvalid,
                  "api keys: an organization has at most " +
                      std::to_string(model::kApiKeysPerOrgMax) + "; delete one that is not used");
  }
  const auto same = [&request](const ApiKey& key) {
    return key.id == request.id || key.digest == request.digest;
  };
  if (std::any_of(entry->api_keys.begin(), entry->api_keys.end(), same)) {
    return refuse(id, ErrorCode::kConflict,
                  "id: API key " + request.id.to_string() + " exists already");
  }
  const ApiKey key{request.id, request.org, request.name, request.digest, request.scopes, now.wall};
  registry_.add_api_key(key);
  outbox_.put(model::PutApiKey{key});
  outbox_.emit(outbox_.batch(), model::ApiKeyAdded{key});
  outbox_.reply(id, model::ApiKeyReply{key});
}

void RegistryRequests::handle(const model::ListApiKeys& request, RequestId id, Now) {
  const OrganizationEntry* entry = organization_or_refuse(request.org, id);
  if (entry != nullptr) outbox_.reply(id, model::ApiKeysReply{entry->api_keys});
}

void RegistryRequests::handle(const model::DeleteApiKey& request, RequestId id, Now) {
  const OrganizationEntry* entry = organization_or_refuse(request.org, id);
  if (entry == nullptr) return;
  const auto at =
      std::find_if(entry->api_keys.begin(), entry->api_keys.end(),
                   [&request](const ApiKey& candidate) { return candidate.id == request.id; });
  if (at == entry->api_keys.end()) {
    return refuse(id, ErrorCode::kNotFound, "could not find API key " + request.id.to_string());
  }
  const model::KeyDigest digest = at->digest;
  registry_.erase_api_key(request.org, request.id);
  outbox_.put(model::EraseApiKey{request.org, request.id});
  outbox_.emit(outbox_.batch(), model::ApiKeyRemoved{digest});
  outbox_.reply(id, model::Done{});
}

}  // namespace triggerd::core
