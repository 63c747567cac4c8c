// A stream of events, one JSON object a line, answered line by line in order (CONTRACT A3, NDJSON).
// Lines that come while a group of events is with the engine become the next group: one question at
// a time, so that the order of the lines is the order of acceptance, and so that commits are
// shared. A line that is refused is answered with its errors, and the stream goes on. Blank lines
// have no answer.
//
//   {"line":1,"result":{"duplicate":false,"event_id":"…","webhooks":3}}
//   {"errors":[{"httpcode":400,"message":"…"}],"line":2}
//
// Memory: two groups and one line (model/limits.h); past that has_room() is false.
//
// Thread: that of its loop. Owned by a connection; replies find it by an id of its owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http.h"
#include "api/line_splitter.h"
#include "api/problem.h"
#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/model/limits.h"
#include "engine/model/request.h"

namespace triggerd::api {

struct EventStreamOptions {
  model::OrgId org;
  std::string traceparent;
  std::size_t group_lines_max = model::kStreamGroupLinesMax;
  std::size_t group_bytes_max = model::kStreamGroupBytesMax;
  std::size_t line_bytes_max = model::kStreamLineBytesMax;
};

class EventStream final : public BodyReader {
 public:
  struct Outside {
    // Asks the engine; the reply comes to replied(), never from within.
    std::function<void(model::PublishEvents)> publish;
    SendPiece send;
    std::function<base::WallTime()> clock;
    std::function<void()> on_gone;  // from the destructor
  };

  // `random` outlives this.
  EventStream(EventStreamOptions options, Outside outside, base::Random& random);
  ~EventStream() override;
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  // The reply to what was published last. May destroy this.
  void replied(const model::Reply& reply);

  void on_body(std::string_view& bytes) override;
  void on_body_end() override;
  void on_body_cut(int status, std::string_view why) override;
  [[nodiscard]] bool has_room() const override;
  [[nodiscard]] std::size_t unfinished_bytes() const override { return lines_.unfinished_bytes(); }
  [[nodiscard]] std::uint64_t parts() const override { return lines_.number(); }

 private:
  struct Line {
    std::uint64_t number = 0;
    bool is_event = false;  // the next one of the group
    Faults faults;          // else
  };
  struct Group {
    std::vector<Line> lines;
    std::vector<model::NewEvent> events;
    std::size_t bytes = 0;
  };

  void take_line();
  void take_faults(std::uint64_t number, Faults faults);
  void take_last_line();
  void ask_or_answer();
  void append_answers(const model::Reply* reply, std::string& out);
  void fit_groups(const model::Reply& reply);

  EventStreamOptions options_;
  Outside outside_;
  base::Random& random_;
  LineSplitter lines_;
  Group collected_;
  Group asked_;
  bool asking_ = false;
  bool ended_ = false;     // no more lines come
  std::string last_line_;  // why the body was cut
  std::size_t lines_max_;  // of a group, by what the events matched so far
};

}  // namespace triggerd::api
