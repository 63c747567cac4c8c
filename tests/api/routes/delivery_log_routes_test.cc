// The lists of the delivery log at the edge: queries in, pages and cursors out.
#include <gmock/gmock.h>

#include <string>

#include "api/log_cursor.h"
#include "tests/api/routes/api_fixture.h"

namespace triggerd::api {
namespace {

using ::testing::HasSubstr;

const std::string kWebhook = "/organizations/webhooks/" + std::string(kWebhookText);
const std::string kDeliveries = kWebhook + "/deliveries";
const std::string kEvents = "/organizations/events";
const std::string kEventId = "0d9b9ef5-7b3a-4b5e-9a39-3f0a3b7d1c11";

model::WallTime time_of(std::string_view text) {
  return base::parse_rfc3339(text).value();
}

class DeliveryLogRoutesTest : public ApiTest {
 protected:
  static model::WebhookId webhook() { return *model::WebhookId::parse(kWebhookText); }
  model::ListLoggedDeliveries deliveries_of(const std::string& query,
                                            model::LoggedDeliveriesReply reply = {}) {
    return asked<model::ListLoggedDeliveries>(Method::kGet, kDeliveries + query,
                                              with_key("read-key"), {}, std::move(reply));
  }
  std::string refused(const std::string& query) {
    return message_of(answer_to(Method::kGet, kDeliveries + query, with_key("read-key")), 400);
  }
  static model::AttemptRecord attempt() {
    model::AttemptRecord made;
    made.number = 2;
    made.state_after = model::DeliveryState::kDelayed;
    made.due = time_of("2024-03-03T02:17:00Z");
    made.outcome.kind = model::OutcomeClass::kHttpError;
    made.outcome.http_status = 503;
    made.outcome.retry_after = std::chrono::seconds(30);
    made.outcome.timings = {7, 1, 200, 40'000, 5, 14'600};
    made.outcome.started_at = time_of("2024-03-03T02:12:00Z");
    made.outcome.detail = "answered 503";
    made.outcome.answer = "try \"later\"";
    made.outcome.answer_bytes = 70'000;
    return made;
  }
  static model::LoggedDelivery line() {
    model::LoggedDelivery made;
    made.seq = model::EventSeq(9);
    made.event_id = *model::EventId::parse(kEventId);
    made.event_name = "PersonCreated_v1";
    made.accepted_at = time_of("2024-03-03T02:11:00Z");
    made.state = model::DeliveryState::kDelayed;
    made.attempts = 2;
    made.next_attempt = attempt().due;
    made.last_attempt = attempt();
    return made;
  }
};

TEST_F(DeliveryLogRoutesTest, a_list_without_parameters_asks_for_the_newest) {
  const auto request = deliveries_of("");
  EXPECT_EQ(request.org, test_org());
  EXPECT_EQ(request.webhook, webhook());
  EXPECT_EQ(request.filter, model::LogFilter{});
  EXPECT_EQ(request.position, std::nullopt);
  EXPECT_EQ(request.limit, model::kLogPageDefault);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body,
            R"({"meta":{"cursor_pagination":{"cursor":"","limit":50}},"result":[]})");
}

TEST_F(DeliveryLogRoutesTest, every_parameter_is_understood) {
  const auto request = deliveries_of(
      "?limit=200&status=dead&event_name=Order%20Placed_v1&since=2024-03-03T02:12:00Z"
      "&until=2024-03-03T04:12:00.5%2B01:00");
  EXPECT_EQ(request.limit, 200U);
  EXPECT_EQ(request.filter.status, model::DeliveryStatus::kDead);
  EXPECT_EQ(request.filter.event_name, "Order Placed_v1");
  EXPECT_EQ(request.filter.since, time_of("2024-03-03T02:12:00Z"));
  EXPECT_EQ(request.filter.until, time_of("2024-03-03T03:12:00.5Z"));
}

TEST_F(DeliveryLogRoutesTest, a_bad_value_is_refused_by_name_and_all_are_listed) {
  for (const char* limit : {"0", "201", "-1", "x", "1.5", "99999999999"}) {
    EXPECT_THAT(refused("?limit=" + std::string(limit)),
                HasSubstr("limit: must be a whole number from 1 to 200"));
  }
  EXPECT_THAT(refused("?status=lost"), HasSubstr("status: must be pending, delivered, dead or"));
  EXPECT_THAT(refused("?status=dead&status=dead"), HasSubstr("status: stands more than once"));
  EXPECT_THAT(refused("?since=yesterday"), HasSubstr("since: must be a time"));
  EXPECT_THAT(refused("?until=2024-03-03"), HasSubstr("until: must be a time"));
  EXPECT_THAT(refused("?since=2024-03-03T02:12:00Z&until=2024-03-03T02:12:00Z"),
              HasSubstr("until: must be later than since"));
  EXPECT_THAT(refused("?event_name="), HasSubstr("event_name: must not be empty"));
  EXPECT_THAT(refused("?event_name=" + std::string(257, 'x')),
              HasSubstr("event_name: has at most"));
  EXPECT_THAT(refused("?cursor=abc"), HasSubstr("cursor: is not of this query"));
  const HttpResponse many =
      answer_to(Method::kGet, kDeliveries + "?limit=0&status=x&since=y", with_key("read-key"));
  EXPECT_THAT(many.body, HasSubstr("limit:"));
  EXPECT_THAT(many.body, HasSubstr("status:"));
  EXPECT_THAT(many.body, HasSubstr("since:"));
}

TEST_F(DeliveryLogRoutesTest, a_line_shows_the_delivery_and_its_last_attempt) {
  deliveries_of("?limit=1", {webhook(), {line()}, std::nullopt});
  EXPECT_EQ(response->body,
            R"({"meta":{"cursor_pagination":{"cursor":"","limit":1}},"result":[{)"
            R"("accepted_at":"2024-03-03T02:11:00Z","attempts":2,)"
            R"("event_id":"0d9b9ef5-7b3a-4b5e-9a39-3f0a3b7d1c11","event_name":"PersonCreated_v1",)"
            R"("last_attempt":{"detail":"answered 503","duration_ms":15,"http_status":503,)"
            R"("next_attempt_at":"2024-03-03T02:17:00Z","number":2,"outcome":"http_error",)"
            R"("started_at":"2024-03-03T02:12:00Z"},"next_attempt_at":"2024-03-03T02:17:00Z",)"
            R"("status":"pending","trigger_type":"event",)"
            R"("webhook_id":"065e3dc5-c222-7333-8444-000000000001"}]})");
}

TEST_F(DeliveryLogRoutesTest, a_cursor_leads_to_the_next_page_of_the_same_query_alone) {
  const std::string query = "status=delivered&event_name=A_v1";
  const model::LogPosition next{model::EventSeq(77), model::EventSeq(13)};
  deliveries_of("?limit=2&" + query, {webhook(), {}, next});
  const std::string& body = response->body;
  const std::string before = R"("cursor":")";
  const std::size_t at = body.find(before) + before.size();
  const std::string cursor = body.substr(at, body.find('"', at) - at);
  ASSERT_FALSE(cursor.empty());

  EXPECT_EQ(deliveries_of("?" + query + "&cursor=" + cursor).position, next);
  EXPECT_EQ(deliveries_of("?limit=9&cursor=" + cursor + "&" + query).position, next);
  EXPECT_THAT(refused("?cursor=" + cursor), HasSubstr("cursor: is not of this query"));
  EXPECT_THAT(refused("?status=dead&event_name=A_v1&cursor=" + cursor), HasSubstr("cursor:"));
  EXPECT_THAT(refused("?status=delivered&event_name=B_v1&cursor=" + cursor), HasSubstr("cursor:"));
  EXPECT_THAT(refused("?" + query + "&since=2024-03-03T02:12:00Z&cursor=" + cursor),
              HasSubstr("cursor:"));
  EXPECT_EQ(
      answer_to(Method::kGet, kEvents + "?" + query + "&cursor=" + cursor, with_key("read-key"))
          .status,
      400);
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    std::string changed = cursor;
    changed[i] = changed[i] == '0' ? '1' : '0';
    EXPECT_THAT(refused("?" + query + "&cursor=" + changed), HasSubstr("cursor:")) << i;
  }
}

TEST_F(DeliveryLogRoutesTest, a_cursor_tells_organizations_and_webhooks_apart) {
  const model::LogFilter filter;
  const std::uint64_t digest = query_digest(test_org(), webhook(), filter);
  EXPECT_NE(digest, query_digest(other_org(), webhook(), filter));
  EXPECT_NE(digest, query_digest(test_org(), std::nullopt, filter));
  EXPECT_NE(digest,
            query_digest(test_org(),
                         *model::WebhookId::parse("065e3dc5-c222-7333-8444-000000000002"), filter));
  const model::LogPosition most{model::EventSeq(~0ULL), model::EventSeq(~0ULL)};
  EXPECT_EQ(read_cursor(write_cursor(most, digest), digest), most);
  EXPECT_EQ(read_cursor(write_cursor(most, digest) + "0", digest), std::nullopt);
}

TEST_F(DeliveryLogRoutesTest, events_are_listed_with_the_counts_of_their_deliveries) {
  model::LoggedEvent listed;
  listed.event.id = *model::EventId::parse(kEventId);
  listed.event.name = "token_minted";
  listed.event.accepted_at = time_of("2024-03-03T02:11:00Z");
  listed.event.timestamp = time_of("2024-03-03T02:10:00Z");
  listed.event.is_test = true;
  listed.event.trigger_type = model::TriggerType::kSyncHook;
  listed.deliveries = {1, 2, 3, 4};
  const auto request = asked<model::ListLoggedEvents>(
      Method::kGet, kEvents + "?status=pending&limit=3", with_key("read-key"), {},
      model::LoggedEventsReply{{listed}, std::nullopt});
  EXPECT_EQ(request.org, test_org());
  EXPECT_EQ(request.limit, 3U);
  EXPECT_EQ(request.filter.status, model::DeliveryStatus::kPending);
  EXPECT_EQ(response->body,
            R"({"meta":{"cursor_pagination":{"cursor":"","limit":3}},"result":[{)"
            R"("accepted_at":"2024-03-03T02:11:00Z",)"
            R"("deliveries":{"cancelled":4,"dead":3,"delivered":2,"pending":1},)"
            R"("event_id":"0d9b9ef5-7b3a-4b5e-9a39-3f0a3b7d1c11","event_name":"token_minted",)"
            R"("is_test_event":true,"timestamp":"2024-03-03T02:10:00Z",)"
            R"("trigger_type":"sync_hook"}]})");
}

TEST_F(DeliveryLogRoutesTest, one_delivery_shows_every_attempt_whole) {
  model::DeliveryReply reply{webhook(), line(), {attempt(), attempt()}};
  reply.attempts[1].number = model::kNoAttempt;
  reply.attempts[1].state_after = model::DeliveryState::kCancelled;
  reply.attempts[1].outcome = {};
  reply.attempts[1].outcome.kind = model::OutcomeClass::kCancelled;
  const auto request = asked<model::GetDelivery>(Method::kGet, kDeliveries + "/" + kEventId,
                                                 with_key("read-key"), {}, reply);
  EXPECT_EQ(request.org, test_org());
  EXPECT_EQ(request.webhook, webhook());
  EXPECT_EQ(request.event.to_string(), kEventId);
  EXPECT_THAT(
      response->body,
      HasSubstr(R"("attempt_log":[{"answer":"try \"later\"","answer_bytes":70000,)"
                R"("detail":"answered 503","duration_ms":15,"http_status":503,)"
                R"("next_attempt_at":"2024-03-03T02:17:00Z","number":2,"outcome":"http_error",)"
                R"("retry_after_seconds":30,"started_at":"2024-03-03T02:12:00Z",)"
                R"("timings":{"connect_us":200,"dns_us":1,"first_byte_us":5,"queue_us":7,)"
                R"("tls_us":40000,"total_us":14600}},{"answer":"","answer_bytes":0,)"
                R"("duration_ms":0,"outcome":"cancelled")"));
}

TEST_F(DeliveryLogRoutesTest, what_is_no_id_is_not_there_and_only_readers_may_ask) {
  const auto status = [this](const std::string& target, const char* key) {
    return answer_to(Method::kGet, target, with_key(key)).status;
  };
  EXPECT_EQ(status("/organizations/webhooks/x/deliveries", "read-key"), 404);
  EXPECT_EQ(status("/organizations/webhooks/x/deliveries/" + kEventId, "read-key"), 404);
  EXPECT_EQ(status(kDeliveries + "/x", "read-key"), 404);
  for (const std::string& target : {kDeliveries, kDeliveries + "/" + kEventId, kEvents}) {
    EXPECT_EQ(status(target, "publish-key"), 403);
    EXPECT_EQ(status(target, "foreign-key"), 403);
  }
}

}  // namespace
}  // namespace triggerd::api
