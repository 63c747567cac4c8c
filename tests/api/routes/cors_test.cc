#include "api/cors.h"

#include <gtest/gtest.h>

namespace triggerd::api {
namespace {

HttpRequest with(std::vector<HttpField> fields) {
  HttpRequest request;
  request.fields = std::move(fields);
  return request;
}

std::string field_of(const HttpResponse& answer, std::string_view name) {
  for (const HttpField& field : answer.fields) {
    if (field.name == name) return field.value;
  }
  return "none";
}

int status_of_refusal(const HttpRequest& head, const std::vector<std::string>& allowed) {
  const std::optional<HttpResponse> refusal = refuse_origin(head, allowed);
  return refusal ? refusal->status : 0;
}

TEST(IsOrigin, TakesWhatBrowsersSend) {
  for (const char* good :
       {"null", "https://shop.example", "http://localhost:3000", "https://192.0.2.7:8443",
        "http://[2001:db8::1]:80", "http://[::ffff:192.0.2.7]", "https://xn--bcher-kva.example",
        "https://a_b.example", "moz-extension://0a1b-2c", "https://shop.example:65535"}) {
    EXPECT_TRUE(is_origin(good)) << good;
  }
  EXPECT_TRUE(is_origin("https://" + std::string(504, 'a'))) << "at the limit";
}

TEST(IsOrigin, RefusesEverythingElse) {
  for (const char* bad : {"",
                          "*",
                          "shop.example",
                          "https://",
                          "://shop.example",
                          "https:shop.example",
                          "https://shop.example/",
                          "https://shop.example/a",
                          "https://Shop.example",
                          "HTTPS://shop.example",
                          "https://user@shop.example",
                          "https://shop.example:",
                          "https://shop.example:8a",
                          "https://shop.example:123456",
                          "https://:80",
                          "https://[]",
                          "https://[::1",
                          "https://[::1]x",
                          "1http://a.example",
                          "https://a.example, https://b.example",
                          "https://a.example https://b.example",
                          "https://a.example?q",
                          "https://a.example\r\nX: y",
                          "Null",
                          "https://\xc3\xbcmlaut.example"}) {
    EXPECT_FALSE(is_origin(bad)) << bad;
  }
  EXPECT_FALSE(is_origin("https://" + std::string(505, 'a'))) << "over the limit";
}

TEST(RefuseOrigin, AsksTheList) {
  const std::vector<std::string> list = {"https://shop.example"};
  EXPECT_EQ(status_of_refusal(with({}), list), 0) << "not a page of another origin";
  EXPECT_EQ(status_of_refusal(with({{"Origin", "https://shop.example"}}), list), 0);
  EXPECT_EQ(status_of_refusal(with({{"origin", "https://shop.example"}}), list), 0);
  EXPECT_EQ(status_of_refusal(with({{"Origin", "https://shop.example.evil.example"}}), list), 403);
  EXPECT_EQ(status_of_refusal(with({{"Origin", "http://shop.example"}}), list), 403);
  EXPECT_EQ(status_of_refusal(with({{"Origin", "null"}}), list), 403);
  EXPECT_EQ(status_of_refusal(with({{"Origin", "null"}}), {}), 0);
  EXPECT_EQ(status_of_refusal(with({{"Origin", "*"}}), {}), 400);
  EXPECT_EQ(status_of_refusal(with({{"Origin", "https://shop.example"}, {"Origin", "null"}}), {}),
            400);
}

TEST(AnswerPreflight, EchoesHeaderNamesThatAreSome) {
  const auto allowed = [](std::vector<HttpField> fields) {
    return field_of(answer_preflight(with(std::move(fields))), "Access-Control-Allow-Headers");
  };
  constexpr const char* ask = "Access-Control-Request-Headers";
  EXPECT_EQ(allowed({}), "Content-Type");
  EXPECT_EQ(allowed({{ask, ""}}), "Content-Type");
  EXPECT_EQ(allowed({{ask, "content-type,x-slashid-sdk"}}), "content-type,x-slashid-sdk");
  EXPECT_EQ(allowed({{ask, "content-type, a"}}), "content-type, a");
  EXPECT_EQ(allowed({{ask, "a\r\nSet-Cookie: b"}}), "Content-Type");
  EXPECT_EQ(allowed({{ask, "a:b"}}), "Content-Type");
  EXPECT_EQ(allowed({{ask, "a"}, {ask, "b"}}), "Content-Type");
  EXPECT_EQ(allowed({{ask, std::string(1024, 'a')}}), std::string(1024, 'a'));
  EXPECT_EQ(allowed({{ask, std::string(1025, 'a')}}), "Content-Type");
  const HttpResponse answer = answer_preflight(with({}));
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(field_of(answer, "Access-Control-Allow-Methods"), "POST, OPTIONS");
  EXPECT_EQ(field_of(answer, "Access-Control-Max-Age"), "600");
}

TEST(OriginFields, EchoTheOriginWithCredentials) {
  const auto fields_for = [](std::vector<HttpField> fields,
                             const std::vector<std::string>& allowed = {}) {
    HttpResponse answer;
    answer.fields = origin_fields(with(std::move(fields)), allowed);
    return answer;
  };
  const HttpResponse answer = fields_for({{"Origin", "https://shop.example"}});
  EXPECT_EQ(field_of(answer, "Access-Control-Allow-Origin"), "https://shop.example");
  EXPECT_EQ(field_of(answer, "Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(field_of(answer, "Vary"), "Origin");
  const std::vector<HttpField> vary_alone[] = {
      {}, {{"Origin", "https://a.example\r\nX: y"}}, {{"Origin", "https://other.example"}}};
  for (const std::vector<HttpField>& fields : vary_alone) {
    const HttpResponse plain = fields_for(fields, {"https://shop.example"});
    EXPECT_EQ(plain.fields.size(), 1U) << "a cache must still tell it from the others";
    EXPECT_EQ(field_of(plain, "Vary"), "Origin");
  }
}

}  // namespace
}  // namespace triggerd::api
