// What durability costs at least: append 1 KiB to a file and fdatasync it.
// fdatasync_yardstick FOLDER SECONDS PAUSE_MS waits so long between two, and prints
// {"count":…,"latency":{"p50_us":…,"p99_us":…,"p999_us":…,"max_us":…}}.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "bench/load/samples.h"
#include "bench/load/wire.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: fdatasync_yardstick FOLDER SECONDS PAUSE_MS\n", stderr);
    return 2;
  }
  const std::string path = std::string(argv[1]) + "/fdatasync_yardstick";
  const double seconds = std::strtod(argv[2], nullptr);
  const std::chrono::milliseconds pause(std::strtol(argv[3], nullptr, 10));
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) triggerd::load::die(path);
  std::array<char, 1024> block{};
  block.fill('x');
  std::vector<std::int64_t> latencies;
  const std::int64_t end = triggerd::load::now_ns() + static_cast<std::int64_t>(seconds * 1e9);
  for (std::int64_t begin = 0; (begin = triggerd::load::now_ns()) < end;) {
    if (write(file, block.data(), block.size()) != static_cast<ssize_t>(block.size())) {
      triggerd::load::die("write");
    }
    if (fdatasync(file) != 0) triggerd::load::die("fdatasync");
    latencies.push_back(triggerd::load::now_ns() - begin);
    std::this_thread::sleep_for(pause);
  }
  close(file);
  unlink(path.c_str());
  const std::size_t count = latencies.size();
  const triggerd::load::Samples samples(std::move(latencies));
  fmt::print("{{\"count\":{},\"latency\":{}}}\n", count, samples.to_json());
  return 0;
}
