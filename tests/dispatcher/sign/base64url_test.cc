#include "dispatcher/base64url.h"

#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace triggerd::dispatcher {
namespace {

TEST(Base64url, EncodesTheVectorsOfRfc4648WithoutPadding) {
  EXPECT_EQ(base64url(""), "");
  EXPECT_EQ(base64url("f"), "Zg");
  EXPECT_EQ(base64url("fo"), "Zm8");
  EXPECT_EQ(base64url("foo"), "Zm9v");
  EXPECT_EQ(base64url("foob"), "Zm9vYg");
  EXPECT_EQ(base64url("fooba"), "Zm9vYmE");
  EXPECT_EQ(base64url("foobar"), "Zm9vYmFy");
}

TEST(Base64url, UsesTheUrlAlphabetInShortAndInLongTexts) {
  EXPECT_EQ(base64url("\xfb\xff\xfe"), "-__-");
  for (std::size_t triples = 1; triples < 40; ++triples) {
    std::string bytes;
    std::string text;
    for (std::size_t i = 0; i < triples; ++i) {
      bytes += "\xfb\xff\xfe";
      text += "-__-";
    }
    EXPECT_EQ(base64url(bytes), text);
  }
}

TEST(Base64url, AppendsBehindWhatIsThere) {
  std::string out = "a+/";
  append_base64url(out, "foo");
  EXPECT_EQ(out, "a+/Zm9v");
}

TEST(Base64url, RefusesWhatIsNotTheOneForm) {
  for (const char* text : {"Zg==", "Zg=", "Z", "Zm9vZ", "Zm 9v", "Zm9v\n", " Zm9v", "Zm+v", "Zm/v",
                           "Zh", "Zm9", "Zm8\xc3", "====", "="}) {
    EXPECT_FALSE(decode_base64url(text).has_value()) << text;
  }
}

RC_GTEST_PROP(Base64url, DecodesWhatItEncoded, (const std::string& bytes)) {
  const std::string text = base64url(bytes);
  RC_ASSERT(text.size() == base64url_length(bytes.size()));
  RC_ASSERT(text.find_first_of("+/=") == std::string::npos);
  RC_ASSERT(decode_base64url(text) == bytes);
}

RC_GTEST_PROP(Base64url, ATextThatDecodesIsTheEncodingOfItsBytes, ()) {
  const auto text =
      *rc::gen::container<std::string>(rc::gen::elementOf(std::string("ABCDwxyz0189-_+/= ")));
  const std::optional<std::string> bytes = decode_base64url(text);
  RC_ASSERT(base64url(bytes.value_or("")) == (bytes ? text : std::string()));
}

}  // namespace
}  // namespace triggerd::dispatcher
