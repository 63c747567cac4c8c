// Tables of cases in tests/data, one case a line. Tests run in the root of the source tree.
#pragma once

#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace triggerd::test {

struct TableLine {
  std::size_t number = 0;  // for messages
  std::string text;
};

// The lines of a file, without empty ones and comments ('#' first). Fails the test when it is not
// there.
inline std::vector<TableLine> read_table(const std::string& path) {
  std::vector<TableLine> lines;
  std::ifstream file(path);
  EXPECT_TRUE(file.is_open()) << path;
  std::string text;
  for (std::size_t number = 1; std::getline(file, text); ++number) {
    if (!text.empty() && text.front() != '#') lines.push_back({number, text});
  }
  return lines;
}

// Takes a word and the blanks behind it from the front of `rest`.
inline std::string take_word(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  std::string word(rest.substr(0, end));
  rest.remove_prefix(std::min(rest.find_first_not_of(' ', end), rest.size()));
  return word;
}

// Takes a quoted text (escapes \\ \" \t \n \r \0) and the blanks behind it.
inline std::string take_quoted(std::string_view& rest) {
  std::string text;
  EXPECT_TRUE(rest.starts_with('"')) << rest;
  std::size_t i = 1;
  for (; i < rest.size() && rest[i] != '"'; ++i) {
    if (rest[i] != '\\') {
      text.push_back(rest[i]);
      continue;
    }
    ++i;
    constexpr std::string_view letters = "\\\"tnr0";
    constexpr std::string_view meanings("\\\"\t\n\r\0", 6);
    const std::size_t at = letters.find(i < rest.size() ? rest[i] : ' ');
    EXPECT_NE(at, std::string_view::npos) << rest;
    text.push_back(at == std::string_view::npos ? '?' : meanings[at]);
  }
  rest.remove_prefix(std::min(rest.find_first_not_of(' ', i + 1), rest.size()));
  return text;
}

}  // namespace triggerd::test
