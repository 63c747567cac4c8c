#include "tests/sim/trace.h"

#include <algorithm>

namespace triggerd::sim {

void Trace::add(base::MonoTime at, const char* what, std::initializer_list<Number> numbers,
                const char* note) {
  Line& line = lines_[count_ % lines_.size()];
  line = Line{at, what, note, {}};
  std::copy_n(numbers.begin(), std::min(numbers.size(), line.numbers.size()), line.numbers.begin());
  ++count_;
  if (mode_ == Mode::kPrintAll) print_line(stdout, line);
}

void Trace::print(std::FILE* out) const {
  const std::size_t kept = std::min(count_, lines_.size());
  for (std::size_t i = count_ - kept; i < count_; ++i) {
    print_line(out, lines_[i % lines_.size()]);
  }
}

void Trace::print_line(std::FILE* out, const Line& line) {
  const double seconds = static_cast<double>(line.at.time_since_epoch().count()) / 1e9;
  std::fprintf(out, "%14.6f %-18s", seconds, line.what);
  for (const Number& number : line.numbers) {
    if (number.name == nullptr) break;
    std::fprintf(out, " %s=%llu", number.name, static_cast<unsigned long long>(number.value));
  }
  if (line.note != nullptr) std::fprintf(out, " %s", line.note);
  std::fputc('\n', out);
}

}  // namespace triggerd::sim
