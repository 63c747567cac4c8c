#include "engine/json/document.h"

#include <string>

#include <gtest/gtest.h>

#include "engine/model/limits.h"

namespace triggerd::json {
namespace {

using base::ErrorCode;

std::string fault_of(std::string text, std::size_t bytes_max = 1024) {
  const Document document(text, bytes_max);
  return document.ok() ? "" : document.fault().message;
}

TEST(Document, a_good_document_has_a_root_and_no_fault) {
  std::string text = R"({"a":[1,2]})";
  const Document document(text, 1024);
  ASSERT_TRUE(document.ok());
  EXPECT_TRUE(document.root().is_object());
}

TEST(Document, takes_as_many_bytes_as_it_is_told) {
  EXPECT_EQ(fault_of("[1234567]", 9), "");
  EXPECT_EQ(fault_of("[12345678]", 9), "at most 9 bytes are taken");
  std::string text = "[12345678]";
  EXPECT_EQ(Document(text, 9).fault().code, ErrorCode::kTooLarge);
}

TEST(Document, says_where_the_grammar_breaks) {
  EXPECT_EQ(fault_of("[1,}"), "malformed JSON at byte 3: a value is expected");
  EXPECT_EQ(fault_of("\"\xff\""), "malformed JSON at byte 1: not UTF-8");
  EXPECT_EQ(fault_of(""), "malformed JSON at byte 0: the document ends too early");
}

TEST(Document, depth_is_exact) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(fault_of(nested(model::kJsonDepthMax)), "");
  EXPECT_NE(fault_of(nested(model::kJsonDepthMax + 1)), "");
  EXPECT_NE(fault_of(nested(500)), "");
}

TEST(Document, a_name_twice_is_a_fault_however_it_is_written) {
  EXPECT_EQ(fault_of(R"({"a":1,"\u0061":2})"), "JSON: the name \"a\" stands twice in one object");
  EXPECT_EQ(fault_of(R"({"a":{"b":1},"b":1})"), "");
}

}  // namespace
}  // namespace triggerd::json
