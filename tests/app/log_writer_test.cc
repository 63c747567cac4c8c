#include "app/log_writer.h"

#include <array>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace triggerd::app {
namespace {

std::string dropped_line(std::uint64_t lines) {
  return "dropped " + std::to_string(lines);
}

class LogWriterTest : public ::testing::Test {
 protected:
  LogWriterTest() {
    EXPECT_EQ(pipe2(pipe_.data(), O_CLOEXEC), 0);
    writer_ = std::make_unique<LogWriter>(pipe_[1], dropped_line);
  }
  ~LogWriterTest() override {
    // Readers first: a writer that waits for the pipe would wait for ever.
    close(pipe_[0]);
    writer_.reset();
    close(pipe_[1]);
  }

  // Blocks until there is something to read, or everything was written.
  std::string read_some() const {
    std::array<char, 4096> buffer{};
    const ssize_t count = read(pipe_[0], buffer.data(), buffer.size());
    return {buffer.data(), static_cast<std::size_t>(count < 0 ? 0 : count)};
  }
  // Ends the writer and reads what is left, meanwhile: it may be more than the pipe holds.
  std::string read_rest() {
    std::thread ending([this] {
      writer_.reset();
      close(pipe_[1]);
    });
    std::string all;
    for (std::string part = read_some(); !part.empty(); part = read_some()) all += part;
    ending.join();
    pipe_[1] = -1;
    return all;
  }

  std::array<int, 2> pipe_{};
  std::unique_ptr<LogWriter> writer_;
};

TEST_F(LogWriterTest, LinesComeInOrderEachWithItsEnd) {
  writer_->write("first", LogWriter::Urgency::kCanWait);
  writer_->write("second", LogWriter::Urgency::kNow);
  writer_->write("", LogWriter::Urgency::kCanWait);
  EXPECT_EQ(read_rest(), "first\nsecond\n\n");
}

TEST_F(LogWriterTest, ALineThatCanWaitIsWrittenWithoutAnother) {
  writer_->write("alone", LogWriter::Urgency::kCanWait);
  EXPECT_EQ(read_some(), "alone\n");
}

TEST_F(LogWriterTest, WhatIsLeftIsWrittenAtTheEnd) {
  for (int i = 0; i < 100; ++i) writer_->write("x", LogWriter::Urgency::kCanWait);
  EXPECT_EQ(read_rest().size(), 200U);
}

TEST_F(LogWriterTest, WithNothingToWriteNothingIsWritten) {
  EXPECT_EQ(read_rest(), "");
}

// The pipe is not read, so the writer's thread is stuck with at most one buffer of the limit, and
// another fills up: two buffers and a half are certainly too much.
TEST_F(LogWriterTest, PastTheLimitLinesAreDroppedAndToldOf) {
  constexpr std::size_t line_bytes = 1023;
  constexpr std::size_t line_count = LogWriter::kPendingBytesMax * 5 / 2 / (line_bytes + 1);
  const std::string line(line_bytes, 'x');
  for (std::size_t i = 0; i < line_count; ++i) writer_->write(line, LogWriter::Urgency::kCanWait);

  // How often it is told depends on when the writer's thread runs; the sum does not.
  std::istringstream all(read_rest());
  std::size_t written = 0;
  std::size_t dropped = 0;
  for (std::string read; std::getline(all, read);) {
    if (read.starts_with("dropped ")) {
      dropped += std::stoul(read.substr(8));
    } else {
      ASSERT_EQ(read, line);
      ++written;
    }
  }
  EXPECT_GT(dropped, 0U);
  EXPECT_EQ(written + dropped, line_count) << "every line is written or counted";
}

TEST_F(LogWriterTest, AReaderThatIsGoneEndsNothing) {
  close(pipe_[0]);
  pipe_[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
  writer_.reset();
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  {
    LogWriter writer(full, dropped_line);
    writer.write("lost", LogWriter::Urgency::kNow);
  }
  close(full);
}

}  // namespace
}  // namespace triggerd::app
