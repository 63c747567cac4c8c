// What must hold, checked in every build. A failed assertion is our mistake: the process aborts,
// and recovery from the store is the way back.
#pragma once

namespace triggerd::base {

// Prints the expression and where it stands to standard error, then aborts. Any thread.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace triggerd::base

#define TRIGGERD_ASSERT(expression)    \
  ((expression) ? static_cast<void>(0) \
                : ::triggerd::base::assertion_failed(#expression, __FILE__, __LINE__))
