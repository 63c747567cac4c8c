// Runs every *.txt beside this file. With TRIGGERD_REWRITE=1 the traces in them are written anew;
// review the difference before it is committed.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/scenarios/scenario.h"

namespace triggerd::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "tests/scenarios";

std::vector<std::string> scenario_files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".txt" && entry.path().filename() != "CMakeLists.txt") {
      files.push_back(entry.path().stem().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// What the file should be: every command with the trace it left just now. A trace stands indented
// under its command; everything else (comments, empty lines) stays as it is.
std::string played(const std::string& text) {
  Scenario scenario;
  std::string out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("    ")) continue;
    out += line + "\n";
    if (line.empty() || line.starts_with("#")) continue;
    std::istringstream trace(scenario.play(Command::parse(line)));
    for (std::string traced; std::getline(trace, traced);) out += "    " + traced + "\n";
  }
  return out;
}

class ScenarioFile : public ::testing::TestWithParam<std::string> {};

TEST_P(ScenarioFile, LeavesTheTraceWrittenInIt) {
  const fs::path path = fs::path(kFolder) / (GetParam() + ".txt");
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  const std::string now = played(text.str());
  EXPECT_EQ(now.find("DISAGREES"), std::string::npos) << now;
  if (std::getenv("TRIGGERD_REWRITE") != nullptr) {
    std::ofstream(path) << now;
    return;
  }
  EXPECT_EQ(text.str(), now) << "TRIGGERD_REWRITE=1 writes the traces of " << path << " anew";
}

INSTANTIATE_TEST_SUITE_P(Scenarios, ScenarioFile, ::testing::ValuesIn(scenario_files()),
                         [](const auto& parameter) {
                           std::string name = parameter.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(ScenarioFiles, AreThere) {
  EXPECT_GE(scenario_files().size(), 12U);
}

}  // namespace
}  // namespace triggerd::testing
