// Writes log lines to standard error, through a LogWriter: one line per fact, as JSON or as text
// for people.
#pragma once

#include "app/config.h"

namespace triggerd::app {

// Installs the sink; once, before any thread. kAuto: text on a terminal, JSON elsewhere. Lines
// that nobody reads fast enough are dropped and counted: logging never blocks a loop.
void start_logging(base::LogLevel level, LogFormat format);

// Writes out what is queued.
void stop_logging();

}  // namespace triggerd::app
