#include <gmock/gmock.h>

#include "tests/api/routes/api_fixture.h"

namespace triggerd::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kOrgs = "/admin/organizations";
const std::string kOrg = kOrgs + "/" + std::string(kOrgText);
const std::string kKeys = kOrg + "/api-keys";

class AdminRoutesTest : public ApiTest {
 protected:
  static model::Organization organization() {
    return {test_org(), "Acme", *base::parse_rfc3339("2024-03-03T02:12:00.5Z")};
  }
  static model::ApiKey key() {
    model::ApiKey key;
    key.id = *model::ApiKeyId::parse("aaaaaaaa-0000-4000-8000-000000000001");
    key.org = test_org();
    key.name = "ci";
    key.scopes = model::kScopePublish | model::kScopeRead;
    key.created_at = *base::parse_rfc3339("2024-03-03T02:12:00Z");
    return key;
  }
};

constexpr std::string_view kOrgObject =
    R"({"created_at":"2024-03-03T02:12:00.5Z","id":"11111111-2222-4333-8444-555555555555",)"
    R"("name":"Acme"})";

TEST_F(AdminRoutesTest, an_organization_is_created_with_or_without_an_id) {
  auto request =
      asked<model::CreateOrganization>(Method::kPost, kOrgs, as_admin(), R"({"name":"Acme"})",
                                       model::OrganizationReply{organization()});
  EXPECT_EQ(request.name, "Acme");
  EXPECT_FALSE(request.id);
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, R"({"result":)" + std::string(kOrgObject) + "}");
  request = asked<model::CreateOrganization>(
      Method::kPost, kOrgs, as_admin(), R"({"name":"Acme","id":")" + std::string(kOrgText) + "\"}",
      model::OrganizationReply{organization()});
  EXPECT_EQ(request.id, test_org());
}

TEST_F(AdminRoutesTest, a_bad_organization_is_refused) {
  const auto refused = [&](std::string body) {
    return message_of(answer_to(Method::kPost, kOrgs, as_admin(), std::move(body)), 400);
  };
  EXPECT_THAT(refused("{}"), HasSubstr("name: required"));
  EXPECT_THAT(refused(R"({"name":7})"), HasSubstr("name: expected a string"));
  EXPECT_THAT(refused(R"({"name":"a","id":"x"})"), HasSubstr("id: must be a UUID"));
  EXPECT_THAT(refused("null"), HasSubstr("expected an object, got null"));
}

TEST_F(AdminRoutesTest, organizations_are_listed_shown_and_deleted) {
  asked<model::ListOrganizations>(Method::kGet, kOrgs, as_admin(), "", model::OrganizationsReply{});
  EXPECT_EQ(response->body, R"({"result":[]})");
  asked<model::ListOrganizations>(Method::kGet, kOrgs, as_admin(), "",
                                  model::OrganizationsReply{{organization()}});
  EXPECT_EQ(response->body, R"({"result":[)" + std::string(kOrgObject) + "]}");
  EXPECT_EQ(asked<model::GetOrganization>(Method::kGet, kOrg, as_admin(), "",
                                          model::OrganizationReply{organization()})
                .org,
            test_org());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(
      asked<model::DeleteOrganization>(Method::kDelete, kOrg, as_admin(), "", model::Done{}).org,
      test_org());
  EXPECT_EQ(response->status, 204);
}

TEST_F(AdminRoutesTest, ids_that_are_no_uuids_are_not_found) {
  for (const Method method : {Method::kGet, Method::kDelete}) {
    message_of(answer_to(method, kOrgs + "/acme", as_admin()), 404);
  }
  for (const Method method : {Method::kGet, Method::kPost}) {
    message_of(answer_to(method, kOrgs + "/acme/api-keys", as_admin(), "{}"), 404);
  }
  message_of(answer_to(Method::kDelete, kKeys + "/first", as_admin()), 404);
}

TEST_F(AdminRoutesTest, the_text_of_a_key_is_shown_when_it_is_made_and_never_again) {
  const auto request = asked<model::CreateApiKey>(Method::kPost, kKeys, as_admin(),
                                                  R"({"name":"ci","scopes":["read","publish"]})",
                                                  model::ApiKeyReply{key()});
  EXPECT_EQ(request.org, test_org());
  EXPECT_EQ(request.name, "ci");
  EXPECT_EQ(request.scopes, model::kScopePublish | model::kScopeRead);
  EXPECT_EQ(request.id, key().id);
  EXPECT_EQ(request.digest[0], 7);
  EXPECT_EQ(response->status, 201);
  const std::string common =
      R"("created_at":"2024-03-03T02:12:00Z","id":"aaaaaaaa-0000-4000-8000-000000000001",)"
      R"("name":"ci","scopes":["publish","read"]})";
  EXPECT_EQ(response->body, R"({"result":{"api_key":"minted-key-text",)" + common + "}");
  asked<model::ListApiKeys>(Method::kGet, kKeys, as_admin(), "", model::ApiKeysReply{{key()}});
  EXPECT_EQ(response->body, R"({"result":[{)" + common + "]}");
  EXPECT_EQ(asked<model::DeleteApiKey>(Method::kDelete, kKeys + "/" + key().id.to_string(),
                                       as_admin(), "", model::Done{})
                .id,
            key().id);
  EXPECT_EQ(response->status, 204);
}

TEST_F(AdminRoutesTest, a_key_has_all_scopes_and_a_name_unless_said_and_bad_ones_are_refused) {
  const auto request =
      asked<model::CreateApiKey>(Method::kPost, kKeys, as_admin(), "{}", model::ApiKeyReply{key()});
  EXPECT_EQ(request.scopes, model::kScopesAll);
  EXPECT_EQ(request.name, "api-key");
  const auto refused = [&](std::string body) {
    return message_of(answer_to(Method::kPost, kKeys, as_admin(), std::move(body)), 400);
  };
  EXPECT_THAT(refused(R"({"scopes":["admin"]})"), HasSubstr("is none of publish, read, manage"));
  EXPECT_THAT(refused(R"({"scopes":[]})"), HasSubstr("must not be empty"));
  EXPECT_THAT(refused(R"({"scopes":"read"})"), HasSubstr("expected a list"));
  EXPECT_THAT(refused(R"({"scopes":[1]})"), HasSubstr("expected a string"));
}

TEST_F(AdminRoutesTest, a_signing_key_is_minted_here_and_shown_without_its_private_part) {
  const model::WallTime made = *base::parse_rfc3339("2024-03-03T02:12:00Z");
  const auto request = asked<model::RotateSigningKey>(
      Method::kPost, "/admin/signing-keys/rotate", as_admin(), "",
      model::SigningKeyReply{{"kid-2", made, made + std::chrono::hours(1),
                              model::SigningKeyState::kWaiting, std::nullopt}});
  EXPECT_EQ(request.key.kid, "minted-kid");
  EXPECT_EQ(request.key.sealed_private_key, "sealed-private-key");
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(
      response->body,
      R"({"result":{"active_from":"2024-03-03T03:12:00Z","created_at":"2024-03-03T02:12:00Z",)"
      R"("kid":"kid-2","state":"waiting"}})");
}

TEST_F(AdminRoutesTest, signing_keys_are_listed_with_their_state) {
  const model::WallTime made = *base::parse_rfc3339("2024-03-03T02:12:00Z");
  asked<model::ListSigningKeys>(
      Method::kGet, "/admin/signing-keys", as_admin(), "",
      model::SigningKeysReply{
          {{"a", made, made, model::SigningKeyState::kRetiring, made + std::chrono::hours(3)},
           {"b", made, made, model::SigningKeyState::kActive, std::nullopt}}});
  EXPECT_EQ(response->status, 200);
  EXPECT_THAT(response->body, HasSubstr(R"("kid":"a","leaves_at":"2024-03-03T05:12:00Z",)"
                                        R"("state":"retiring")"));
  EXPECT_THAT(response->body, HasSubstr(R"("kid":"b","state":"active")"));
}

TEST_F(AdminRoutesTest, signing_keys_are_for_the_admin_token_alone) {
  EXPECT_EQ(answer_to(Method::kPost, "/admin/signing-keys/rotate", with_key("all-key")).status,
            403);
  EXPECT_EQ(answer_to(Method::kPost, "/admin/signing-keys/rotate", {}).status, 401);
  EXPECT_EQ(answer_to(Method::kGet, "/admin/signing-keys", with_key("all-key")).status, 403);
}

TEST_F(AdminRoutesTest, health_and_version_are_open_to_anyone) {
  HttpResponse answer = answer_to(Method::kGet, "/livez", {});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/plain");
  EXPECT_EQ(answer.body, "ok");
  answer = answer_to(Method::kGet, "/version", {});
  EXPECT_EQ(answer.body,
            std::string(R"({"name":"triggerd","version":")") + TRIGGERD_VERSION + "\"}");
  for (const char* path : {"/readyz", "/healthz"}) {
    backend.checks = {{"store", ""}, {"serving", ""}};
    EXPECT_EQ(answer_to(Method::kGet, path, {}).status, 200);
    backend.checks = {{"store", "store failed"}, {"engine", ""}, {"serving", "draining"}};
    answer = answer_to(Method::kGet, path, {});
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(field_of(answer, "Retry-After"), "1");
    EXPECT_THAT(answer.body, HasSubstr("draining"));
    EXPECT_THAT(answer.body, HasSubstr("store failed"));
    EXPECT_THAT(answer.body, Not(HasSubstr("engine")));
    EXPECT_EQ(answer_to(Method::kGet, "/livez", {}).status, 200);
  }
}

TEST_F(AdminRoutesTest, verbose_health_lists_every_check_as_text_or_json) {
  HttpResponse answer = answer_to(Method::kGet, "/readyz?verbose", {});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "[ok] store\n[ok] serving\nready\n");
  backend.checks = {{"store", ""}, {"serving", "draining: the \"end\""}};
  answer = answer_to(Method::kGet, "/healthz?a=b&verbose=1", {});
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(field_of(answer, "Retry-After"), "1");
  EXPECT_EQ(answer.content_type, "text/plain");
  EXPECT_EQ(answer.body, "[ok] store\n[--] serving: draining: the \"end\"\nnot ready\n");
  answer = answer_to(Method::kGet, "/healthz?verbose", {{"Accept", "application/json"}});
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(answer.body,
            R"({"status":"unavailable","checks":[{"name":"store","status":"ok"},)"
            R"({"name":"serving","status":"unavailable","reason":"draining: the \"end\""}]})");
}

TEST_F(AdminRoutesTest, backups_are_begun_and_listed_by_the_admin_token_alone) {
  EXPECT_EQ(answer_to(Method::kPost, "/admin/backups", with_key("all-key")).status, 403);
  EXPECT_EQ(answer_to(Method::kGet, "/admin/backups", {}).status, 401);
  model::Backup backup;
  backup.name = "20231114T221320.000Z";
  backup.path = "/backups/" + backup.name;
  backup.state = model::BackupState::kRunning;
  backup.created_at = base::WallTime(std::chrono::seconds(1'700'000'000));
  asked<model::StartBackup>(Method::kPost, "/admin/backups", as_admin(), "",
                            model::BackupReply{backup});
  EXPECT_EQ(response->status, 202);
  EXPECT_EQ(response->body,
            R"({"result":{"name":"20231114T221320.000Z","path":"/backups/20231114T221320.000Z",)"
            R"("state":"running","created_at":"2023-11-14T22:13:20Z","files":0,"bytes":0,)"
            R"("bytes_done":0}})");
  backup.state = model::BackupState::kFailed;
  backup.error = "no space";
  asked<model::ListBackups>(Method::kGet, "/admin/backups", as_admin(), "",
                            model::BackupsReply{{backup}});
  EXPECT_EQ(response->status, 200);
  EXPECT_THAT(response->body, HasSubstr(R"("state":"failed")"));
  EXPECT_THAT(response->body, HasSubstr(R"("error":"no space")"));
}

}  // namespace
}  // namespace triggerd::api
