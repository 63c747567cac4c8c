#include "engine/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace triggerd::base {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "triggerd: assertion failed: %s at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace triggerd::base
