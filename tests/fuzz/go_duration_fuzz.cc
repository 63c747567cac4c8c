// Durations: what is accepted is printed so that it reads back as the same value; so is every
// 64-bit value.
#include <cstdint>
#include <cstring>

#include "engine/base/assert.h"
#include "engine/model/go_duration.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

using triggerd::base::Duration;
using triggerd::base::Result;

void check_round_trip(Duration duration) {
  const std::string text = triggerd::model::format_go_duration(duration);
  const Result<Duration> again = triggerd::model::parse_go_duration(text);
  TRIGGERD_ASSERT(again.ok());
  TRIGGERD_ASSERT(again.value() == duration);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text = triggerd::fuzz::Input(bytes, size).rest();
  const Result<Duration> parsed = triggerd::model::parse_go_duration(text);
  if (parsed.ok()) check_round_trip(parsed.value());
  if (!parsed.ok()) TRIGGERD_ASSERT(!parsed.error().message.empty());

  std::int64_t nanoseconds = 0;
  if (size >= sizeof nanoseconds) {
    std::memcpy(&nanoseconds, bytes, sizeof nanoseconds);
    check_round_trip(Duration(nanoseconds));
  }
  return 0;
}
