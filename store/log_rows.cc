#include "store/log_rows.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
#include <utility>

#include "engine/base/assert.h"

namespace triggerd::store {
namespace {

using base::Result;
using base::Status;
using model::AttemptRecord;
using model::EventSeq;
using model::LoggedDelivery;
using model::LogPosition;
using model::PendingChunk;
using model::WebhookRef;

constexpr EventSeq kNewest{std::numeric_limits<std::uint64_t>::max()};
// Sequences that one look at pending rows spans. Where rows were erased lately, every one of them
// costs a step: without a bound a list could be long over nothing.
constexpr std::uint64_t kPendingWindow = 1024;
// What an empty one counts for, in rows.
constexpr std::uint32_t kPendingWindowRows = 8;

// How many rows a list may still look at.
class Budget {
 public:
  explicit Budget(std::uint32_t rows) : rows_(rows) {}
  void take(std::uint32_t rows) { rows_ -= std::min(rows_, rows); }
  [[nodiscard]] bool is_spent() const { return rows_ == 0; }

 private:
  std::uint32_t rows_;
};

EventSeq start_of(const std::optional<LogPosition>& position) {
  return position ? position->before : kNewest;
}

// Sequences fall with time: what is older than this ends the list.
bool is_too_old(const model::LogFilter& filter, model::WallTime accepted_at) {
  return filter.since && accepted_at < *filter.since;
}

LoggedDelivery line_of(AttemptRecord last) {
  LoggedDelivery line;
  line.seq = last.seq;
  line.event_id = last.event_id;
  line.event_name = last.event_name;
  line.trigger_type = last.trigger_type;
  line.accepted_at = last.accepted_at;
  line.state = last.state_after;
  if (last.number != model::kNoAttempt) line.attempts = last.number;
  if (last.state_after == model::DeliveryState::kDelayed) line.next_attempt = last.due;
  line.last_attempt = std::move(last);
  return line;
}

// A delivery that is over without an attempt still shows how many it had before.
Status count_attempts(LogRows& rows, LoggedDelivery& line) {
  if (!line.last_attempt || line.last_attempt->number != model::kNoAttempt) return {};
  return rows.attempts_of(line.last_attempt->webhook, line.seq,
                          [&line](const AttemptRecord& attempt) {
                            if (attempt.number == model::kNoAttempt) return true;
                            line.attempts = attempt.number;
                            return false;
                          });
}

// What a pending row says of one delivery.
struct PendingDelivery {
  EventSeq seq;
  model::EventId event_id;
  std::string event_name;
  model::WallTime accepted_at;
  model::PendingEntry entry;
};

const model::PendingEntry* entry_of(const PendingChunk& chunk, WebhookRef webhook) {
  const auto at = std::find_if(
      chunk.entries.begin(), chunk.entries.end(),
      [webhook](const model::PendingEntry& entry) { return entry.webhook == webhook; });
  return at == chunk.entries.end() ? nullptr : &*at;
}

const model::PendingEntry* open_entry(const PendingChunk& chunk, WebhookRef webhook) {
  const model::PendingEntry* entry = entry_of(chunk, webhook);
  return entry == nullptr || model::is_final(entry->state) ? nullptr : entry;
}

void lay_over(const PendingDelivery& pending, LoggedDelivery& line) {
  line.seq = pending.seq;
  line.event_id = pending.event_id;
  line.event_name = pending.event_name;
  line.accepted_at = pending.accepted_at;
  line.state = pending.entry.state;
  line.attempts = pending.entry.attempts;
  line.next_attempt.reset();
  if (line.state == model::DeliveryState::kDelayed) line.next_attempt = pending.entry.due;
}

// The webhook's deliveries that are not over, newest first.
class PendingScan {
 public:
  PendingScan(LogRows& rows, const ListLog& query, EventSeq start, Budget& budget)
      : rows_(rows),
        webhook_(query.webhook),
        left_(query.pending.count),
        oldest_(query.pending.oldest),
        budget_(budget) {
    // What came later than the count was made would be taken for what it counted.
    const EventSeq newest(query.pending.newest.value() + 1);
    position_ = std::min({start, newest, query.position ? query.position->pending_before : start});
  }

  // Looks for the next one at or above `floor`, as far as the budget goes.
  Status look_down_to(EventSeq floor) {
    while (found_.empty() && !is_known_down_to(floor) && !budget_.is_spent()) {
      if (Status looked = look_at_window(floor); !looked.ok()) return looked;
    }
    return {};
  }
  // Is it known that nothing else stands at or above `floor`?
  [[nodiscard]] bool is_known_down_to(EventSeq floor) const {
    return left_ == 0 || position_ <= std::max(floor, oldest_);
  }
  [[nodiscard]] const PendingDelivery* head() const {
    return found_.empty() ? nullptr : &found_.front();
  }
  void pop() { found_.pop_front(); }
  // Below it nothing was looked at, or what was found was not taken.
  [[nodiscard]] EventSeq position() const {
    if (!found_.empty()) return EventSeq(found_.front().seq.value() + 1);
    return is_known_down_to(EventSeq(0)) ? EventSeq(0) : position_;
  }

 private:
  Status look_at_window(EventSeq floor) {
    const std::uint64_t top = position_.value();
    const EventSeq first(
        std::max({floor.value(), oldest_.value(), top - std::min(top, kPendingWindow)}));
    budget_.take(kPendingWindowRows);
    bool is_whole = true;
    EventSeq last = position_;
    Status read = rows_.pending_between(first, position_, [&](const PendingChunk& chunk) {
      // Never within the rows of one event, so that each step gets on.
      if (budget_.is_spent() && chunk.seq != last && last != position_) {
        is_whole = false;
        return false;
      }
      budget_.take(1);
      last = chunk.seq;
      const model::PendingEntry* entry = open_entry(chunk, webhook_);
      if (entry == nullptr || left_ == 0) return true;
      --left_;
      found_.push_back({chunk.seq, chunk.event_id, chunk.event_name, chunk.accepted_at, *entry});
      return true;
    });
    position_ = is_whole ? first : last;
    return read;
  }

  LogRows& rows_;
  WebhookRef webhook_;
  std::uint64_t left_;  // not found yet
  EventSeq oldest_;
  Budget& budget_;
  EventSeq position_;  // everything at or above it is found
  std::deque<PendingDelivery> found_;
};

// One list of a webhook's deliveries.
class WebhookList {
 public:
  WebhookList(LogRows& rows, const ListLog& query, EventSeq start)
      : rows_(rows),
        query_(query),
        budget_(std::max(query.looked_at_max, 2 * kPendingWindowRows)),
        before_(start),
        pending_(rows, query, start, budget_) {}

  Result<ListPage> by_attempts();
  Result<ListPage> pending_ones();
  Result<ListPage> finals(model::DeliveryState state);

 private:
  [[nodiscard]] bool is_full() const { return page_.deliveries.size() >= query_.count_max; }
  void add(LoggedDelivery line) {
    before_ = line.seq;
    if (passes(query_.filter, line)) page_.deliveries.push_back(std::move(line));
  }
  ListPage go_on_later(EventSeq before) {
    page_.next = LogPosition{before, std::min(before, pending_.position())};
    return std::move(page_);
  }
  // Reads the newest attempted delivery below `before_`, unless it is at hand.
  Status load_attempted();

  LogRows& rows_;
  const ListLog& query_;
  Budget budget_;
  EventSeq before_;  // everything at or above it is in the page, or does not pass the filter
  PendingScan pending_;
  std::optional<AttemptRecord> attempted_;
  bool attempted_is_known_ = false;
  ListPage page_;
};

Status WebhookList::load_attempted() {
  if (attempted_is_known_) return {};
  Result<std::optional<AttemptRecord>> found = rows_.attempt_before(query_.webhook, before_);
  if (!found.ok()) return found.error();
  budget_.take(1);
  attempted_ = std::move(found.value());
  if (attempted_ && is_too_old(query_.filter, attempted_->accepted_at)) attempted_.reset();
  attempted_is_known_ = true;
  return {};
}

// Deliveries with attempts, and between them those without one yet.
Result<ListPage> WebhookList::by_attempts() {
  while (true) {
    if (is_full() || budget_.is_spent()) return go_on_later(before_);
    if (Status loaded = load_attempted(); !loaded.ok()) return loaded.error();
    const EventSeq floor = attempted_ ? attempted_->seq : EventSeq(0);
    if (Status looked = pending_.look_down_to(floor); !looked.ok()) return looked.error();
    const PendingDelivery* pending = pending_.head();
    if (pending == nullptr && !pending_.is_known_down_to(floor)) {
      return go_on_later(std::min(before_, pending_.position()));
    }
    if (pending != nullptr && is_too_old(query_.filter, pending->accepted_at)) pending = nullptr;
    if (pending == nullptr && !attempted_) return std::move(page_);
    LoggedDelivery line;
    const bool is_attempted = attempted_ && (pending == nullptr || pending->seq <= attempted_->seq);
    if (is_attempted) {
      line = line_of(*std::exchange(attempted_, std::nullopt));
      attempted_is_known_ = false;
      if (Status counted = count_attempts(rows_, line); !counted.ok()) return counted.error();
    }
    if (pending != nullptr && (!is_attempted || pending->seq == line.seq)) {
      lay_over(*pending, line);
      pending_.pop();
    }
    add(std::move(line));
  }
}

Result<ListPage> WebhookList::pending_ones() {
  while (true) {
    if (is_full() || budget_.is_spent()) return go_on_later(std::min(before_, pending_.position()));
    if (Status looked = pending_.look_down_to(EventSeq(0)); !looked.ok()) return looked.error();
    const PendingDelivery* pending = pending_.head();
    if (pending == nullptr) {
      if (pending_.is_known_down_to(EventSeq(0))) return std::move(page_);
      return go_on_later(pending_.position());
    }
    if (is_too_old(query_.filter, pending->accepted_at)) return std::move(page_);
    LoggedDelivery line;
    if (pending->entry.attempts > 0) {
      budget_.take(1);
      const Status read =
          rows_.attempts_of(query_.webhook, pending->seq, [&line](AttemptRecord attempt) {
            line.last_attempt = std::move(attempt);
            return false;
          });
      if (!read.ok()) return read.error();
    }
    lay_over(*pending, line);
    pending_.pop();
    add(std::move(line));
  }
}

Result<ListPage> WebhookList::finals(model::DeliveryState state) {
  while (true) {
    if (is_full() || budget_.is_spent()) return go_on_later(before_);
    const Result<std::optional<EventSeq>> found =
        rows_.final_before(query_.webhook, state, before_);
    if (!found.ok()) return found.error();
    if (!found.value()) return std::move(page_);
    before_ = *found.value();
    budget_.take(1);
    Result<std::optional<AttemptRecord>> last =
        rows_.attempt_before(query_.webhook, EventSeq(before_.value() + 1));
    if (!last.ok()) return last.error();
    if (!last.value() || last.value()->seq != before_) continue;
    if (is_too_old(query_.filter, last.value()->accepted_at)) return std::move(page_);
    Result<LoggedDelivery> line = logged_delivery(rows_, *std::move(last.value()));
    if (!line.ok()) return line.error();
    add(std::move(line.value()));
  }
}

std::uint32_t count_of(const model::DeliveryCounts& counts, model::DeliveryStatus status) {
  switch (status) {
    case model::DeliveryStatus::kPending:
      return counts.pending;
    case model::DeliveryStatus::kDelivered:
      return counts.delivered;
    case model::DeliveryStatus::kDead:
      return counts.dead;
    case model::DeliveryStatus::kCancelled:
      break;
  }
  return counts.cancelled;
}

// Fills the counts of an event; false when it has no delivery of the status that is asked for.
// Looks at no more rows than it takes to see that.
Result<bool> count_deliveries(LogRows& rows, const ListEvents& query, model::LoggedEvent& line,
                              Budget& budget) {
  const EventSeq seq = line.event.seq;
  Result<model::DeliveryCounts> finals = rows.finals_of(seq);
  if (!finals.ok()) return finals.error();
  model::DeliveryCounts& counts = line.deliveries;
  counts = finals.value();
  const std::optional<model::DeliveryStatus>& status = query.filter.status;
  const bool is_final =
      status == model::DeliveryStatus::kDead || status == model::DeliveryStatus::kCancelled;
  if (is_final && count_of(counts, *status) == 0) return false;
  if (seq >= query.pending_oldest) {
    budget.take(kPendingWindowRows);
    const Status read = rows.pending_between(
        seq, EventSeq(seq.value() + 1), [&counts, &budget](const PendingChunk& chunk) {
          budget.take(1);
          counts.pending += static_cast<std::uint32_t>(std::count_if(
              chunk.entries.begin(), chunk.entries.end(),
              [](const model::PendingEntry& entry) { return !model::is_final(entry.state); }));
          return true;
        });
    if (!read.ok()) return read.error();
  }
  const std::uint32_t others = counts.pending + counts.dead + counts.cancelled;
  counts.delivered = line.event.webhooks - std::min(line.event.webhooks, others);
  return !status || count_of(counts, *status) > 0;
}

}  // namespace

bool passes(const model::LogFilter& filter, const LoggedDelivery& line) {
  if (filter.status && model::status_of(line.state) != *filter.status) return false;
  if (!filter.event_name.empty() && line.event_name != filter.event_name) return false;
  if (filter.since && line.accepted_at < *filter.since) return false;
  return !filter.until || line.accepted_at < *filter.until;
}

Result<EventSeq> sequence_at(LogRows& rows, model::OrgId org, model::WallTime until,
                             EventSeq before) {
  std::uint64_t low = 0;
  std::uint64_t high = before.value();
  // The first look is at the newest: most lists end now.
  for (std::uint64_t at = high; low < high; at = low + (high - low) / 2 + 1) {
    const Result<std::optional<model::EventSummary>> event = rows.event_before(org, EventSeq(at));
    if (!event.ok()) return event.error();
    if (!event.value() || event.value()->accepted_at < until) {
      low = at;
    } else {
      high = event.value()->seq.value();
    }
  }
  return EventSeq(low);
}

Result<LoggedDelivery> logged_delivery(LogRows& rows, AttemptRecord last) {
  LoggedDelivery line = line_of(std::move(last));
  if (Status counted = count_attempts(rows, line); !counted.ok()) return counted.error();
  return line;
}

Result<ListPage> list_log(LogRows& rows, const ListLog& query) {
  EventSeq start = start_of(query.position);
  if (query.filter.until) {
    const Result<EventSeq> at = sequence_at(rows, query.org, *query.filter.until, start);
    if (!at.ok()) return at.error();
    start = at.value();
  }
  WebhookList list(rows, query, start);
  if (query.filter.status == model::DeliveryStatus::kPending) return list.pending_ones();
  if (query.filter.status == model::DeliveryStatus::kDead) {
    return list.finals(model::DeliveryState::kDead);
  }
  if (query.filter.status == model::DeliveryStatus::kCancelled) {
    return list.finals(model::DeliveryState::kCancelled);
  }
  return list.by_attempts();
}

Result<ListPage> list_attempts(LogRows& rows, const ListAttempts& query) {
  ListPage page;
  LoggedDelivery line;
  bool is_known = false;
  Status read = rows.attempts_of(query.webhook, query.seq, [&](AttemptRecord attempt) {
    if (!is_known) {
      line = line_of(attempt);
      is_known = true;
    }
    if (attempt.number != model::kNoAttempt)
      line.attempts = std::max(line.attempts, attempt.number);
    page.attempts.push_back(std::move(attempt));
    return true;
  });
  if (!read.ok()) return read.error();
  read = rows.pending_between(
      query.seq, EventSeq(query.seq.value() + 1), [&](const PendingChunk& chunk) {
        const model::PendingEntry* entry = entry_of(chunk, query.webhook);
        if (entry == nullptr) return true;
        page.pending.push_back(chunk);
        if (model::is_final(entry->state)) return false;
        lay_over({chunk.seq, chunk.event_id, chunk.event_name, chunk.accepted_at, *entry}, line);
        is_known = true;
        return false;
      });
  if (!read.ok()) return read.error();
  if (is_known) page.deliveries.push_back(std::move(line));
  return page;
}

Result<ListPage> list_events(LogRows& rows, const ListEvents& query) {
  ListPage page;
  Budget budget(std::max(query.looked_at_max, 1U));
  EventSeq before = start_of(query.position);
  if (query.filter.until) {
    const Result<EventSeq> at = sequence_at(rows, query.org, *query.filter.until, before);
    if (!at.ok()) return at.error();
    before = at.value();
  }
  while (page.logged_events.size() < query.count_max && !budget.is_spent()) {
    if (query.filter.status == model::DeliveryStatus::kPending && before <= query.pending_oldest) {
      return page;
    }
    Result<std::optional<model::EventSummary>> found = rows.event_before(query.org, before);
    if (!found.ok()) return found.error();
    if (!found.value() || is_too_old(query.filter, found.value()->accepted_at)) return page;
    budget.take(1);
    model::LoggedEvent line{*std::move(found.value()), {}};
    before = line.event.seq;
    if (!query.filter.event_name.empty() && line.event.name != query.filter.event_name) continue;
    if (query.filter.until && line.event.accepted_at >= *query.filter.until) continue;
    budget.take(2);
    const Result<bool> wanted = count_deliveries(rows, query, line, budget);
    if (!wanted.ok()) return wanted.error();
    if (wanted.value()) page.logged_events.push_back(std::move(line));
  }
  page.next = LogPosition{before, before};
  return page;
}

}  // namespace triggerd::store
