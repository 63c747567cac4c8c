#include "dispatcher/hook_answer.h"

#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "engine/model/limits.h"

namespace triggerd::dispatcher {
namespace {

using model::HookClaim;
using model::Outcome;
using model::OutcomeClass;
using testing::ElementsAre;
using testing::HasSubstr;

Outcome answered(std::uint16_t status, std::string body) {
  Outcome outcome;
  outcome.kind = status / 100 == 2 ? OutcomeClass::kOk : OutcomeClass::kHttpError;
  outcome.http_status = status;
  outcome.answer_bytes = static_cast<std::uint32_t>(body.size());
  body.resize(std::min(body.size(), model::kAnswerBytesRead));
  outcome.answer = std::move(body);
  judge_hook_answer(outcome);
  return outcome;
}

std::string object_of_size(std::size_t bytes) {
  return R"({"a":")" + std::string(bytes - 8, 'x') + R"("})";
}

std::string nested(std::size_t lists) {
  return R"({"a":)" + std::string(lists, '[') + std::string(lists, ']') + "}";
}

std::string members(std::size_t count) {
  std::string text = "{";
  for (std::size_t i = 0; i < count; ++i) {
    text += (i == 0 ? "\"c" : ",\"c") + std::to_string(i) + "\":1";
  }
  return text + "}";
}

TEST(HookAnswer, ClaimsKeepTheBytesOfTheirValues) {
  const Outcome outcome =
      answered(200, " {\"a\" : 1.50 ,\n\"\\u0062\":{ \"x\": [1, \"\\u00e4\"] },\"\":null} ");
  EXPECT_EQ(outcome.kind, OutcomeClass::kOk);
  ASSERT_NE(outcome.hook, nullptr);
  EXPECT_THAT(outcome.hook->claims,
              ElementsAre(HookClaim{"a", "1.50"}, HookClaim{"b", "{ \"x\": [1, \"\\u00e4\"] }"},
                          HookClaim{"", "null"}));
}

TEST(HookAnswer, NothingIsNoClaims) {
  for (const char* body : {"", "{}", " { } ", "\r\n"}) {
    const Outcome outcome = answered(200, body);
    EXPECT_EQ(outcome.kind, OutcomeClass::kOk) << body;
    ASSERT_NE(outcome.hook, nullptr);
    EXPECT_TRUE(outcome.hook->claims.empty());
  }
  EXPECT_EQ(answered(204, "").kind, OutcomeClass::kOk);
  EXPECT_EQ(answered(204, "garbage").kind, OutcomeClass::kOk);
}

TEST(HookAnswer, WhatIsNotAnObjectIsBad) {
  for (const char* body : {"hello", "[1]", "null", "\"x\"", "1", "{", R"({"a":1}{)", "{\"a\":\xff}",
                           R"({"a":1,"\u0061":2})", R"({"a":{"b":1,"b":2}})", R"({"a":1e999})"}) {
    const Outcome outcome = answered(200, body);
    EXPECT_EQ(outcome.kind, OutcomeClass::kBadAnswer) << body;
    EXPECT_EQ(outcome.hook, nullptr);
    EXPECT_EQ(outcome.http_status, 200);
    EXPECT_EQ(outcome.answer, body) << "the log shows it";
    EXPECT_THAT(outcome.detail, HasSubstr("the answer was not taken"));
  }
}

TEST(HookAnswer, LimitsAreExact) {
  EXPECT_EQ(answered(200, object_of_size(model::kAnswerBytesRead)).kind, OutcomeClass::kOk);
  EXPECT_EQ(answered(200, object_of_size(model::kAnswerBytesRead + 1)).kind,
            OutcomeClass::kBadAnswer);
  EXPECT_EQ(answered(200, nested(model::kJsonDepthMax - 1)).kind, OutcomeClass::kOk);
  EXPECT_EQ(answered(200, nested(model::kJsonDepthMax)).kind, OutcomeClass::kBadAnswer);
  EXPECT_EQ(answered(200, members(model::kHookClaimsMax)).hook->claims.size(),
            model::kHookClaimsMax);
  EXPECT_EQ(answered(200, members(model::kHookClaimsMax + 1)).kind, OutcomeClass::kBadAnswer);
}

TEST(HookAnswer, TheBeginningOfALongAnswerIsKept) {
  const Outcome outcome = answered(200, object_of_size(10'000));
  EXPECT_EQ(outcome.answer.size(), model::kAnswerBytesKept);
  EXPECT_EQ(outcome.answer_bytes, 10'000U);
  EXPECT_EQ(outcome.hook->claims[0].json.size(), 10'000U - 6);
}

TEST(HookAnswer, A403IsAVetoWithTheMessageOfItsBody) {
  const Outcome outcome = answered(403, R"({"code":7,"message":"not \"today\""})");
  EXPECT_EQ(outcome.kind, OutcomeClass::kDenied);
  ASSERT_NE(outcome.hook, nullptr);
  EXPECT_EQ(outcome.hook->reason, "not \"today\"");
  EXPECT_TRUE(outcome.hook->claims.empty());
  for (const std::string body : {"", "<html>", "[]", R"({"message":7})", R"({"msg":"x"})",
                                 R"({"message":"a","message":"b"})"}) {
    EXPECT_EQ(answered(403, body).kind, OutcomeClass::kDenied) << body;
    EXPECT_EQ(answered(403, body).hook->reason, "") << body;
  }
}

TEST(HookAnswer, AReasonIsCutBetweenCharacters) {
  const std::string text = std::string(model::kHookReasonBytesMax - 1, 'x') + "ä" + "rest";
  EXPECT_EQ(answered(403, R"({"message":")" + text + R"("})").hook->reason,
            std::string(model::kHookReasonBytesMax - 1, 'x'));
}

TEST(HookAnswer, OtherOutcomesStayAsTheyAre) {
  const Outcome failed = answered(500, R"({"a":1})");
  EXPECT_EQ(failed.kind, OutcomeClass::kHttpError);
  EXPECT_EQ(failed.hook, nullptr);
  Outcome timeout;
  timeout.kind = OutcomeClass::kTimeout;
  judge_hook_answer(timeout);
  EXPECT_EQ(timeout.kind, OutcomeClass::kTimeout);
}

RC_GTEST_PROP(HookAnswerProperty, NoBytesAreTakenForMoreThanTheyAre, (std::string body)) {
  const Outcome outcome = answered(200, std::move(body));
  RC_ASSERT((outcome.kind == OutcomeClass::kOk) == (outcome.hook != nullptr));
}

}  // namespace
}  // namespace triggerd::dispatcher
