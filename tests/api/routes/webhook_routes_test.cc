#include <gmock/gmock.h>

#include "tests/api/routes/api_fixture.h"

namespace triggerd::api {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kWebhooks = "/organizations/webhooks";

std::string webhook_path(std::string_view rest = {}) {
  return std::string(kWebhooks) + "/" + std::string(kWebhookText) + std::string(rest);
}

std::shared_ptr<model::Webhook> example_webhook() {
  auto webhook = std::make_shared<model::Webhook>();
  webhook->id = *model::WebhookId::parse(kWebhookText);
  webhook->org = test_org();
  webhook->name = "example";
  webhook->target_url = "https://example.com/slashid/webhook";
  return webhook;
}

class WebhookRoutesTest : public ApiTest {};

constexpr std::string_view kPlainWebhook =
    R"({"result":{"description":"","id":"065e3dc5-c222-7333-8444-000000000001","name":"example",)"
    R"("target_url":"https://example.com/slashid/webhook","timeout":"0s"}})";

TEST_F(WebhookRoutesTest, creating_answers_201_with_the_webhook_as_the_sandbox_shows_it) {
  const auto request = asked<model::CreateWebhook>(
      Method::kPost, std::string(kWebhooks), with_key("manage-key"),
      R"({"name":"example","target_url":"https://example.com/slashid/webhook"})",
      model::WebhookReply{example_webhook()});
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->content_type, "application/json");
  EXPECT_EQ(response->body, kPlainWebhook);
  EXPECT_EQ(request.org, test_org());
  EXPECT_EQ(request.draft.name, "example");
  EXPECT_EQ(request.draft.target_url, "https://example.com/slashid/webhook");
  EXPECT_FALSE(request.draft.description);
  EXPECT_FALSE(request.draft.timeout);
  EXPECT_FALSE(request.draft.custom_headers);
}

TEST_F(WebhookRoutesTest, every_field_of_a_webhook_is_read_and_shown) {
  auto webhook = example_webhook();
  webhook->description = "caf\xc3\xa9 \"x\"";
  webhook->timeout = std::chrono::milliseconds(1500);
  webhook->custom_headers = {{"X-Two", {"a", "b"}}, {"X-One", {"c"}}};
  const auto request = asked<model::CreateWebhook>(
      Method::kPost, std::string(kWebhooks), with_key("manage-key"),
      R"({"name":"n","target_url":"u","description":"d\u00e9","timeout":"1500ms","later":[1],)"
      R"("custom_headers":{"X-Two":["a","b"],"X-One":["c"],"X-None":[]}})",
      model::WebhookReply{webhook});
  EXPECT_EQ(request.draft.description, "d\xc3\xa9");
  EXPECT_EQ(request.draft.timeout, "1500ms");
  ASSERT_TRUE(request.draft.custom_headers);
  const std::vector<model::Header> headers = {
      {"X-Two", {"a", "b"}}, {"X-One", {"c"}}, {"X-None", {}}};
  EXPECT_EQ(*request.draft.custom_headers, headers);
  EXPECT_EQ(response->body,
            R"({"result":{"custom_headers":{"X-One":["c"],"X-Two":["a","b"]},)"
            "\"description\":\"caf\xc3\xa9 \\\"x\\\"\","
            R"("id":"065e3dc5-c222-7333-8444-000000000001","name":"example",)"
            R"("target_url":"https://example.com/slashid/webhook","timeout":"1.5s"}})");
}

TEST_F(WebhookRoutesTest, header_values_are_masked_for_keys_that_may_not_manage) {
  auto webhook = example_webhook();
  webhook->custom_headers = {{"X-Secret", {"s3cr3t", "more"}}};
  const auto shown_to = [&](const char* key) {
    asked<model::GetWebhook>(Method::kGet, webhook_path(), with_key(key), "",
                             model::WebhookReply{webhook});
    return response->body;
  };
  EXPECT_THAT(shown_to("read-key"), HasSubstr(R"("custom_headers":{"X-Secret":["***","***"]})"));
  EXPECT_THAT(shown_to("manage-key"), HasSubstr(R"({"X-Secret":["s3cr3t","more"]})"));
  asked<model::ListWebhooks>(Method::kGet, std::string(kWebhooks), with_key("read-key"), "",
                             model::WebhooksReply{{webhook}});
  EXPECT_THAT(response->body, ::testing::Not(HasSubstr("s3cr3t")));
}

TEST_F(WebhookRoutesTest, an_empty_list_is_a_list) {
  const auto request = asked<model::ListWebhooks>(Method::kGet, std::string(kWebhooks),
                                                  with_key("read-key"), "", model::WebhooksReply{});
  EXPECT_EQ(request.org, test_org());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, R"({"result":[]})");
  asked<model::ListTriggers>(Method::kGet, webhook_path("/triggers"), with_key("read-key"), "",
                             model::TriggersReply{});
  EXPECT_EQ(response->body, R"({"result":[]})");
}

TEST_F(WebhookRoutesTest, getting_and_patching_answer_200_with_the_webhook) {
  const auto got = asked<model::GetWebhook>(Method::kGet, webhook_path(), with_key("read-key"), "",
                                            model::WebhookReply{example_webhook()});
  EXPECT_EQ(got.id.to_string(), kWebhookText);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, kPlainWebhook);
  const auto patched = asked<model::PatchWebhook>(
      Method::kPatch, webhook_path(), with_key("manage-key"), R"({"custom_headers":{}})",
      model::WebhookReply{example_webhook()});
  EXPECT_EQ(patched.id.to_string(), kWebhookText);
  ASSERT_TRUE(patched.draft.custom_headers);
  EXPECT_TRUE(patched.draft.custom_headers->empty());
  EXPECT_FALSE(patched.draft.name);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, kPlainWebhook);
}

TEST_F(WebhookRoutesTest, deleting_answers_204_without_a_body) {
  asked<model::DeleteWebhook>(Method::kDelete, webhook_path(), with_key("manage-key"), "",
                              model::Done{});
  EXPECT_EQ(response->status, 204);
  EXPECT_EQ(response->body, "");
  EXPECT_EQ(response->content_type, "");
}

TEST_F(WebhookRoutesTest, a_content_type_without_a_body_is_fine_on_get_and_delete) {
  asked<model::ListWebhooks>(Method::kGet, std::string(kWebhooks),
                             with_key("read-key", {{"Content-Type", "application/json"}}), "",
                             model::WebhooksReply{});
  EXPECT_EQ(response->status, 200);
  asked<model::DeleteWebhook>(Method::kDelete, webhook_path(),
                              with_key("manage-key", {{"Content-Type", "application/json"}}), "",
                              model::Done{});
  EXPECT_EQ(response->status, 204);
}

TEST_F(WebhookRoutesTest, adding_a_trigger_answers_201_with_an_empty_object) {
  const auto request = asked<model::AddTrigger>(
      Method::kPost, webhook_path("/triggers"), with_key("manage-key"),
      R"({"trigger_type":"event","trigger_name":"PersonCreated_v1"})", model::TriggerAdded{});
  EXPECT_EQ(request.type, "event");
  EXPECT_EQ(request.name, "PersonCreated_v1");
  EXPECT_EQ(request.id.to_string(), kWebhookText);
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, "{}");
}

TEST_F(WebhookRoutesTest, listed_triggers_have_exactly_two_fields) {
  std::vector<model::Trigger> triggers(2);
  triggers[0].name = "PersonCreated_v1";
  triggers[1].type = model::TriggerType::kSyncHook;
  triggers[1].name = "token_minted";
  asked<model::ListTriggers>(Method::kGet, webhook_path("/triggers"), with_key("read-key"), "",
                             model::TriggersReply{triggers});
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body,
            R"({"result":[{"trigger_name":"PersonCreated_v1","trigger_type":"event"},)"
            R"({"trigger_name":"token_minted","trigger_type":"sync_hook"}]})");
}

TEST_F(WebhookRoutesTest, removing_a_trigger_takes_the_pair_from_the_query) {
  const auto request = asked<model::RemoveTrigger>(
      Method::kDelete, webhook_path("/triggers?trigger_name=Person%43reated_v1&trigger_type=event"),
      with_key("manage-key"), "", model::Done{});
  EXPECT_EQ(request.type, "event");
  EXPECT_EQ(request.name, "PersonCreated_v1");
  EXPECT_EQ(response->status, 204);
}

TEST_F(WebhookRoutesTest, removing_a_trigger_needs_both_parameters_once) {
  const auto refused = [&](const std::string& query) {
    return message_of(
        answer_to(Method::kDelete, webhook_path("/triggers" + query), with_key("manage-key")), 400);
  };
  EXPECT_THAT(refused("?trigger_type=event"), HasSubstr("trigger_name"));
  EXPECT_THAT(refused("?trigger_name=x"), HasSubstr("trigger_type"));
  EXPECT_THAT(refused("?trigger_name=x&trigger_type="), HasSubstr("trigger_type"));
  EXPECT_THAT(refused("?trigger_name=x&trigger_type=event&trigger_name=x"),
              HasSubstr("trigger_name: stands more than once"));
  EXPECT_THAT(refused("?trigger_name=%zz&trigger_type=event"), HasSubstr("trigger_name"));
  const HttpResponse both =
      answer_to(Method::kDelete, webhook_path("/triggers"), with_key("manage-key"));
  EXPECT_THAT(both.body, HasSubstr("trigger_type"));
  EXPECT_THAT(both.body, HasSubstr("trigger_name"));
}

TEST_F(WebhookRoutesTest, an_id_that_is_no_uuid_is_that_of_no_webhook) {
  for (const char* id : {"wh_abc123", "065e3dc5", "%zz", "065e3dc5c222733384440000000000010000"}) {
    const std::string path = std::string(kWebhooks) + "/" + id;
    EXPECT_THAT(message_of(answer_to(Method::kGet, path, with_key("all-key")), 404),
                HasSubstr("not found"));
    EXPECT_THAT(message_of(answer_to(Method::kPatch, path, with_key("all-key"), "{}"), 404),
                HasSubstr("not found"));
    EXPECT_THAT(message_of(answer_to(Method::kDelete, path, with_key("all-key")), 404),
                HasSubstr("not found"));
    for (const Method method : {Method::kGet, Method::kPost, Method::kDelete}) {
      EXPECT_THAT(message_of(answer_to(method, path + "/triggers", with_key("all-key"), "{}"), 404),
                  HasSubstr("not found"));
    }
  }
}

TEST_F(WebhookRoutesTest, refusals_of_the_engine_become_envelopes_with_every_fault) {
  asked<model::CreateWebhook>(
      Method::kPost, std::string(kWebhooks), with_key("all-key"), "{}",
      model::Refusal{{{base::ErrorCode::kInvalid, "name: required"},
                      {base::ErrorCode::kInvalid, "target_url: \"x\" is not https"}},
                     {}});
  EXPECT_EQ(response->status, 400);
  EXPECT_EQ(response->body, R"({"errors":[{"httpcode":400,"message":"name: required"},)"
                            R"({"httpcode":400,"message":"target_url: \"x\" is not https"}]})");
  asked<model::CreateWebhook>(Method::kPost, std::string(kWebhooks), with_key("all-key"), "{}",
                              model::Refusal{{{base::ErrorCode::kConflict, "in use"}}, {}});
  EXPECT_EQ(message_of(*response, 409), "in use");
  asked<model::GetWebhook>(Method::kGet, webhook_path(), with_key("all-key"), "",
                           model::Refusal{{{base::ErrorCode::kNotFound, "gone"}}, {}});
  EXPECT_EQ(message_of(*response, 404), "gone");
}

TEST_F(WebhookRoutesTest, wrong_types_name_the_field_and_what_it_should_be) {
  const auto refused = [&](std::string body) {
    const auto request = asked<model::CreateWebhook>(
        Method::kPost, std::string(kWebhooks), with_key("all-key"), std::move(body),
        model::Refusal{{{base::ErrorCode::kInvalid, "as told"}}, {}});
    return request.draft.faults.empty() ? std::string() : request.draft.faults[0].message;
  };
  EXPECT_EQ(refused(R"({"name":1})"), "name: expected a string, got a number");
  EXPECT_EQ(refused(R"({"description":null})"), "description: expected a string, got null");
  EXPECT_EQ(refused(R"({"timeout":true})"), "timeout: expected a string, got a boolean");
  EXPECT_EQ(refused(R"({"target_url":[]})"), "target_url: expected a string, got a list");
  EXPECT_EQ(refused(R"({"custom_headers":[]})"), "custom_headers: expected an object, got a list");
  EXPECT_EQ(refused(R"({"custom_headers":{"X-A":"b"}})"),
            "custom_headers.X-A: expected a list of strings, got a string");
  EXPECT_EQ(refused(R"({"custom_headers":{"X-A":["b",{}]}})"),
            "custom_headers.X-A: expected a string, got an object");
  EXPECT_EQ(refused(R"({"delivery":[]})"), "delivery: expected an object, got a list");
}

TEST_F(WebhookRoutesTest, a_document_that_is_none_is_refused_at_once) {
  const auto refused = [&](std::string body) {
    return message_of(
        answer_to(Method::kPost, std::string(kWebhooks), with_key("all-key"), std::move(body)),
        400);
  };
  EXPECT_EQ(refused("[]"), "body: expected an object, got a list");
  EXPECT_EQ(refused(""), "malformed JSON at byte 0: the document ends too early");
  EXPECT_EQ(refused(R"({"name":"a","n\u0061me":"b"})"),
            R"(JSON: the name \"name\" stands twice in one object)");
}

TEST_F(WebhookRoutesTest, a_trigger_needs_both_fields_as_strings) {
  const auto refused = [&](std::string body) {
    return answer_to(Method::kPost, webhook_path("/triggers"), with_key("all-key"),
                     std::move(body));
  };
  const HttpResponse empty = refused("{}");
  EXPECT_EQ(empty.status, 400);
  EXPECT_THAT(empty.body, HasSubstr("trigger_type: required"));
  EXPECT_THAT(empty.body, HasSubstr("trigger_name: required"));
  EXPECT_EQ(message_of(refused(R"({"trigger_type":1,"trigger_name":"x"})"), 400),
            "trigger_type: expected a string, got a number");
  EXPECT_EQ(message_of(refused(R"({"trigger_type":"event","trigger_name":["x"]})"), 400),
            "trigger_name: expected a string, got a list");
  EXPECT_THAT(
      message_of(
          refused(R"({"trigger_type":"e","trigger_name":"n","trigger\u005fname":"injected"})"),
          400),
      HasSubstr("twice"));
  EXPECT_THAT(message_of(refused(R"({"trigger_type":"e","trigger_name":"n","filter":{}})"), 400),
              HasSubstr("filter: is empty"));
}

TEST_F(WebhookRoutesTest, the_jwks_is_bare_and_needs_no_key) {
  const std::string path = std::string(kWebhooks) + "/verification-jwks";
  for (const Fields& fields :
       {Fields{{"SlashID-OrgID", std::string(kOrgText)}},
        Fields{{"slashid-orgid", std::string(kOrgText)}, {"SlashID-API-Key", "unknown"}},
        Fields{{"SlashID-OrgID", std::string(kOrgText)},
               {"SlashID-API-Key", "a"},
               {"Authorization", "Bearer b"}}}) {
    const auto request =
        asked<model::GetJwks>(Method::kGet, path, fields, "",
                              model::JwksReply{{{"kid-1", "x-1", "y-1"}, {"kid-2", "x-2", "y-2"}}});
    EXPECT_EQ(request.org, test_org());
    EXPECT_EQ(request.client, *model::IpAddress::parse("::"));
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->content_type, "application/json");
    EXPECT_EQ(response->body,
              R"({"keys":[{"alg":"ES256","crv":"P-256","key_ops":["verify"],"kid":"kid-1",)"
              R"("kty":"EC","use":"sig","x":"x-1","y":"y-1"},)"
              R"({"alg":"ES256","crv":"P-256","key_ops":["verify"],"kid":"kid-2",)"
              R"("kty":"EC","use":"sig","x":"x-2","y":"y-2"}]})");
  }
  EXPECT_EQ(backend.authentications, 0);
  EXPECT_THAT(message_of(answer_to(Method::kGet, path, {}), 400), HasSubstr("SlashID-OrgID"));
}

// --- Signing secrets --------------------------------------------------------------------------

model::SigningSecret secret_of_sevens() {
  model::SigningSecret secret;
  secret.hmac_key.fill(7);
  secret.ed25519_public.fill(0xff);
  secret.created_at = *base::parse_rfc3339("2024-03-03T02:12:00Z");
  return secret;
}

TEST_F(WebhookRoutesTest, a_rotated_secret_is_minted_here_and_shown_once) {
  const std::string path = std::string(kWebhooks) + "/" + std::string(kWebhookText) + "/secret";
  const model::SigningSecret secret = secret_of_sevens();
  const auto request = asked<model::RotateSecret>(
      Method::kPost, path + "/rotate", with_key("manage-key"), "",
      model::SecretRotated{secret, secret.created_at + std::chrono::hours(24)});
  EXPECT_EQ(request.secret.hmac_key, secret.hmac_key);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, R"({"result":{"created_at":"2024-03-03T02:12:00Z",)"
                            R"("previous_expires_at":"2024-03-04T02:12:00Z",)"
                            R"("public_key":"whpk_//////////////////////////////////////////8=",)"
                            R"("secret":"whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="}})");
  EXPECT_EQ(answer_to(Method::kPost, path + "/rotate", with_key("read-key")).status, 403);
  EXPECT_EQ(answer_to(Method::kPost, path + "/rotate", {}).status, 401);
}

TEST_F(WebhookRoutesTest, a_secret_is_described_and_never_shown) {
  const std::string path = std::string(kWebhooks) + "/" + std::string(kWebhookText) + "/secret";
  const model::SigningSecret secret = secret_of_sevens();
  asked<model::GetSecret>(
      Method::kGet, path, with_key("read-key"), "",
      model::SecretReply{secret.created_at, secret.ed25519_public, std::nullopt});
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body,
            R"({"result":{"created_at":"2024-03-03T02:12:00Z",)"
            R"("public_key":"whpk_//////////////////////////////////////////8="}})");
}

}  // namespace
}  // namespace triggerd::api
