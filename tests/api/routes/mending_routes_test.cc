// Mending at the edge: what is asked of the engine, and how its answers are shown.
#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>

#include "tests/api/routes/api_fixture.h"

namespace triggerd::api {
namespace {

using ::testing::HasSubstr;

const std::string kWebhook = "/organizations/webhooks/" + std::string(kWebhookText);
const std::string kEventId = "0d9b9ef5-7b3a-4b5e-9a39-3f0a3b7d1c11";
const std::string kDelivery = kWebhook + "/deliveries/" + kEventId;
const std::string kJobText = "0192f0c4-2222-7d2e-9c3f-000000000001";
const std::string kDead = "/organizations/dead-letters";

model::WallTime time_of(std::string_view text) {
  return base::parse_rfc3339(text).value();
}

class MendingRoutesTest : public ApiTest {
 protected:
  static model::WebhookId webhook() { return *model::WebhookId::parse(kWebhookText); }
  static model::EventId event() { return *model::EventId::parse(kEventId); }
  static model::RecoverJob job() {
    model::RecoverJob job;
    job.id = *model::JobId::parse(kJobText);
    job.org = test_org();
    job.webhook_id = webhook();
    job.since = time_of("2026-01-01T00:00:00Z");
    job.until = time_of("2026-01-02T00:00:00Z");
    job.per_second = 50;
    job.created_at = job.until;
    job.recovered = 3;
    return job;
  }
  static model::DeadLetter letter() {
    model::DeadLetter letter;
    letter.webhook = model::WebhookRef(7);
    letter.webhook_id = webhook();
    letter.delivery.seq = model::EventSeq(9);
    letter.delivery.event_id = event();
    letter.delivery.event_name = "PersonCreated_v1";
    letter.delivery.accepted_at = time_of("2026-01-01T00:00:00Z");
    letter.delivery.state = model::DeliveryState::kDead;
    letter.delivery.attempts = 1;
    model::AttemptRecord last;
    last.state_after = model::DeliveryState::kDead;
    last.outcome.kind = model::OutcomeClass::kHttpError;
    last.outcome.http_status = 500;
    last.outcome.answer = "no";
    last.outcome.started_at = letter.delivery.accepted_at;
    letter.delivery.last_attempt = last;
    return letter;
  }
  std::string recovery_refused(const std::string& body) {
    return message_of(answer_to(Method::kPost, kWebhook + "/recover", with_key("manage-key"), body),
                      400);
  }
};

TEST_F(MendingRoutesTest, retry_and_skip_name_the_delivery) {
  const auto retry = asked<model::RetryDelivery>(
      Method::kPost, kDelivery + "/retry", with_key("manage-key"), {},
      model::DeliveryMended{webhook(), event(), model::DeliveryState::kReady, 2});
  EXPECT_EQ(retry.org, test_org());
  EXPECT_EQ(retry.webhook, webhook());
  EXPECT_EQ(retry.event, event());
  EXPECT_EQ(response->status, 202);
  EXPECT_EQ(response->body, R"({"result":{"attempts":2,"event_id":")" + kEventId +
                                R"(","status":"pending","webhook_id":")" +
                                std::string(kWebhookText) + R"("}})");
  asked<model::SkipDelivery>(
      Method::kPost, kDelivery + "/skip", with_key("manage-key"), {},
      model::DeliveryMended{webhook(), event(), model::DeliveryState::kDead, 0});
  EXPECT_EQ(response->status, 200);
  EXPECT_THAT(response->body, HasSubstr(R"("status":"dead")"));
}

TEST_F(MendingRoutesTest, what_changes_wants_the_scope_manage) {
  for (const std::string& path :
       {kDelivery + "/retry", kDelivery + "/skip", kWebhook + "/recover", kWebhook + "/test"}) {
    const auto answer = answer_to(Method::kPost, path, with_key("read-key"), "{}");
    EXPECT_EQ(answer.status, 403) << path;
  }
  EXPECT_EQ(
      answer_to(Method::kDelete, "/organizations/jobs/" + kJobText, with_key("read-key")).status,
      403);
}

TEST_F(MendingRoutesTest, ids_that_are_none_are_of_nothing) {
  for (const std::string& path :
       {"/organizations/webhooks/x/deliveries/" + kEventId + "/retry",
        kWebhook + "/deliveries/x/retry", std::string("/organizations/webhooks/x/recover"),
        std::string("/organizations/webhooks/x/test")}) {
    EXPECT_EQ(answer_to(Method::kPost, path, with_key("all-key"), "{}").status, 404) << path;
  }
  EXPECT_EQ(answer_to(Method::kGet, "/organizations/jobs/x", with_key("all-key")).status, 404);
}

TEST_F(MendingRoutesTest, a_recovery_has_its_defaults_and_its_job_is_shown) {
  const auto start =
      asked<model::StartRecovery>(Method::kPost, kWebhook + "/recover", with_key("manage-key"),
                                  R"({"since":"2026-01-01T00:00:00Z"})", model::JobReply{job()});
  EXPECT_EQ(start.since, time_of("2026-01-01T00:00:00Z"));
  EXPECT_EQ(start.until, std::nullopt);
  EXPECT_EQ(start.states, model::kRecoverDead);
  EXPECT_EQ(start.per_second, model::kRecoverPerSecondDefault);
  EXPECT_EQ(response->status, 202);
  EXPECT_EQ(field_of(*response, "Location"), "/organizations/jobs/" + kJobText);
  EXPECT_EQ(response->body,
            R"({"result":{"created_at":"2026-01-02T00:00:00Z","id":")" + kJobText +
                R"(","rate":50,"recovered":3,"since":"2026-01-01T00:00:00Z","skipped":0,)"
                R"("state":"running","states":["dead"],"type":"recover",)"
                R"("until":"2026-01-02T00:00:00Z","webhook_id":")" +
                std::string(kWebhookText) + R"("}})");
}

TEST_F(MendingRoutesTest, a_recovery_takes_all_its_members) {
  const auto start = asked<model::StartRecovery>(
      Method::kPost, kWebhook + "/recover", with_key("manage-key"),
      R"({"since":"2026-01-01T00:00:00Z","until":"2026-01-02T00:00:00Z",)"
      R"("states":["cancelled","dead"],"rate":10000})",
      model::JobReply{job()});
  EXPECT_EQ(start.until, time_of("2026-01-02T00:00:00Z"));
  EXPECT_EQ(start.states, model::kRecoverDead | model::kRecoverCancelled);
  EXPECT_EQ(start.per_second, model::kRecoverPerSecondMax);
}

TEST_F(MendingRoutesTest, a_bad_recovery_is_refused_by_its_field) {
  EXPECT_THAT(recovery_refused("{}"), HasSubstr("since: is missing"));
  EXPECT_THAT(recovery_refused(R"({"since":"yesterday"})"), HasSubstr("since: must be a time"));
  const std::string since = R"({"since":"2026-01-01T00:00:00Z",)";
  EXPECT_THAT(recovery_refused(since + R"("states":[]})"), HasSubstr("states: must be"));
  EXPECT_THAT(recovery_refused(since + R"("states":["delivered"]})"), HasSubstr("states: must be"));
  EXPECT_THAT(recovery_refused(since + R"("rate":0})"), HasSubstr("rate: must be"));
  EXPECT_THAT(recovery_refused(since + R"("rate":10001})"), HasSubstr("rate: must be"));
  EXPECT_THAT(recovery_refused(since + R"("rate":"1"})"), HasSubstr("rate: "));
  EXPECT_THAT(recovery_refused(since + R"("dry_run":true})"), HasSubstr("dry_run: is unknown"));
}

TEST_F(MendingRoutesTest, jobs_are_listed_shown_and_cancelled) {
  asked<model::ListJobs>(Method::kGet, "/organizations/jobs", with_key("read-key"), {},
                         model::JobsReply{{job()}});
  EXPECT_THAT(response->body, HasSubstr(R"({"result":[{"created_at")"));
  model::RecoverJob failed = job();
  failed.state = model::JobState::kFailed;
  failed.reason = "the webhook was deleted";
  failed.ended_at = time_of("2026-01-03T00:00:00Z");
  const auto get = asked<model::GetJob>(Method::kGet, "/organizations/jobs/" + kJobText,
                                        with_key("read-key"), {}, model::JobReply{failed});
  EXPECT_EQ(get.id, failed.id);
  EXPECT_THAT(response->body, HasSubstr(R"("ended_at":"2026-01-03T00:00:00Z")"));
  EXPECT_THAT(response->body, HasSubstr(R"("reason":"the webhook was deleted")"));
  asked<model::CancelJob>(Method::kDelete, "/organizations/jobs/" + kJobText,
                          with_key("manage-key"), {}, model::Done{});
  EXPECT_EQ(response->status, 204);
}

TEST_F(MendingRoutesTest, a_test_is_one_synthetic_event_for_the_webhook_alone) {
  const auto publish =
      asked<model::PublishEvents>(Method::kPost, kWebhook + "/test", with_key("manage-key"),
                                  R"({"event_name":"PersonCreated_v1"})", model::PublishReply{});
  ASSERT_EQ(publish.events.size(), 1U);
  EXPECT_EQ(publish.webhook, webhook());
  EXPECT_TRUE(publish.events[0].is_test);
  EXPECT_TRUE(publish.events[0].is_sample);
  ASSERT_EQ(publish.claims.size(), 1U);
  EXPECT_EQ(publish.claims[0].kind, model::RateKind::kTestEvents);
  EXPECT_EQ(response->status, 202);
  EXPECT_THAT(response->body, HasSubstr(publish.events[0].id.to_string()));
  const auto bad = answer_to(Method::kPost, kWebhook + "/test", with_key("manage-key"), "{}");
  EXPECT_THAT(message_of(bad, 400), HasSubstr("event_name"));
}

TEST_F(MendingRoutesTest, dead_letters_are_paged_by_a_cursor_of_their_own) {
  model::DeadLettersReply reply;
  reply.letters = {letter()};
  reply.next = model::DeadLetterPosition{model::EventSeq(9), model::WebhookRef(7)};
  const std::string filters = "?limit=1&webhook_id=" + std::string(kWebhookText) +
                              "&event_name=PersonCreated_v1&since=2026-01-01T00:00:00Z";
  const auto first =
      asked<model::ListDeadLetters>(Method::kGet, kDead + filters, with_key("read-key"), {}, reply);
  EXPECT_EQ(first.webhook, webhook());
  EXPECT_EQ(first.limit, 1U);
  EXPECT_EQ(first.filter.event_name, "PersonCreated_v1");
  EXPECT_FALSE(first.with_events);
  const std::string head = R"({"meta":{"cursor_pagination":{"cursor":")";
  ASSERT_EQ(response->body.substr(0, head.size()), head);
  const std::string cursor = response->body.substr(head.size(), 50);
  const auto second =
      asked<model::ListDeadLetters>(Method::kGet, kDead + filters + "&cursor=" + cursor,
                                    with_key("read-key"), {}, model::DeadLettersReply{});
  EXPECT_EQ(second.position, reply.next);
  // Of another query, and of another list.
  EXPECT_EQ(answer_to(Method::kGet, kDead + "?cursor=" + cursor, with_key("read-key")).status, 400);
  EXPECT_EQ(answer_to(Method::kGet,
                      kWebhook +
                          "/deliveries?event_name=PersonCreated_v1&since="
                          "2026-01-01T00:00:00Z&cursor=" +
                          cursor,
                      with_key("read-key"))
                .status,
            400);
}

TEST_F(MendingRoutesTest, dead_letters_come_as_lines_when_asked_for) {
  model::DeadLettersReply reply;
  reply.letters = {letter(), letter()};
  auto content = std::make_shared<model::Event>();
  content->content = R"({"event_metadata":{},"a":1.0})";
  reply.letters[0].event = content;
  reply.next = model::DeadLetterPosition{model::EventSeq(9), model::WebhookRef(7)};
  const auto request = asked<model::ListDeadLetters>(
      Method::kGet, kDead + "?cursorless=1&limit=2",
      with_key("read-key", {{"Accept", "application/x-ndjson"}}), {}, reply);
  EXPECT_TRUE(request.with_events);
  EXPECT_EQ(response->content_type, "application/x-ndjson");
  EXPECT_EQ(std::count(response->body.begin(), response->body.end(), '\n'), 2);
  EXPECT_THAT(response->body, HasSubstr(R"("event":{"event_metadata":{},"a":1.0},"event_id")"));
  EXPECT_THAT(response->body, HasSubstr(R"("answer":"no")"));
  EXPECT_THAT(field_of(*response, "Link"),
              HasSubstr("</organizations/dead-letters?cursorless=1&limit=2&cursor=01"));
  EXPECT_THAT(field_of(*response, "Link"), HasSubstr(R"(>; rel="next")"));
}

TEST_F(MendingRoutesTest, what_is_pending_is_shown_by_counts) {
  model::PendingReply reply;
  reply.counts = {5, 1, 1, 1, 1, 1};
  reply.oldest_accepted_at = time_of("2026-01-01T00:00:00Z");
  auto made = std::make_shared<model::Webhook>();
  made->id = webhook();
  made->name = "crm";
  reply.webhooks = {{made, {2, 0, 1, 1, 0, 0}}};
  reply.next = model::WebhookRef(7);
  const std::string path = "/organizations/deliveries/pending";
  asked<model::GetPending>(Method::kGet, path + "?limit=1", with_key("read-key"), {}, reply);
  EXPECT_THAT(response->body,
              HasSubstr(R"("result":{"delayed":1,"in_flight":1,"in_line":1,)"
                        R"("oldest_accepted_at":"2026-01-01T00:00:00Z","parked":1,"pending":5,)"
                        R"("ready":1,"webhooks":[{"delayed":1,"in_flight":1,"in_line":0,)"
                        R"("name":"crm","parked":0,"pending":2,"ready":0,"state":"active",)"));
  const std::string head = R"({"meta":{"cursor_pagination":{"cursor":")";
  const std::string cursor = response->body.substr(head.size(), 50);
  const auto second = asked<model::GetPending>(Method::kGet, path + "?cursor=" + cursor,
                                               with_key("read-key"), {}, model::PendingReply{});
  EXPECT_EQ(second.after, model::WebhookRef(7));
  EXPECT_EQ(answer_to(Method::kGet, path + "?cursor=00", with_key("read-key")).status, 400);
}

TEST_F(MendingRoutesTest, ordering_keys_are_shown) {
  model::OrderingKeysReply reply;
  reply.webhook = webhook();
  model::HeldKey key{"customer \"1\"", event(), "PersonCreated_v1",
                     time_of("2026-01-01T00:00:00Z")};
  key.attempts = 2;
  key.waiting = 3;
  reply.keys = {key};
  asked<model::ListOrderingKeys>(Method::kGet, kWebhook + "/ordering-keys", with_key("read-key"),
                                 {}, reply);
  EXPECT_EQ(response->body,
            R"({"result":{"is_complete":true,"keys":[{"accepted_at":"2026-01-01T00:00:00Z",)"
            R"("attempts":2,"event_id":")" +
                kEventId +
                R"(","event_name":"PersonCreated_v1","ordering_key":"customer \"1\"",)"
                R"("waiting":3}]}})");
}

}  // namespace
}  // namespace triggerd::api
