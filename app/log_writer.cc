#include "app/log_writer.h"

#include <cerrno>
#include <chrono>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace triggerd::app {
namespace {

constexpr std::chrono::milliseconds kGather{5};
// How long a descriptor that takes nothing is waited for before its lines are given up.
constexpr int kBlockedMs = 1000;
// Memory that a burst leaves behind is given back above this.
constexpr std::size_t kCapacityKept = std::size_t{256} * 1024;

}  // namespace

LogWriter::LogWriter(int descriptor, DroppedLine dropped_line)
    : descriptor_(descriptor), dropped_line_(std::move(dropped_line)), thread_([this] { run(); }) {}

LogWriter::~LogWriter() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void LogWriter::write(std::string_view line, Urgency urgency) {
  bool wake = urgency == Urgency::kNow;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (pending_.size() + line.size() >= kPendingBytesMax) {
      ++dropped_;
      return;
    }
    wake = wake || pending_.empty();
    urgent_ = urgent_ || urgency == Urgency::kNow;
    pending_.append(line);
    pending_ += '\n';
  }
  if (wake) wake_.notify_one();
}

void LogWriter::run() {
  std::string text;
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !pending_.empty(); });
    wake_.wait_for(lock, kGather, [this] { return stopping_ || urgent_; });
    if (pending_.empty()) return;  // stopping
    text.swap(pending_);
    urgent_ = false;
    const std::uint64_t dropped = std::exchange(dropped_, 0);
    lock.unlock();
    if (dropped > 0) text.append(dropped_line_(dropped)) += '\n';
    write_all(text);
    text.clear();
    if (text.capacity() > kCapacityKept) text.shrink_to_fit();
    lock.lock();
  }
}

void LogWriter::write_all(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor_, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      pollfd writable{descriptor_, POLLOUT, 0};
      if (poll(&writable, 1, kBlockedMs) <= 0) return;
    } else if (errno != EINTR) {
      return;  // nobody is left to tell
    }
  }
}

}  // namespace triggerd::app
