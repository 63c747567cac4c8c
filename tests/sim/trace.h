// The last lines of what a simulated world did, kept cheaply: numbers now, text only when printed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <vector>

#include "engine/base/time.h"

namespace triggerd::sim {

class Trace {
 public:
  enum class Mode : std::uint8_t { kRing, kPrintAll };
  // A named number; the name is a literal.
  struct Number {
    const char* name = nullptr;
    std::uint64_t value = 0;
  };

  // Requires: lines_max > 0.
  Trace(std::size_t lines_max, Mode mode) : lines_(lines_max), mode_(mode) {}

  // `what` and `note` are literals or outlive the trace. At most four numbers are kept.
  void add(base::MonoTime at, const char* what, std::initializer_list<Number> numbers = {},
           const char* note = nullptr);
  // The lines kept, oldest first.
  void print(std::FILE* out) const;

 private:
  struct Line {
    base::MonoTime at;
    const char* what = nullptr;
    const char* note = nullptr;
    std::array<Number, 4> numbers;
  };
  static void print_line(std::FILE* out, const Line& line);

  std::vector<Line> lines_;
  std::size_t count_ = 0;  // ever added
  Mode mode_;
};

}  // namespace triggerd::sim
