#include "api/problem.h"

#include <gmock/gmock.h>

namespace triggerd::api {
namespace {

using base::ErrorCode;

std::string retry_after(const HttpResponse& response) {
  for (const HttpField& field : response.fields) {
    if (field.name == "Retry-After") return field.value;
  }
  return {};
}

TEST(Problem, every_code_has_its_status) {
  EXPECT_EQ(status_of(ErrorCode::kInvalid), 400);
  EXPECT_EQ(status_of(ErrorCode::kNotFound), 404);
  EXPECT_EQ(status_of(ErrorCode::kConflict), 409);
  EXPECT_EQ(status_of(ErrorCode::kTimeout), 408);
  EXPECT_EQ(status_of(ErrorCode::kTooLarge), 413);
  EXPECT_EQ(status_of(ErrorCode::kOverloaded), 503);
  EXPECT_EQ(status_of(ErrorCode::kUnavailable), 503);
  EXPECT_EQ(status_of(ErrorCode::kCorrupt), 500);
  EXPECT_EQ(status_of(ErrorCode::kInternal), 500);
}

TEST(Problem, the_envelope_is_exact_and_its_text_is_safe) {
  const HttpResponse answer = problem(400, "a \"b\"\n\xff");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(answer.body, R"({"errors":[{"httpcode":400,"message":"a \"b\"\u000a\ufffd"}]})");
  EXPECT_EQ(retry_after(answer), "");
}

TEST(Problem, retry_after_is_whole_seconds_and_at_least_one) {
  const auto refused = [](std::optional<model::Duration> after) {
    return retry_after(problem(model::Refusal{{{ErrorCode::kOverloaded, "full"}}, after}));
  };
  EXPECT_EQ(refused(std::nullopt), "1");
  EXPECT_EQ(refused(std::chrono::seconds(0)), "1");
  EXPECT_EQ(refused(std::chrono::milliseconds(1)), "1");
  EXPECT_EQ(refused(std::chrono::milliseconds(1001)), "2");
  EXPECT_EQ(refused(std::chrono::seconds(30)), "30");
  EXPECT_EQ(retry_after(problem(429, "slow down")), "1");
  EXPECT_EQ(
      retry_after(problem(model::Refusal{{{ErrorCode::kInvalid, "x"}}, std::chrono::seconds(3)})),
      "");
}

TEST(Problem, an_answer_is_bounded_however_many_faults_there_are) {
  const Faults faults(10'000, {ErrorCode::kInvalid, "bad"});
  const HttpResponse answer = problem(faults);
  EXPECT_LT(answer.body.size(), 4096 * 40U);
  EXPECT_THAT(answer.body, ::testing::EndsWith(R"(and 5904 more faults; mend these first"}]})"));
  EXPECT_THAT(problem(Faults(4096, {ErrorCode::kInvalid, "bad"})).body,
              ::testing::EndsWith("\"bad\"}]}"));
}

TEST(Problem, an_unknown_route_is_told_from_a_missing_thing) {
  const HttpResponse answer = unknown_route();
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.content_type, "text/plain");
  EXPECT_EQ(answer.body, "404 page not found");
}

}  // namespace
}  // namespace triggerd::api
