#include "app/retention.h"

#include "engine/base/log.h"

namespace triggerd::app {

Retention::Retention(loop::EventLoop& event_loop, store::Store& store, RetentionOptions options)
    : loop_(event_loop),
      options_(options),
      timer_(event_loop, [this] { step(); }),
      worker_(
          event_loop, "retention",
          [&store](const store::RetentionStep& step) { return store.retain(step); },
          [this](const base::Result<store::RetentionProgress>& progress) { stepped(progress); }) {}

void Retention::start() {
  resting_ = true;
  timer_.start_after(options_.interval);
}

void Retention::use(RetentionOptions options) {
  const bool sooner = options.interval != options_.interval;
  options_ = options;
  if (resting_ && sooner) start();
}

void Retention::step() {
  resting_ = false;
  if (step_.from == model::EventSeq(0)) {
    const base::WallTime now = loop_.now().wall;
    step_.rules = {now - options_.age, now - options_.dead_letter_age, options_.bytes_max};
    step_.events_max = model::kRetentionStepEvents;
  }
  worker_.submit(step_);
}

void Retention::stepped(const base::Result<store::RetentionProgress>& progress) {
  if (progress.ok()) {
    erased_.events += progress.value().events;
    erased_.attempts += progress.value().attempts;
    if (progress.value().from) {
      step_.from = *progress.value().from;
      timer_.start_after(model::kRetentionRest);
      return;
    }
  } else {
    base::LogLine(base::LogLevel::kWarn, "retention", "a pass was given up; the next tries again")
        .field("error", progress.error().message);
  }
  if (erased_.events > 0) {
    base::LogLine(base::LogLevel::kInfo, "retention", "erased")
        .field("events", erased_.events)
        .field("attempts", erased_.attempts);
  }
  erased_ = {};
  step_.from = model::EventSeq(0);
  start();
}

}  // namespace triggerd::app
