// The sink alone, for any client: load_sink PORTS [FIRST_PORT]. Prints its addresses, then once a
// second how many requests came; ends with its standard input.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "bench/load/sink.h"

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fputs("usage: load_sink PORTS [FIRST_PORT]\n", stderr);
    return 2;
  }
  const auto first_port =
      static_cast<std::uint16_t>(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 0);
  triggerd::load::Sink sink(std::strtoul(argv[1], nullptr, 10), first_port);
  for (const std::uint16_t port : sink.ports()) fmt::print("listening on 127.0.0.1:{}\n", port);
  std::fflush(stdout);

  std::uint64_t before = 0;
  for (;;) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, 1000) > 0) {
      char ignored[256];
      if (read(STDIN_FILENO, ignored, sizeof(ignored)) <= 0) return 0;
    }
    static_cast<void>(sink.take_arrivals());
    const std::uint64_t now = sink.requests();
    if (now != before) fmt::print("{} requests, {} in all\n", now - before, now);
    std::fflush(stdout);
    before = now;
  }
}
