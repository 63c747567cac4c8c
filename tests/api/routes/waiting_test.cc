// Requests that wait: deadlines, late replies, and the limit of how many.
#include <gmock/gmock.h>

#include "tests/api/routes/api_fixture.h"

namespace triggerd::api {
namespace {

using ::testing::HasSubstr;

const std::string kWebhooks = "/organizations/webhooks";

ApiOptions short_options() {
  ApiOptions options;
  options.reply_timeout = std::chrono::milliseconds(1);
  options.waiting_max = 3;
  return options;
}

class WaitingTest : public ApiTest {
 protected:
  WaitingTest() : ApiTest(short_options()) {}

  void run_until_answered() {
    for (int turns = 0; turns < 100'000 && !response; ++turns) loop.run_once();
    ASSERT_TRUE(response);
  }
};

TEST_F(WaitingTest, a_write_that_takes_too_long_is_408_and_its_late_reply_is_dropped) {
  send(Method::kPost, kWebhooks, with_key("all-key"), "{}");
  EXPECT_FALSE(response);
  EXPECT_EQ(handler.waiting(), 1U);
  run_until_answered();
  EXPECT_THAT(message_of(*response, 408), HasSubstr("the write goes on"));
  EXPECT_EQ(handler.waiting(), 0U);
  response.reset();
  backend.reply(model::Refusal{{{base::ErrorCode::kConflict, "late"}}, {}});
  EXPECT_FALSE(response);
}

TEST_F(WaitingTest, reads_and_publishing_have_a_deadline_too) {
  send(Method::kGet, kWebhooks, with_key("all-key"));
  run_until_answered();
  EXPECT_EQ(response->status, 408);
  send(Method::kPost, "/organizations/events", with_key("all-key"), R"({"event_name":"A_v1"})");
  run_until_answered();
  EXPECT_EQ(response->status, 408);
}

TEST_F(WaitingTest, the_clients_timeout_replaces_the_default) {
  send(Method::kPost, kWebhooks,
       with_key("all-key", {{"SlashID-Required-Consistency-Timeout", "120"}}), "{}");
  const std::optional<HttpResponse> patient = response;
  // A later request with the default is answered first; the patient one still waits.
  send(Method::kPost, kWebhooks, with_key("all-key"), "{}");
  run_until_answered();
  EXPECT_EQ(response->status, 408);
  EXPECT_FALSE(patient);
  EXPECT_EQ(handler.waiting(), 1U);
  response.reset();
  backend.reply(model::Refusal{{{base::ErrorCode::kConflict, "in time"}}, {}});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 409);
}

TEST_F(WaitingTest, the_engine_is_told_when_a_client_has_gone) {
  const Fields patient = with_key("all-key", {{"SlashID-Required-Consistency-Timeout", "120"}});
  send(Method::kPost, kWebhooks, patient, "{}");
  const Ticket first = ticket;
  send(Method::kPost, kWebhooks, patient, "{}");
  handler.on_gone(ticket);
  EXPECT_EQ(handler.waiting(), 1U);
  EXPECT_EQ(backend.cancelled, std::vector{base::RequestId(2)});
  backend.reply(model::Refusal{{{base::ErrorCode::kConflict, "in time"}}, {}});
  EXPECT_TRUE(response);
  handler.on_gone(first);   // answered already
  handler.on_gone(ticket);  // gone already
  handler.on_gone({});
  EXPECT_EQ(backend.cancelled.size(), 1U);
}

TEST_F(WaitingTest, a_request_that_is_answered_at_once_has_no_ticket) {
  answer_to(Method::kPost, kWebhooks, with_key("all-key"), "[]");
  EXPECT_EQ(ticket.serial, 0U);
}

TEST_F(WaitingTest, deadlines_go_on_after_one_has_passed) {
  for (int round = 0; round < 3; ++round) {
    send(Method::kGet, kWebhooks, with_key("all-key"));
    run_until_answered();
    EXPECT_EQ(response->status, 408);
  }
}

TEST_F(WaitingTest, one_more_than_may_wait_is_503_and_does_not_reach_the_engine) {
  const Fields patient = with_key("all-key", {{"SlashID-Required-Consistency-Timeout", "120"}});
  for (int i = 0; i < 3; ++i) send(Method::kPost, kWebhooks, patient, "{}");
  EXPECT_FALSE(response);
  const HttpResponse answer = answer_to(Method::kPost, kWebhooks, patient, "{}");
  EXPECT_THAT(message_of(answer, 503), HasSubstr("try again later"));
  EXPECT_EQ(field_of(answer, "Retry-After"), "1");
  backend.reply(model::Refusal{{{base::ErrorCode::kConflict, "room"}}, {}});
  send(Method::kPost, kWebhooks, patient, "{}");
  EXPECT_FALSE(response) << "there is room again";
}

TEST_F(WaitingTest, an_overloaded_engine_says_when_to_come_back) {
  send(Method::kPost, "/organizations/events", with_key("all-key"), R"({"event_name":"A_v1"})");
  backend.reply(model::Refusal{{{base::ErrorCode::kOverloaded, "too many pending"}},
                               std::chrono::milliseconds(2500)});
  ASSERT_TRUE(response);
  EXPECT_EQ(message_of(*response, 503), "too many pending");
  EXPECT_EQ(field_of(*response, "Retry-After"), "3");
}

}  // namespace
}  // namespace triggerd::api
