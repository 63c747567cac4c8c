#include "api/admin_handlers.h"

#include <optional>
#include <utility>

#include "api/answers.h"
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "api/problem.h"

namespace triggerd::api {
namespace {

// The first parameter of the path. An id that is no UUID is that of no organization.
std::optional<model::OrgId> org_id(const Call& call) {
  return model::OrgId::parse(call.parameters[0]);
}

HttpResponse no_such_organization() {
  return problem(404, "organization_id: organization not found");
}

}  // namespace

Step create_organization(Call& call) {
  model::CreateOrganization request;
  const Faults faults = read_organization(call.request.body, request);
  if (!faults.empty()) return problem(faults);
  return Ask{std::move(request), {}};
}

Step list_organizations(Call& /*call*/) {
  return Ask{model::ListOrganizations{}, {}};
}

Step get_organization(Call& call) {
  const std::optional<model::OrgId> org = org_id(call);
  if (!org) return no_such_organization();
  return Ask{model::GetOrganization{*org}, {}};
}

Step delete_organization(Call& call) {
  const std::optional<model::OrgId> org = org_id(call);
  if (!org) return no_such_organization();
  return Ask{model::DeleteOrganization{*org}, {}};
}

Step create_api_key(Call& call) {
  const std::optional<model::OrgId> org = org_id(call);
  if (!org) return no_such_organization();
  ApiKeyDraft draft;
  const Faults faults = read_api_key(call.request.body, draft);
  if (!faults.empty()) return problem(faults);
  MintedApiKey minted = call.backend.mint_api_key();
  return Ask{
      model::CreateApiKey{*org, minted.id, std::move(draft.name), minted.digest, draft.scopes},
      std::move(minted.text)};
}

Step list_api_keys(Call& call) {
  const std::optional<model::OrgId> org = org_id(call);
  if (!org) return no_such_organization();
  return Ask{model::ListApiKeys{*org}, {}};
}

Step delete_api_key(Call& call) {
  const std::optional<model::OrgId> org = org_id(call);
  if (!org) return no_such_organization();
  const std::optional<model::ApiKeyId> key = model::ApiKeyId::parse(call.parameters[1]);
  if (!key) return problem(404, "key_id: API key not found");
  return Ask{model::DeleteApiKey{*org, *key}, {}};
}

Step rotate_signing_key(Call& call) {
  base::Result<model::SigningKey> key = call.backend.mint_signing_key();
  if (!key.ok()) return problem({key.error()});
  return Ask{model::RotateSigningKey{std::move(key.value())}, {}};
}

Step list_signing_keys(Call& /*call*/) {
  return Ask{model::ListSigningKeys{}, {}};
}

HttpResponse show_created_organization(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(201,
                     write_organization(reply_as<model::OrganizationReply>(reply).organization));
}

HttpResponse show_organization(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(200,
                     write_organization(reply_as<model::OrganizationReply>(reply).organization));
}

HttpResponse show_organizations(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(200,
                     write_organizations(reply_as<model::OrganizationsReply>(reply).organizations));
}

HttpResponse show_created_api_key(const model::Reply& reply, const Audience& audience) {
  return json_answer(201, write_api_key(reply_as<model::ApiKeyReply>(reply).key, audience.api_key));
}

HttpResponse show_api_keys(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(200, write_api_keys(reply_as<model::ApiKeysReply>(reply).keys));
}

HttpResponse show_new_signing_key(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(201, write_signing_key(reply_as<model::SigningKeyReply>(reply).key));
}

HttpResponse show_signing_keys(const model::Reply& reply, const Audience& /*audience*/) {
  return json_answer(200, write_signing_keys(reply_as<model::SigningKeysReply>(reply).keys));
}

}  // namespace triggerd::api
