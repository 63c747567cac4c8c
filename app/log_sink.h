// Writes log lines to standard error, through spdlog's asynchronous logger: one line per fact, as
// JSON or as text for people.
#pragma once

#include "app/config.h"

namespace triggerd::app {

// Installs the sink; once, before any thread. kAuto: text on a terminal, JSON elsewhere. When the
// queue of 8192 lines is full the oldest lines go first: logging never blocks a loop.
void start_logging(base::LogLevel level, LogFormat format);

// Writes out what is queued.
void stop_logging();

}  // namespace triggerd::app
