// What is refused before the body is read: routes, methods, callers, media types, consistency.
#include <gmock/gmock.h>

#include "api/head_rules.h"
#include "api/routes.h"
#include "tests/api/routes/api_fixture.h"

namespace triggerd::api {
namespace {

using ::testing::HasSubstr;

const std::string kWebhooks = "/organizations/webhooks";
const std::string kWebhook = kWebhooks + "/" + std::string(kWebhookText);

class DoorTest : public ApiTest {
 protected:
  std::string refused(int status, Method method, std::string target, Fields fields) {
    const HttpResponse answer = answer_to(method, std::move(target), std::move(fields));
    EXPECT_TRUE(answered_on_head);
    return message_of(answer, status);
  }
  // One real path of each route.
  static std::string path_of(const Route& route) {
    std::string path;
    for (std::size_t at = 0; at < route.path.size(); ++at) {
      if (route.path[at] == '{') {
        path += kWebhookText;
        at = route.path.find('}', at);
      } else {
        path += route.path[at];
      }
    }
    return path;
  }
};

TEST_F(DoorTest, an_unknown_route_is_plain_text) {
  for (const char* path :
       {"/", "/organizations", "/organizations/webhooks/", "/organizations/webhooks/a/b",
        "/organizations//webhooks", "/Organizations/webhooks", "*", "", "organizations/webhooks",
        "/admin", "/admin/organizations/x/api-keys/y/z", "/test-events/", "/livez/", "/actions/sdk",
        "/events"}) {
    const HttpResponse answer = answer_to(Method::kGet, path, with_key("all-key"));
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(answer.content_type, "text/plain");
    EXPECT_EQ(answer.body, "404 page not found");
    EXPECT_TRUE(answered_on_head);
  }
}

TEST_F(DoorTest, a_wrong_method_is_405_with_what_is_allowed) {
  const auto allowed = [&](Method method, std::string path) {
    const HttpResponse answer = answer_to(method, std::move(path), {});
    message_of(answer, 405);
    EXPECT_TRUE(answered_on_head);
    return field_of(answer, "Allow");
  };
  EXPECT_EQ(allowed(Method::kPut, kWebhooks), "POST, GET, HEAD");
  EXPECT_EQ(allowed(Method::kOptions, kWebhook), "GET, HEAD, PATCH, DELETE");
  EXPECT_EQ(allowed(Method::kPatch, kWebhook + "/triggers"), "GET, HEAD, POST, DELETE");
  EXPECT_EQ(allowed(Method::kDelete, kWebhooks + "/verification-jwks"), "GET, HEAD");
  EXPECT_EQ(allowed(Method::kDelete, "/organizations/events"), "POST, GET, HEAD");
  EXPECT_EQ(allowed(Method::kGet, "/test-events"), "POST");
  EXPECT_EQ(allowed(Method::kHead, "/test-events"), "POST");
  EXPECT_EQ(allowed(Method::kPost, "/livez"), "GET, HEAD");
  EXPECT_EQ(allowed(Method::kTrace, "/livez"), "GET, HEAD");
}

TEST_F(DoorTest, head_is_served_where_get_is) {
  const HttpResponse answer = answer_to(Method::kHead, "/livez", {});
  EXPECT_EQ(answer.status, 200);
}

TEST_F(DoorTest, every_route_of_an_organization_wants_a_key_its_organization_and_the_scope) {
  for (const Route& route : all_routes()) {
    const bool keyed = route.access == Access::kPublish || route.access == Access::kRead ||
                       route.access == Access::kManage;
    if (!keyed) continue;
    const std::string path = path_of(route);
    SCOPED_TRACE(path);
    EXPECT_THAT(refused(401, route.method, path, {{"SlashID-OrgID", std::string(kOrgText)}}),
                HasSubstr("API key is required"));
    EXPECT_EQ(field_of(*response, "WWW-Authenticate"), "Bearer");
    refused(401, route.method, path, with_key(""));
    refused(401, route.method, path, with_key("no-such-key"));
    refused(401, route.method, path, with_key("admin-token"));
    EXPECT_THAT(refused(400, route.method, path, {{"SlashID-API-Key", "all-key"}}),
                HasSubstr("SlashID-OrgID"));
    EXPECT_THAT(refused(400, route.method, path,
                        {{"SlashID-API-Key", "all-key"}, {"SlashID-OrgID", "org"}}),
                HasSubstr("SlashID-OrgID"));
    EXPECT_THAT(refused(403, route.method, path, with_key("foreign-key")),
                HasSubstr("another organization"));

    const auto opens = [&](const char* key) {
      send(route.method, path, with_key(key), "{}");
      return !answered_on_head;
    };
    EXPECT_TRUE(opens("all-key"));
    EXPECT_EQ(opens("publish-key"), route.access == Access::kPublish);
    EXPECT_EQ(opens("read-key"), route.access == Access::kRead);
    EXPECT_EQ(opens("manage-key"), route.access != Access::kPublish);
  }
}

TEST_F(DoorTest, a_missing_scope_is_named) {
  EXPECT_THAT(refused(403, Method::kPost, kWebhooks, with_key("read-key")), HasSubstr("manage"));
  EXPECT_THAT(refused(403, Method::kGet, kWebhooks, with_key("publish-key")), HasSubstr("read"));
  EXPECT_THAT(refused(403, Method::kPost, "/organizations/events", with_key("manage-key")),
              HasSubstr("publish"));
}

TEST_F(DoorTest, a_key_may_come_as_bearer_token_but_not_twice) {
  const HttpField org{"SlashID-OrgID", std::string(kOrgText)};
  for (const char* value : {"Bearer all-key", "bearer all-key", "BEARER  all-key"}) {
    asked<model::ListWebhooks>(Method::kGet, kWebhooks, {org, {"authorization", value}}, "",
                               model::WebhooksReply{});
    EXPECT_EQ(response->status, 200) << value;
  }
  for (const char* value : {"Basic YTpi", "all-key", "Bearer", "Bearer ", "Bearerall-key", ""}) {
    refused(401, Method::kGet, kWebhooks, {org, {"Authorization", value}});
  }
  EXPECT_THAT(refused(400, Method::kGet, kWebhooks,
                      with_key("all-key", {{"Authorization", "Bearer all-key"}})),
              HasSubstr("one of them"));
  refused(400, Method::kGet, kWebhooks, with_key("all-key", {{"SlashID-API-Key", "all-key"}}));
  EXPECT_THAT(refused(400, Method::kGet, kWebhooks,
                      with_key("all-key", {{"SlashID-OrgID", std::string(kOrgText)}})),
              HasSubstr("SlashID-OrgID"));
}

TEST_F(DoorTest, admin_routes_want_the_admin_token) {
  for (const Route& route : all_routes()) {
    if (route.access != Access::kAdmin) continue;
    const std::string path = path_of(route);
    SCOPED_TRACE(path);
    refused(401, route.method, path, {});
    refused(401, route.method, path, {{"Authorization", "Bearer wrong"}});
    refused(401, route.method, path, {{"SlashID-API-Key", "admin-token"}});
    refused(403, route.method, path, with_key("all-key"));
    refused(403, route.method, path, {{"Authorization", "Bearer all-key"}});
    send(route.method, path, as_admin(), "{}");
    EXPECT_FALSE(answered_on_head);
  }
}

TEST_F(DoorTest, json_routes_take_json_in_utf_8_alone) {
  const auto decided = [&](Fields further) {
    send(Method::kPatch, kWebhook, with_key("all-key", std::move(further)), "{}");
    return answered_on_head ? response->status : 0;
  };
  EXPECT_EQ(decided({}), 0);
  for (const char* type :
       {"application/json", "Application/JSON", "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"", "application/json ; x=y; charset=UTF-8"}) {
    EXPECT_EQ(decided({{"Content-Type", type}}), 0) << type;
  }
  for (const char* type :
       {"", "text/plain", "text/json", "application/x-ndjson", "application/cloudevents+json",
        "application/cloudevents-batch+json", "application/json; charset=latin1",
        "application/json; charset=utf-16", "application/jsonx", "application/json, text/plain",
        "application/x-www-form-urlencoded", "application/json; x=y; charset=ascii"}) {
    EXPECT_EQ(decided({{"Content-Type", type}}), 415) << type;
    EXPECT_THAT(response->body, HasSubstr("Content-Type"));
  }
  EXPECT_EQ(decided({{"Content-Type", "application/json"}, {"Content-Type", "text/plain"}}), 415);
  EXPECT_EQ(decided({{"Content-Encoding", "gzip"}}), 415);
  EXPECT_EQ(decided({{"Content-Encoding", "identity"}}), 0);
}

TEST_F(DoorTest, a_declared_length_over_the_limit_is_413_and_closes) {
  const auto decided = [&](std::string length) {
    send(Method::kPost, kWebhooks, with_key("all-key", {{"Content-Length", std::move(length)}}),
         "{}");
    return answered_on_head ? response->status : 0;
  };
  EXPECT_EQ(decided("4194304"), 0);
  EXPECT_EQ(decided("4194305"), 413);
  EXPECT_TRUE(response->close);
  EXPECT_EQ(decided("99999999999999999999999"), 413);
}

// Rows 1, 4, 5, 7 and 8 of CONTRACT B1.1.
bool is_one_of_the_five(const Route& route) {
  constexpr std::string_view webhooks = "/organizations/webhooks";
  constexpr std::string_view webhook = "/organizations/webhooks/{webhook_id}";
  constexpr std::string_view triggers = "/organizations/webhooks/{webhook_id}/triggers";
  switch (route.method) {
    case Method::kPost:
      return route.path == webhooks || route.path == triggers;
    case Method::kPatch:
      return route.path == webhook;
    case Method::kDelete:
      return route.path == webhook || route.path == triggers;
    default:
      return false;
  }
}

TEST_F(DoorTest, consistency_headers_are_checked_on_the_five_writes_alone) {
  for (const Route& route : all_routes()) {
    if (route.access == Access::kAdmin || route.access == Access::kOpen) continue;
    Fields fields = with_key("all-key", {{"SlashID-Required-Consistency", "everywhere"}});
    send(route.method, path_of(route), fields, "{}");
    EXPECT_EQ(answered_on_head && response->status == 400, is_one_of_the_five(route)) << route.path;
  }
}

struct ConsistencyCase {
  const char* level;
  const char* timeout;
  int seconds;  // 0: refused
};

TEST_F(DoorTest, consistency_header_values) {
  const ConsistencyCase cases[] = {
      {nullptr, nullptr, 30},
      {"local_region", nullptr, 30},
      {"all_regions", nullptr, 30},
      {nullptr, "1", 1},
      {nullptr, "120", 120},
      {"all_regions", "45", 45},
      {"", nullptr, 0},
      {"Local_Region", nullptr, 0},
      {"local_region,", nullptr, 0},
      {"global", nullptr, 0},
      {nullptr, "0", 0},
      {nullptr, "121", 0},
      {nullptr, "-1", 0},
      {nullptr, "+1", 0},
      {nullptr, "1.5", 0},
      {nullptr, "30s", 0},
      {nullptr, "", 0},
      {nullptr, "007", 0},
      {nullptr, "4294967297", 0},
      {nullptr, "0x1e", 0},
      {nullptr, " ", 0},
      {"global", "30", 0},
  };
  for (const ConsistencyCase& row : cases) {
    HttpRequest head;
    if (row.level != nullptr) head.fields.push_back({"SlashID-Required-Consistency", row.level});
    if (row.timeout != nullptr) {
      head.fields.push_back({"slashid-required-consistency-timeout", row.timeout});
    }
    const base::Result<base::Duration> timeout =
        consistency_timeout(head, std::chrono::seconds(30));
    SCOPED_TRACE(std::string(row.level ? row.level : "-") + " " +
                 (row.timeout ? row.timeout : "-"));
    ASSERT_EQ(timeout.ok(), row.seconds != 0);
    if (timeout.ok()) {
      EXPECT_EQ(timeout.value(), std::chrono::seconds(row.seconds));
    } else {
      EXPECT_THAT(timeout.error().message, HasSubstr("SlashID-Required-Consistency"));
    }
  }
  HttpRequest twice;
  twice.fields.assign(2, {"SlashID-Required-Consistency-Timeout", "5"});
  EXPECT_FALSE(consistency_timeout(twice, std::chrono::seconds(30)).ok());
}

}  // namespace
}  // namespace triggerd::api
