// Log lines to a descriptor, from a thread of its own: a slow terminal or disk never holds up a
// loop. Lines are gathered for a few milliseconds and written together: a busy engine logs a line
// per attempt, and a system call for each would cost more than the line.
//
// Any thread. Bounded: past kPendingBytesMax lines are dropped, counted, and told of later.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace triggerd::app {

class LogWriter {
 public:
  static constexpr std::size_t kPendingBytesMax = std::size_t{4} * 1024 * 1024;
  enum class Urgency : std::uint8_t { kCanWait, kNow };
  // The line that tells of so many dropped ones.
  using DroppedLine = std::function<std::string(std::uint64_t)>;

  // The descriptor stays the caller's, and open until this is destroyed.
  LogWriter(int descriptor, DroppedLine dropped_line);
  // Writes what is left.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // `line` is without its end.
  void write(std::string_view line, Urgency urgency);

 private:
  void run();
  void write_all(std::string_view text) const;

  const int descriptor_;
  const DroppedLine dropped_line_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::string pending_;        // guarded by mutex_, as all below
  std::uint64_t dropped_ = 0;  // since the last write
  bool urgent_ = false;
  bool stopping_ = false;

  std::thread thread_;  // last: starts when all above exists
};

}  // namespace triggerd::app
