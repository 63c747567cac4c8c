// What is behind our checks: the parser as it was built. TOOLBOX 3.2: a loose build would accept
// these.
#include <gtest/gtest.h>
#include <llhttp.h>

#include <string>

namespace {

llhttp_errno_t parse(const std::string& bytes) {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  return llhttp_execute(&parser, bytes.data(), bytes.size());
}

TEST(Llhttp, IsTheStrictBuild) {
  EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), HPE_OK);
  EXPECT_NE(parse("GET / HTTP/1.1\r\nX-Abc:\rxTransfer-Encoding: chunked\r\n\r\n"), HPE_OK);
  EXPECT_NE(parse("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), HPE_OK);
  EXPECT_NE(parse("GET / HTTP/1.1\r\nHost: a\r\n\rX\r\n"), HPE_OK);
  EXPECT_NE(parse("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naXX0\r\n\r\n"),
            HPE_OK);
  EXPECT_NE(parse("GET /\xc3\xa9 HTTP/1.1\r\n\r\n"), HPE_OK);
}

TEST(Llhttp, LenientFlagsAreOff) {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  EXPECT_EQ(parser.lenient_flags, 0);
}

}  // namespace
