#include "api/response_writer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace triggerd::api {
namespace {

const base::WallTime kSunday(std::chrono::seconds(784111777));

std::string write(const HttpResponse& response, ResponseFrame frame = {}) {
  ResponseWriter writer;
  std::string out;
  writer.append(out, response, frame, kSunday);
  return out;
}

HttpResponse json(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

TEST(ResponseWriter, WritesTheFixedFields) {
  EXPECT_EQ(write(json(200, "{}")),
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: application/json\r\nContent-Length: 2\r\n"
            "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n\r\n{}");
}

TEST(ResponseWriter, DateFollowsTheSecond) {
  ResponseWriter writer;
  std::string out;
  writer.append(out, json(200, ""), {}, kSunday);
  out.clear();
  writer.append(out, json(200, ""), {}, kSunday + std::chrono::seconds(1));
  EXPECT_NE(out.find("08:49:38 GMT"), std::string::npos);
}

TEST(ResponseWriter, OmitsTheBodyOfHeadButSaysItsLength) {
  const std::string out = write(json(200, "abc"), {ResponseFrame::Body::kOmit, {}});
  EXPECT_NE(out.find("Content-Length: 3\r\n"), std::string::npos);
  EXPECT_EQ(out.substr(out.size() - 4), "\r\n\r\n");
}

TEST(ResponseWriter, NoContentHasNeitherBodyNorLength) {
  for (const int status : {204, 304}) {
    const std::string out = write(json(status, "abc"));
    EXPECT_EQ(out.find("Content-Length"), std::string::npos);
    EXPECT_EQ(out.find("abc"), std::string::npos);
  }
}

TEST(ResponseWriter, NothingOfAFieldBeginsALineOfItsOwn) {
  HttpResponse response = json(200, "");
  response.fields = {{"X-A", "a\r\nSet-Cookie: b"},
                     {"X B", "b"},
                     {"X-C\r\nX-D", "c"},
                     {"X-E", std::string("e\0", 2)},
                     {"X-Good", "g"}};
  const std::string out = write(response);
  EXPECT_EQ(out.find("Set-Cookie"), std::string::npos);
  EXPECT_EQ(out.find("X-"), out.find("X-Content-Type-Options"));
  EXPECT_EQ(out.find("X-D"), std::string::npos);
  EXPECT_EQ(out.find("X-E"), std::string::npos);
  EXPECT_NE(out.find("X-Good: g\r\n"), std::string::npos);
}

TEST(ResponseWriter, FramingFieldsAreItsOwn) {
  HttpResponse response = json(200, "ab");
  response.fields = {{"content-length", "7"}, {"Transfer-Encoding", "chunked"}};
  const std::string out = write(response);
  EXPECT_EQ(out.find("chunked"), std::string::npos);
  EXPECT_EQ(out.find("content-length"), std::string::npos);
}

TEST(ResponseWriter, CacheControlMayBeReplaced) {
  HttpResponse response = json(200, "");
  response.fields = {{"cache-control", "max-age=60"}};
  const std::string out = write(response);
  EXPECT_NE(out.find("cache-control: max-age=60\r\n"), std::string::npos);
  EXPECT_EQ(out.find("no-store"), std::string::npos);
}

TEST(ErrorResponse, IsTheEnvelope) {
  const HttpResponse response = error_response(400, "a \"b\"\r\n");
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body, R"({"errors":[{"httpcode":400,"message":"a \"b\"\u000d\u000a"}]})");
}

}  // namespace
}  // namespace triggerd::api
