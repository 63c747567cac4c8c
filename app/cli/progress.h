// How far a long piece of work is, on standard error: a bar on a terminal, else nothing until the
// one line at the end. TRIGGERD_NO_PROGRESS in the environment: no bar.
#pragma once

#include <chrono>
#include <cstdint>
#include <future>
#include <string>

#include "store/backup_files.h"

namespace triggerd::app {

class ProgressBar {
 public:
  // `what` is done: "verifying", for instance.
  explicit ProgressBar(std::string what);

  // At most ten times a second it is drawn.
  void show(std::uint64_t done, std::uint64_t all);
  // The last word: "copied 12 files, 3.4 MiB".
  void finish(const std::string& line);
  // It has failed; the error is told elsewhere.
  void drop();

 private:
  std::string what_;
  bool on_terminal_;
  std::chrono::steady_clock::time_point since_;
  std::chrono::steady_clock::time_point shown_at_;
};

// "3.4 MiB"
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

// Runs `work` on a thread of its own and shows how far `progress` is.
template <class Work>
auto with_bar(ProgressBar& bar, const store::FileProgress& progress, Work work) {
  auto result = std::async(std::launch::async, std::move(work));
  while (result.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
    bar.show(progress.bytes_done, progress.bytes_all);
  }
  return result.get();
}

}  // namespace triggerd::app
