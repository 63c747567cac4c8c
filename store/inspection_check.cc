// Inspection::check: each row by itself, and against the rows that it speaks of.
#include <algorithm>
#include <array>
#include <utility>

#include "engine/model/limits.h"
#include "store/inspection_database.h"

namespace triggerd::store {
namespace {

using base::Result;
using base::Status;
using model::EventSeq;

std::string hex_of(std::string_view key) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char character : key) {
    const auto byte = static_cast<unsigned char>(character);
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

std::uint32_t number_at(std::string_view key, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = at; i < at + sizeof(number); ++i) {
    number = (number << 8U) | static_cast<unsigned char>(key[i]);
  }
  return number;
}

std::string seq_text(EventSeq seq) {
  return "event " + std::to_string(seq.value());
}

}  // namespace

class Inspection::Checker {
 public:
  Checker(const Opened& opened, FileProgress& progress,
          const std::function<void(const Finding&)>& on_finding)
      : opened_(opened), progress_(progress), on_finding_(on_finding) {}

  Result<CheckReport> run() {
    read_counters();
    for (std::size_t column = 0; column < kColumns && given_up_.ok(); ++column) {
      walk(static_cast<Column>(column));
    }
    if (!given_up_.ok()) return given_up_.error();
    report_.secrets_opened = opened_.secrets != nullptr;
    return report_;
  }

 private:
  void find(Column column, std::string_view key, std::string fault) {
    ++report_.findings;
    on_finding_({std::string(kColumnNames[column]), hex_of(key), std::move(fault)});
  }

  void walk(Column column) {
    const Status read = opened_.for_each(
        column, progress_, [this, column](std::string_view key, std::string_view row) {
          ++report_.rows;
          check_row(column, key, row);
        });
    if (read.ok()) return;
    if (progress_.cancelled) {
      given_up_ = read;
    } else {
      find(column, "", read.error().message);
    }
  }

  void check_row(Column column, std::string_view key, std::string_view row) {
    switch (column) {
      case kRegistry:
        return check_registered(key, row);
      case kEvents:
        return with<model::Event>(column, key, row, &Checker::check_event);
      case kEventIds:
        return check_event_id(key, row);
      case kPending:
        return with<model::PendingChunk>(column, key, row, &Checker::check_pending);
      case kParked:
        return check_parked(key, row);
      case kAttempts:
        return with<model::AttemptRecord>(column, key, row, &Checker::check_attempt);
      case kOrgEvents:
        return with<model::EventSummary>(column, key, row, &Checker::check_summary);
      case kFinals:
        return check_final(key, row);
      case kMeta:
        return check_meta(key, row);
      default:
        return find(column, key, "this column has no rows");
    }
  }

  template <class Record>
  void with(Column column, std::string_view key, std::string_view row,
            void (Checker::*check)(std::string_view key, const Record& record)) {
    const Result<Record> record = decode_at<Record>(key, row);
    if (!record.ok()) return find(column, key, record.error().message);
    (this->*check)(key, record.value());
  }

  // A row that others refer to. Nothing when it is missing or cannot be read: the latter is found
  // where it stands.
  template <class Record>
  std::optional<Record> look_up(Column column, const std::string& key) {
    const Result<std::optional<std::string>> row = opened_.get(column, key);
    if (!row.ok() || !row.value()) return std::nullopt;
    Result<Record> record = decode<Record>(*row.value());
    if (!record.ok()) return std::nullopt;
    return std::move(record.value());
  }
  bool has(Column column, const std::string& key) {
    const Result<std::optional<std::string>> row = opened_.get(column, key);
    return !row.ok() || row.value().has_value();
  }
  const model::Event* event(EventSeq seq) {
    if (!event_ || event_->seq != seq) event_ = look_up<model::Event>(kEvents, event_key(seq));
    return event_ && event_->seq == seq ? &*event_ : nullptr;
  }

  void read_counters() { counters_ = look_up<model::Counters>(kMeta, std::string(kCountersKey)); }

  void check_registered(std::string_view key, std::string_view row) {
    switch (key.empty() ? '\0' : key.front()) {
      case kApiKeyPrefix:
        return with<model::ApiKey>(kRegistry, key, row, &Checker::check_of_organization);
      case kEventTypePrefix:
        return with<model::EventType>(kRegistry, key, row, &Checker::check_of_organization);
      case kJobPrefix:
        return with<model::RecoverJob>(kRegistry, key, row, &Checker::check_job);
      case kOrganizationPrefix:
        return with<model::Organization>(kRegistry, key, row, &Checker::check_nothing);
      case kSigningKeyPrefix:
        return with<model::SigningKey>(kRegistry, key, row, &Checker::check_nothing);
      case kTriggerPrefix:
        return with<model::Trigger>(kRegistry, key, row, &Checker::check_trigger);
      case kWebhookPrefix:
        return with<WebhookRow>(kRegistry, key, row, &Checker::check_webhook);
      case kErasurePrefix:
        if (key.size() != 1 + 16 || row.size() != kEventKeyBytes) {
          find(kRegistry, key, "stored erasure has another form");
        }
        return;
      default:
        return find(kRegistry, key, "stored row of no known kind");
    }
  }

  template <class Record>
  void check_nothing(std::string_view /*key*/, const Record& /*record*/) {}

  template <class Record>
  void check_of_organization(std::string_view key, const Record& record) {
    check_organization(key, record.org);
  }
  void check_organization(std::string_view key, model::OrgId org) {
    if (!has(kRegistry, organization_key(org))) {
      find(kRegistry, key, "its organization " + org.to_string() + " is not stored");
    }
  }

  void check_webhook(std::string_view key, const WebhookRow& row) {
    check_organization(key, row.webhook.org);
    if (counters_ && row.webhook.ref.value() >= counters_->next_webhook.value()) {
      find(kRegistry, key, "webhook has a number that is not given out yet");
    }
    if (opened_.secrets == nullptr) return;
    const Result<model::Webhook> webhook = unseal(*opened_.secrets, row);
    if (!webhook.ok()) find(kRegistry, key, webhook.error().message);
  }

  // A job stays when its webhook goes: numbers of webhooks are not given out again.
  void check_job(std::string_view key, const model::RecoverJob& job) {
    check_organization(key, job.org);
    const auto webhook = look_up<WebhookRow>(kRegistry, webhook_key(job.webhook));
    if (webhook && (webhook->webhook.org != job.org || webhook->webhook.id != job.webhook_id)) {
      find(kRegistry, key, "job says otherwise than its webhook itself");
    }
    if (counters_ && job.webhook.value() >= counters_->next_webhook.value()) {
      find(kRegistry, key, "job of a webhook whose number is not given out yet");
    }
  }

  void check_trigger(std::string_view key, const model::Trigger& trigger) {
    const auto webhook = look_up<WebhookRow>(kRegistry, webhook_key(trigger.webhook));
    if (!webhook || webhook->webhook.org != trigger.org) {
      find(kRegistry, key, "trigger of a webhook that is not stored");
    }
    if (counters_ && trigger.generation.value() >= counters_->next_generation.value()) {
      find(kRegistry, key, "trigger has a generation that is not given out yet");
    }
  }

  void check_event(std::string_view key, const model::Event& event) {
    const auto summary =
        look_up<model::EventSummary>(kOrgEvents, org_event_key(event.org, event.seq));
    if (!summary || *summary != model::summary_of(event)) {
      find(kEvents, key, seq_text(event.seq) + " has no summary, or another one's");
    }
    const auto id = look_up<EventRow>(kEventIds, event_id_key(event.org, event.id));
    const bool is_found = id && id->seq >= event.seq;
    // Of two events with one id, days apart, the older may be kept longer: the id goes with the
    // newer one.
    if (!is_found && !is_kept(event.seq)) {
      find(kEvents, key, seq_text(event.seq) + " is not found by its id");
    }
  }
  // By a dead letter, or a delivery that is pending.
  bool is_kept(EventSeq seq) {
    const std::string dead =
        final_of_event_key(seq, model::DeliveryState::kDead, model::WebhookRef(0));
    return starts_at(kFinals, dead, kFinalOfEventKeyBytes - sizeof(std::uint32_t)) ||
           starts_at(kPending, pending_key(seq, 0), kEventKeyBytes);
  }
  // Is there a row that shares so many bytes of this key?
  bool starts_at(Column column, const std::string& key, std::size_t shared) {
    rocksdb::ReadOptions read;
    read.total_order_seek = true;
    const std::unique_ptr<rocksdb::Iterator> at(
        opened_.rocks->NewIterator(read, opened_.columns[column]));
    at->Seek(key);
    return at->Valid() && view(at->key()).substr(0, shared) == key.substr(0, shared);
  }

  void check_event_id(std::string_view key, std::string_view row) {
    const Result<EventRow> id = decode<EventRow>(row);
    if (!id.ok()) return find(kEventIds, key, id.error().message);
    const model::Event* found = event(id.value().seq);
    if (found == nullptr) {
      find(kEventIds, key, "id of " + seq_text(id.value().seq) + ", which is not stored");
    } else if (event_id_key(found->org, found->id) != key ||
               found->matches.size() != id.value().matches ||
               found->accepted_at != id.value().accepted_at) {
      find(kEventIds, key, "says otherwise than " + seq_text(id.value().seq) + " itself");
    }
  }

  void check_summary(std::string_view key, const model::EventSummary& summary) {
    if (event(summary.seq) == nullptr) {
      find(kOrgEvents, key, "summary of " + seq_text(summary.seq) + ", which is not stored");
    }
  }

  void check_pending(std::string_view key, const model::PendingChunk& chunk) {
    if (counters_ && chunk.seq < counters_->first_pending) {
      find(kPending, key, "lies below the first pending event: a start would not see it");
    }
    const auto is_over = [](const model::PendingEntry& entry) {
      return model::is_final(entry.state);
    };
    if (std::all_of(chunk.entries.begin(), chunk.entries.end(), is_over)) {
      find(kPending, key, "nothing in it is pending");
    }
    for (const model::PendingEntry& entry : chunk.entries) {
      if (!entry.parked || has(kParked, parked_key(parked_key_of(chunk, entry)))) continue;
      find(kPending, key,
           "parked at webhook " + std::to_string(entry.webhook.value()) + ", but not found there");
    }
    const model::Event* of = event(chunk.seq);
    if (of == nullptr) {
      return find(kPending, key, "deliveries of " + seq_text(chunk.seq) + ", which is not stored");
    }
    const std::size_t first = std::size_t{chunk.chunk} * model::kPendingChunkEntries;
    bool same = of->org == chunk.org && of->id == chunk.event_id &&
                of->matches.size() == chunk.matches_in_all && first < of->matches.size() &&
                chunk.entries.size() ==
                    std::min<std::size_t>(model::kPendingChunkEntries, of->matches.size() - first);
    for (std::size_t i = 0; same && i < chunk.entries.size(); ++i) {
      same = chunk.entries[i].webhook == of->matches[first + i].webhook;
    }
    if (!same) find(kPending, key, "says otherwise than " + seq_text(chunk.seq) + " itself");
  }

  void check_parked(std::string_view key, std::string_view row) {
    const std::optional<model::ParkedLoaded::Delivery> delivery = parked_of(key, row);
    if (!delivery) return find(kParked, key, "stored parked delivery has another form");
    const EventSeq seq = delivery->key.seq;
    const std::size_t at = delivery->match % model::kPendingChunkEntries;
    const auto chunk = look_up<model::PendingChunk>(
        kPending, pending_key(seq, static_cast<std::uint32_t>(delivery->match /
                                                              model::kPendingChunkEntries)));
    if (!chunk || at >= chunk->entries.size() || model::is_final(chunk->entries[at].state)) {
      find(kParked, key, "parked delivery of " + seq_text(seq) + ", which is not pending");
    } else if (!chunk->entries[at].parked) {
      find(kParked, key, seq_text(seq) + " is not parked by its pending row");
    } else if (parked_key_of(*chunk, chunk->entries[at]) != delivery->key) {
      find(kParked, key, seq_text(seq) + " is parked elsewhere by its pending row");
    }
  }

  void check_attempt(std::string_view key, const model::AttemptRecord& attempt) {
    const model::Event* of = event(attempt.seq);
    if (of == nullptr) {
      return find(kAttempts, key, "attempt at " + seq_text(attempt.seq) + ", which is not stored");
    }
    const auto is_of = [&attempt](const model::Match& match) {
      return match.webhook == attempt.webhook;
    };
    if (std::none_of(of->matches.begin(), of->matches.end(), is_of) || of->id != attempt.event_id) {
      find(kAttempts, key, "is none of " + seq_text(attempt.seq));
    }
  }

  void check_final(std::string_view key, std::string_view row) {
    const char kind = key.empty() || !row.empty() ? '\0' : key.front();
    if (kind == kDeadOfOrgPrefix && key.size() == kDeadOfOrgKeyBytes) {
      return check_dead_of_org(key);
    }
    const bool of_webhook = kind == kFinalOfWebhookPrefix && key.size() == kFinalOfWebhookKeyBytes;
    const bool of_event = kind == kFinalOfEventPrefix && key.size() == kFinalOfEventKeyBytes;
    if (!of_webhook && !of_event) {
      return find(kFinals, key, "stored end of a delivery has another form");
    }
    const std::size_t state_at = of_webhook ? 1 + sizeof(std::uint32_t) : 1 + kEventKeyBytes;
    const auto state = static_cast<model::DeliveryState>(key[state_at]);
    const model::WebhookRef webhook(number_at(key, of_webhook ? 1 : state_at + 1));
    const EventSeq seq = event_seq_of(key.substr(of_webhook ? state_at + 1 : 1, kEventKeyBytes));
    const std::string other = of_webhook ? final_of_event_key(seq, state, webhook)
                                         : final_of_webhook_key(webhook, state, seq);
    if (!has(kFinals, other)) find(kFinals, key, "its counterpart is missing");
    if (of_webhook) check_end(key, webhook, seq, state);  // of both, said once
  }

  void check_dead_of_org(std::string_view key) {
    const std::size_t seq_at = kDeadOfOrgKeyBytes - sizeof(std::uint32_t) - kEventKeyBytes;
    const EventSeq seq = event_seq_of(key.substr(seq_at, kEventKeyBytes));
    const model::WebhookRef webhook = webhook_ref_of(key.substr(seq_at + kEventKeyBytes));
    if (!has(kFinals, final_of_webhook_key(webhook, model::DeliveryState::kDead, seq))) {
      find(kFinals, key, "dead letter of an organization, but of no webhook");
    }
    const model::Event* of = event(seq);
    if (of == nullptr) {
      find(kFinals, key, "dead letter of " + seq_text(seq) + ", which is not stored");
    } else if (dead_of_org_key(of->org, seq, webhook) != key) {
      find(kFinals, key, "dead letter of " + seq_text(seq) + ", which is another organization's");
    }
  }

  // What the last attempt says of the end of its delivery.
  void check_end(std::string_view key, model::WebhookRef webhook, EventSeq seq,
                 model::DeliveryState state) {
    rocksdb::ReadOptions read;
    read.total_order_seek = true;
    const std::unique_ptr<rocksdb::Iterator> at(
        opened_.rocks->NewIterator(read, opened_.columns[kAttempts]));
    const std::string last = attempt_key(webhook, seq, model::kNoAttempt);
    at->SeekForPrev(last);
    if (!at->Valid() || view(at->key()).substr(0, kAttemptPrefixBytes) !=
                            std::string_view(last).substr(0, kAttemptPrefixBytes)) {
      return find(kFinals, key, "end of a delivery without an attempt");
    }
    const Result<model::AttemptRecord> attempt = decode<model::AttemptRecord>(view(at->value()));
    if (!attempt.ok()) return;  // found where it stands
    if (attempt.value().state_after != state) {
      return find(kFinals, key, "its last attempt ended otherwise");
    }
    if (state != model::DeliveryState::kDead ||
        attempt.value().trigger_type != model::TriggerType::kEvent) {
      return;
    }
    const model::Event* of = event(seq);
    if (of != nullptr && !has(kFinals, dead_of_org_key(of->org, seq, webhook))) {
      find(kFinals, key, "dead letter of a webhook, but of no organization");
    }
  }

  void check_meta(std::string_view key, std::string_view row) {
    if (key == kCountersKey) {
      const Result<model::Counters> counters = decode<model::Counters>(row);
      if (!counters.ok()) find(kMeta, key, counters.error().message);
    } else if (key == kRetainedFromKey) {
      if (row.size() != kEventKeyBytes) find(kMeta, key, "stored sequence has another form");
    } else if (key == kKeyCheckKey) {
      if (opened_.secrets == nullptr) return;
      if (Status opened = check_key_text(*opened_.secrets, row); !opened.ok()) {
        find(kMeta, key, opened.error().message);
      }
    } else if (key != kFormatKey) {
      find(kMeta, key, "stored row of no known kind");
    }
  }

  const Opened& opened_;
  FileProgress& progress_;
  const std::function<void(const Finding&)>& on_finding_;
  CheckReport report_;
  Status given_up_;
  std::optional<model::Counters> counters_;
  std::optional<model::Event> event_;  // looked up last
};

Result<CheckReport> Inspection::check(FileProgress& progress,
                                      const std::function<void(const Finding&)>& on_finding) {
  return Checker(*opened_, progress, on_finding).run();
}

}  // namespace triggerd::store
