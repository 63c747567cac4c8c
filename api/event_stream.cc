#include "api/event_stream.h"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "api/answers.h"
#include "api/event_reader.h"
#include "api/json_writer.h"

namespace triggerd::api {
namespace {

// Groups begin small: as many events as may each match every webhook that an organization can have.
constexpr std::size_t kFirstGroupLines = model::kMatchesPerRequestMax / model::kWebhooksPerOrgMax;
static_assert(kFirstGroupLines >= 1);

std::vector<ErrorEntry> entries_of(const Faults& faults) {
  std::vector<ErrorEntry> entries;
  entries.reserve(faults.size());
  for (const base::Error& fault : faults) {
    entries.push_back({status_of(fault.code), fault.message});
  }
  return entries;
}

}  // namespace

EventStream::EventStream(EventStreamOptions options, Outside outside, base::Random& random)
    : options_(std::move(options)),
      outside_(std::move(outside)),
      random_(random),
      lines_(options_.line_bytes_max),
      lines_max_(std::min(kFirstGroupLines, options_.group_lines_max)) {}

EventStream::~EventStream() {
  outside_.on_gone();
}

bool EventStream::has_room() const {
  return !ended_ && collected_.lines.size() < lines_max_ &&
         collected_.bytes < options_.group_bytes_max;
}

void EventStream::on_body(std::string_view& bytes) {
  while (has_room()) {
    const LineSplitter::Piece piece = lines_.feed(bytes);
    if (piece == LineSplitter::Piece::kMore) break;
    if (piece == LineSplitter::Piece::kLine) {
      take_line();
    } else {
      take_faults(lines_.number(),
                  {{base::ErrorCode::kTooLarge,
                    fmt::format("line: at most {} bytes are taken", options_.line_bytes_max)}});
    }
  }
  ask_or_answer();
}

void EventStream::on_body_end() {
  take_last_line();
  ended_ = true;
  ask_or_answer();
}

// Of a line that was cut nothing is taken: it could be half of what was meant.
void EventStream::on_body_cut(int status, std::string_view why) {
  ended_ = true;
  last_line_ = write_line_errors({{status, std::string(why)}}, lines_.number() + 1);
  ask_or_answer();
}

void EventStream::take_last_line() {
  const LineSplitter::Piece piece = lines_.finish();
  if (piece == LineSplitter::Piece::kLine) take_line();
  if (piece == LineSplitter::Piece::kTooLong) {
    take_faults(lines_.number(),
                {{base::ErrorCode::kTooLarge,
                  fmt::format("line: at most {} bytes are taken", options_.line_bytes_max)}});
  }
}

void EventStream::take_line() {
  std::string& text = lines_.line();
  if (text.find_first_not_of(" \t\r") == std::string::npos) return;
  const std::size_t bytes = text.size();
  const EventDefaults defaults{options_.org, outside_.clock(), random_, options_.traceparent};
  Faults faults = read_event(text, defaults, collected_.events);
  if (!faults.empty()) return take_faults(lines_.number(), std::move(faults));
  collected_.lines.push_back({lines_.number(), true, {}});
  collected_.bytes += bytes;
}

void EventStream::take_faults(std::uint64_t number, Faults faults) {
  for (const base::Error& fault : faults) collected_.bytes += fault.message.size();
  collected_.lines.push_back({number, false, std::move(faults)});
}

// Hands the collected group to the engine, or answers it when it has no event.
void EventStream::ask_or_answer() {
  if (asking_) return;
  asked_ = std::exchange(collected_, Group());
  if (!asked_.events.empty()) {
    asking_ = true;
    outside_.publish(model::PublishEvents{options_.org, std::exchange(asked_.events, {}),
                                          model::Acceptance::kEach});
    return;
  }
  std::string out;
  append_answers(nullptr, out);
  if (ended_) out += last_line_;
  if (ended_ || !out.empty()) outside_.send(std::move(out), ended_ ? Flow::kLast : Flow::kMore);
}

void EventStream::replied(const model::Reply& reply) {
  TRIGGERD_ASSERT(asking_);
  asking_ = false;
  fit_groups(reply);
  std::string out;
  append_answers(&reply, out);
  // The next group is under way before its connection may read on.
  asked_ = std::exchange(collected_, Group());
  if (!asked_.events.empty()) {
    asking_ = true;
    outside_.publish(model::PublishEvents{options_.org, std::exchange(asked_.events, {}),
                                          model::Acceptance::kEach});
  } else {
    append_answers(nullptr, out);
  }
  const bool over = ended_ && !asking_;
  if (over) out += last_line_;
  outside_.send(std::move(out), over ? Flow::kLast : Flow::kMore);
}

// Appends the answers to the lines of asked_. `reply` is there when there were events.
void EventStream::append_answers(const model::Reply* reply, std::string& out) {
  const auto* refusal = reply == nullptr ? nullptr : std::get_if<model::Refusal>(reply);
  std::size_t event = 0;
  for (const Line& line : asked_.lines) {
    if (!line.is_event) {
      out += write_line_errors(entries_of(line.faults), line.number);
    } else if (refusal != nullptr) {
      out += write_line_errors(entries_of(refusal->faults), line.number);
    } else {
      const model::PublishedEvent& published =
          reply_as<model::PublishReply>(*reply).events[event++];
      out += published.faults.empty()
                 ? write_published_line(published, line.number)
                 : write_line_errors(entries_of(published.faults), line.number);
    }
  }
  asked_ = Group();
}

// A group must not match more than the engine takes in one request.
void EventStream::fit_groups(const model::Reply& reply) {
  const auto* published = std::get_if<model::PublishReply>(&reply);
  if (published == nullptr) {
    lines_max_ = std::min(kFirstGroupLines, options_.group_lines_max);
    return;
  }
  std::size_t widest = 1;
  for (const model::PublishedEvent& event : published->events) {
    widest = std::max<std::size_t>(widest, event.webhooks);
  }
  lines_max_ =
      std::clamp(model::kMatchesPerRequestMax / widest,
                 std::min(kFirstGroupLines, options_.group_lines_max), options_.group_lines_max);
}

}  // namespace triggerd::api
