#include <chrono>

#include <gmock/gmock.h>

#include "engine/model/limits.h"
#include "tests/api/routes/api_fixture.h"

namespace triggerd::api {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

const std::string kHook = "/organizations/sync-hooks/token_minted";

class HookRoutesTest : public ApiTest {
 protected:
  model::CallHook call(std::string body, Fields further = {}, model::HookReply reply = {}) {
    return asked<model::CallHook>(Method::kPost, kHook, with_key("publish-key", std::move(further)),
                                  std::move(body), std::move(reply));
  }
  HttpResponse refused(std::string body, Fields further = {}) {
    return answer_to(Method::kPost, kHook, with_key("publish-key", std::move(further)),
                     std::move(body));
  }
};

TEST_F(HookRoutesTest, the_body_is_the_content_byte_for_byte) {
  const model::CallHook request = call(" \n{ \"a\" : 1.50,\"b\":\"\\u00e4\" }\r\n");
  EXPECT_EQ(request.content, "{ \"a\" : 1.50,\"b\":\"\\u00e4\" }");
  EXPECT_EQ(request.name, "token_minted");
  EXPECT_EQ(request.org, test_org());
  EXPECT_EQ(request.wait, base::Duration(0));
  EXPECT_EQ(request.id.to_string()[14], '7');
  EXPECT_EQ(request.traceparent, "");
}

TEST_F(HookRoutesTest, every_call_has_an_id_of_its_own) {
  EXPECT_NE(call("{}").id, call("{}").id);
}

TEST_F(HookRoutesTest, the_trace_goes_along) {
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_EQ(call("{}", {{"traceparent", trace}}).traceparent, trace);
}

TEST_F(HookRoutesTest, what_is_no_object_of_the_right_size_is_refused) {
  EXPECT_THAT(message_of(refused("[]"), 400), HasSubstr("body: expected an object, got a list"));
  EXPECT_THAT(message_of(refused(""), 400), HasSubstr("malformed JSON at byte 0"));
  EXPECT_THAT(message_of(refused(R"({"a":1,"a":2})"), 400), HasSubstr("twice"));
  const auto of_size = [](std::size_t bytes) {
    return R"({"a":")" + std::string(bytes - 8, 'x') + R"("})";
  };
  EXPECT_EQ(call(of_size(model::kEventContentBytesMax)).content.size(),
            model::kEventContentBytesMax);
  message_of(refused(of_size(model::kEventContentBytesMax + 1)), 413);
}

TEST_F(HookRoutesTest, a_wait_is_taken_and_told_that_it_was) {
  model::HookReply reply;
  reply.waited_for = seconds(7);
  EXPECT_EQ(call("{}", {{"Prefer", "respond-async, wait=7"}}, reply).wait, seconds(7));
  EXPECT_EQ(field_of(*response, "Preference-Applied"), "wait=7");
  call("{}");
  EXPECT_EQ(field_of(*response, "Preference-Applied"), "");
  EXPECT_EQ(call("{}", {{"prefer", "Wait = \"20\" ;x=1"}}).wait, seconds(20));
  EXPECT_EQ(call("{}", {{"Prefer", "return=minimal"}, {"Prefer", "wait=1, wait=2"}}).wait,
            seconds(1));
  for (const char* bad : {"wait", "wait=", "wait=0", "wait=21", "wait=1.5", "wait=-1", "wait=1s"}) {
    EXPECT_THAT(message_of(refused("{}", {{"Prefer", bad}}), 400), HasSubstr("from 1 to 20"))
        << bad;
  }
}

TEST_F(HookRoutesTest, all_faults_are_listed) {
  const HttpResponse answer = refused("[]", {{"Prefer", "wait=x"}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("Prefer"));
  EXPECT_THAT(answer.body, HasSubstr("body"));
}

TEST_F(HookRoutesTest, the_answer_has_everything) {
  model::HookReply reply;
  reply.claims = {{"n", "1.50"}, {"a\"b", "{ }"}};
  reply.conflicts = {"n"};
  reply.dropped = {"sub"};
  reply.webhooks = {{*model::WebhookId::parse(kWebhookText), model::OutcomeClass::kOk, 200,
                     std::chrono::microseconds(13'600)}};
  call("{}", {}, reply);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body,
            R"({"result":{"claims":{"n":1.50,"a\"b":{ }},"conflicts":["n"],)"
            R"("decision":"continue","dropped":["sub"],"webhooks":[{"duration_ms":14,)"
            R"("outcome":"ok","status":200,"webhook_id":")" +
                std::string(kWebhookText) + R"("}]}})");
}

TEST_F(HookRoutesTest, a_denial_has_a_reason) {
  model::HookReply reply;
  reply.decision = model::HookDecision::kDeny;
  reply.reason = "a \"b\"\n";
  call("{}", {}, reply);
  EXPECT_EQ(response->body, R"({"result":{"claims":{},"conflicts":[],"decision":"deny",)"
                            R"("dropped":[],"reason":"a \"b\"\u000a","webhooks":[]}})");
}

TEST_F(HookRoutesTest, the_scope_is_publish) {
  for (const char* key : {"read-key", "manage-key", "foreign-key"}) {
    EXPECT_EQ(answer_to(Method::kPost, kHook, with_key(key), "{}").status, 403) << key;
  }
  EXPECT_EQ(answer_to(Method::kGet, kHook, with_key("all-key")).status, 405);
}

TEST_F(HookRoutesTest, a_refusal_for_lack_of_room_says_when_to_come_back) {
  send(Method::kPost, kHook, with_key("publish-key"), "{}");
  backend.reply(model::Refusal{{{base::ErrorCode::kOverloaded, "too many"}}, seconds(1)});
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(field_of(*response, "Retry-After"), "1");
}

}  // namespace
}  // namespace triggerd::api
