#include "app/sse_reader.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "app/cursor_file.h"
#include "app/stream_seats.h"

namespace triggerd::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> read_all(SseReader& reader, std::string_view bytes) {
  std::vector<std::string> messages;
  while (reader.feed(bytes)) {
    const SseMessage& message = reader.message();
    messages.push_back(message.event + "|" + message.data + "|" + message.id);
  }
  EXPECT_TRUE(bytes.empty() || reader.too_long());
  return messages;
}

constexpr std::string_view kText =
    ": hello\n\nretry: 2000\nid: 6\n\nid: 7\nevent: event\ndata: {\"a\":\ndata:  1}\n\n"
    ":\n\nevent:end\ndata\n\ndata: x\r\ndata:y\r\n\r\nid: 8\rdata:z\r\r\n";

TEST(SseReader, ReadsMessagesHoweverTheBytesCome) {
  for (std::size_t piece = 1; piece <= kText.size(); ++piece) {
    SseReader reader(1000);
    std::vector<std::string> messages;
    for (std::size_t at = 0; at < kText.size(); at += piece) {
      for (std::string& each : read_all(reader, kText.substr(at, piece))) {
        messages.push_back(std::move(each));
      }
    }
    EXPECT_THAT(messages, ElementsAre("||6", "event|{\"a\":\n 1}|7", "end||", "|x\ny|", "|z|8"))
        << piece;
  }
}

TEST(SseReader, AMessageThatIsTooLongEndsIt) {
  SseReader reader(20);
  EXPECT_THAT(read_all(reader, "data: 12345678901234\n\n"), ElementsAre("|12345678901234|"));
  EXPECT_FALSE(reader.too_long());
  EXPECT_TRUE(read_all(reader, "data: 123456789012345").empty());
  EXPECT_TRUE(reader.too_long());
  SseReader lines(20);
  EXPECT_TRUE(read_all(lines, "data: 1234567890\ndata: 1234567890\n\n").empty());
  EXPECT_TRUE(lines.too_long());
}

class CursorFileTest : public testing::Test {
 protected:
  CursorFileTest() : folder_(testing::TempDir() + "/cursor-XXXXXX") {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
  }
  ~CursorFileTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
};

TEST_F(CursorFileTest, KeepsTheLastPosition) {
  const CursorFile cursor(folder_ + "/new/folder/a.cursor");
  ASSERT_TRUE(cursor.load().ok());
  EXPECT_EQ(cursor.load().value(), std::nullopt);
  for (const std::string position : {"1", "18446744073709551615", "20"}) {
    ASSERT_TRUE(cursor.save(position).ok());
    EXPECT_EQ(cursor.load().value(), position);
  }
  EXPECT_FALSE(std::filesystem::exists(cursor.path() + ".new"));
}

TEST_F(CursorFileTest, SaysWhatIsWrong) {
  const std::string path = folder_ + "/a.cursor";
  for (const std::string text : {"", "x\n", "-1\n", "123456789012345678901\n"}) {
    std::ofstream(path) << text;
    const base::Result<std::optional<std::string>> loaded = CursorFile(path).load();
    ASSERT_FALSE(loaded.ok());
    EXPECT_THAT(loaded.error().message, HasSubstr("has no position in it"));
  }
  EXPECT_THAT(CursorFile(path + "/under").save("1").error().message,
              HasSubstr("can not be written"));
}

TEST(DefaultCursorPath, TellsListenersApart) {
  ::setenv("XDG_STATE_HOME", "/state", 1);
  const std::string one = default_cursor_path("org", "a");
  EXPECT_THAT(one, testing::StartsWith("/state/triggerd/listen-org-"));
  EXPECT_NE(one, default_cursor_path("org", "b"));
  EXPECT_EQ(one, default_cursor_path("org", "a"));
}

TEST(StreamSeats, AreBoundedByOrganizationAndInAll) {
  using Seat = api::Backend::Seat;
  StreamSeats seats({2, 3});
  const auto first = *model::OrgId::parse("11111111-2222-4333-8444-555555555555");
  const auto second = *model::OrgId::parse("99999999-2222-4333-8444-555555555555");
  EXPECT_EQ(seats.take(first), Seat::kTaken);
  EXPECT_EQ(seats.take(first), Seat::kTaken);
  EXPECT_EQ(seats.take(first), Seat::kNoneOfOrganization);
  EXPECT_EQ(seats.take(second), Seat::kTaken);
  EXPECT_EQ(seats.take(second), Seat::kNone);
  seats.leave(first);
  EXPECT_EQ(seats.take(second), Seat::kTaken);
  EXPECT_EQ(seats.take(first), Seat::kNone);
}

}  // namespace
}  // namespace triggerd::app
