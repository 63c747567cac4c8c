#include "engine/core/publisher.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "engine/core/validate.h"
#include "engine/model/limits.h"

namespace triggerd::core {

using base::Duration;
using base::ErrorCode;
using base::Now;
using model::Event;
using model::EventId;
using model::EventSeq;
using model::Match;
using model::NewEvent;
using model::OrgId;
using model::PublishEvents;
using model::ReadId;
using model::Refusal;
using model::RequestId;

Publisher::Publisher(const PublishLimits& limits, const DedupOptions& dedup, Registry& registry,
                     Deliveries& deliveries, const EventCatalogue& catalogue,
                     const TriggerFilters& filters, Door& door, PublishWaits& waits, Outbox& outbox)
    : limits_(limits),
      dedup_(dedup),
      registry_(registry),
      deliveries_(deliveries),
      catalogue_(catalogue),
      filters_(filters),
      door_(door),
      waits_(waits),
      outbox_(outbox),
      seen_(dedup) {}

void Publisher::raise_next_event(EventSeq next) {
  next_event_ = std::max(next_event_, next);
}

EventSeq Publisher::take_event_seq() {
  const EventSeq taken = next_event_;
  next_event_ = EventSeq(taken.value() + 1);
  return taken;
}

// --- From request to answer -------------------------------------------------------------------

void Publisher::handle(PublishEvents request, RequestId id, Now now) {
  // First, so that a request that comes back claims its tokens once.
  if (!rules_current_or_give_back(request, id)) return;
  // A client that asks too often learns nothing, not even which organizations there are.
  if (!claim_or_refuse(request, Claims::kOfClient, id, now)) return;
  if (!well_formed_or_refuse(request, id)) return;
  if (!claim_or_refuse(request, Claims::kOthers, id, now)) return;
  const std::vector<std::optional<Answer>> none(request.events.size());
  const std::vector<Verdict> verdicts = judge(request, none, now);
  if (!any_unknown(verdicts)) return accept(request, id, verdicts, now);
  Waiting waiting;
  waiting.request = std::move(request);
  waiting.answers = none;
  ask(std::move(waiting), id, verdicts);
}

bool Publisher::claim_or_refuse(const PublishEvents& request, Claims which, RequestId id, Now now) {
  for (const model::RateClaim& claim : request.claims) {
    if (goes_by_client_alone(claim.kind) != (which == Claims::kOfClient)) continue;
    if (std::optional<Refusal> refusal = door_.claim(claim, now)) {
      outbox_.refuse(id, *std::move(refusal));
      return false;
    }
  }
  return true;
}

bool Publisher::rules_current_or_give_back(PublishEvents& request, RequestId id) {
  if (request.rules_version == filters_.rules_version(request.org)) return true;
  // Behind the change, which the edge has by the time it gets this.
  outbox_.reply(id, model::StaleRules{std::move(request)});
  return false;
}

bool Publisher::well_formed_or_refuse(const PublishEvents& request, RequestId id) {
  Faults faults;
  if (registry_.organization(request.org) == nullptr) {
    outbox_.reply(
        id,
        Refusal{{{ErrorCode::kNotFound, "could not find organization " + request.org.to_string()}},
                std::nullopt});
    return false;
  }
  if (request.webhook) {
    const model::WebhookPtr webhook = registry_.find(request.org, *request.webhook);
    const std::string shown = "webhook " + request.webhook->to_string();
    Refusal refusal;
    if (webhook == nullptr) {
      refusal.faults.push_back({ErrorCode::kNotFound, "could not find " + shown});
    } else if (webhook->state == model::WebhookState::kDisabled) {
      refusal.faults.push_back(
          {ErrorCode::kConflict, shown + " is disabled; PATCH it with "
                                         "{\"delivery\":{\"state\":\"active\"}}, then test it"});
    }
    if (!refusal.faults.empty()) {
      outbox_.reply(id, std::move(refusal));
      return false;
    }
  }
  if (request.events.empty()) {
    faults.push_back({ErrorCode::kInvalid, "events: is empty; send at least one event"});
  }
  if (request.events.size() > model::kEventsPerBatchMax) {
    faults.push_back({ErrorCode::kInvalid, "events: at most " +
                                               std::to_string(model::kEventsPerBatchMax) +
                                               " in one request; split it"});
  } else if (request.acceptance == model::Acceptance::kWhole) {
    for (std::size_t i = 0; i < request.events.size(); ++i) {
      Faults more = validate_event(request.events[i], i, EventNames{catalogue_, request.org});
      std::move(more.begin(), more.end(), std::back_inserter(faults));
    }
  }
  if (faults.empty()) return true;
  outbox_.refuse(id, Refusal{std::move(faults), std::nullopt});
  return false;
}

std::vector<Publisher::Verdict> Publisher::judge(const PublishEvents& request,
                                                 const std::vector<std::optional<Answer>>& answers,
                                                 Now now) const {
  std::vector<Verdict> verdicts(request.events.size());
  std::unordered_map<EventId, std::size_t> first_with;  // looked up only
  for (std::size_t i = 0; i < request.events.size(); ++i) {
    const NewEvent& event = request.events[i];
    if (request.acceptance == model::Acceptance::kEach &&
        !validate_event(event, std::nullopt, EventNames{catalogue_, request.org}).empty()) {
      verdicts[i].standing = Standing::kRefused;
      continue;
    }
    if (!event.id_from_client) continue;
    const auto [first, is_first] = first_with.emplace(event.id, i);
    if (!is_first) {
      verdicts[i] = Verdict{Standing::kRepeated, 0, first->second};
      continue;
    }
    const DedupAnswer known = seen_.find(request.org, event.id, now.wall);
    if (known.verdict == DedupVerdict::kSeen) {
      verdicts[i] = Verdict{Standing::kSeen, known.seen.webhooks, 0};
    } else if (known.verdict == DedupVerdict::kUnknown) {
      if (!answers[i]) {
        verdicts[i].standing = Standing::kUnknown;
      } else if (answers[i]->found && now.wall - answers[i]->seen.accepted_at < dedup_.window) {
        verdicts[i] = Verdict{Standing::kSeen, answers[i]->seen.webhooks, 0};
      }
    }
  }
  return verdicts;
}

// --- Ids that only the store knows ------------------------------------------------------------

bool Publisher::any_unknown(const std::vector<Verdict>& verdicts) {
  return std::any_of(verdicts.begin(), verdicts.end(),
                     [](const Verdict& verdict) { return verdict.standing == Standing::kUnknown; });
}

void Publisher::ask(Waiting waiting, RequestId id, const std::vector<Verdict>& verdicts) {
  if (waiting_.size() >= limits_.waiting_requests) {
    return overloaded(id, "too many requests wait for the store; try again later");
  }
  // An id that this very process forgot may still be on its way to the disk.
  if (seen_.forgotten() != forgotten_then_) {
    forgotten_then_ = seen_.forgotten();
    forgotten_rest_on_ = outbox_.newest();
  }
  const PublishEvents& request = waiting.request;
  waiting.reads.clear();
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    if (verdicts[i].standing != Standing::kUnknown) continue;
    const ReadId read =
        outbox_.ask(forgotten_rest_on_, model::ReadEventId{request.org, request.events[i].id});
    reads_.emplace(read, ReadFor{id, i});
    waiting.reads.push_back(read);
  }
  waiting.reads_open = waiting.reads.size();
  waiting.remembered_then = remembered_;
  waiting_.emplace(id, std::move(waiting));
}

bool Publisher::loaded(ReadId id, const model::ReadAnswer& answer, Now now) {
  const auto at = reads_.find(id);
  if (at == reads_.end()) return false;
  const ReadFor read = at->second;
  reads_.erase(at);
  const auto waiting_at = waiting_.find(read.request);
  if (waiting_at == waiting_.end()) return true;
  const auto* loaded = std::get_if<model::EventIdLoaded>(&answer);
  if (loaded == nullptr) {
    cancel(read.request);
    Refusal refusal;
    refusal.faults.push_back(
        {ErrorCode::kUnavailable, "[" + std::to_string(read.index) +
                                      "].event_id: the store could not tell whether it was "
                                      "accepted before; try again later"});
    refusal.retry_after = model::kOverloadRetryAfter;
    outbox_.refuse(read.request, std::move(refusal));
    return true;
  }
  Waiting& waiting = waiting_at->second;
  waiting.answers[read.index] =
      Answer{loaded->found, SeenEvent{loaded->accepted_at, loaded->webhooks}};
  if (--waiting.reads_open > 0) return true;
  Waiting complete = std::move(waiting);
  waiting_.erase(waiting_at);
  resume(std::move(complete), read.request, now);
  return true;
}

void Publisher::resume(Waiting waiting, RequestId id, Now now) {
  // The world went on meanwhile: the organization may be gone, an id accepted by another request.
  if (!rules_current_or_give_back(waiting.request, id)) return;
  if (!well_formed_or_refuse(waiting.request, id)) return;
  std::vector<Verdict> verdicts = judge(waiting.request, waiting.answers, now);
  if (!any_unknown(verdicts) && remembered_ - waiting.remembered_then < dedup_.ids_max) {
    return accept(waiting.request, id, verdicts, now);
  }
  // An id was forgotten while we asked for another, or so many were accepted that "not there"
  // (or "too long ago") may have been said of one that was accepted and forgotten since.
  if (++waiting.asked > model::kReadRetriesMax) {
    return overloaded(id,
                      "event ids are forgotten faster than they are looked up; try again later");
  }
  waiting.answers.assign(waiting.request.events.size(), std::nullopt);
  verdicts = judge(waiting.request, waiting.answers, now);
  if (!any_unknown(verdicts)) return accept(waiting.request, id, verdicts, now);
  ask(std::move(waiting), id, verdicts);
}

void Publisher::cancel(RequestId id) {
  const auto at = waiting_.find(id);
  if (at == waiting_.end()) return;
  for (const ReadId read : at->second.reads) reads_.erase(read);
  waiting_.erase(at);
}

// --- Acceptance -------------------------------------------------------------------------------

std::vector<Match> Publisher::matches_of(const OrgId& org, const NewEvent& event,
                                         std::uint64_t& steps) {
  std::vector<Match> matches;
  const auto all = registry_.match(org, model::TriggerType::kEvent, event.name);
  matches.reserve(all.size());
  const bool any_filters = filters_.any(org);
  if (any_filters) attributes_.look_at(event.attributes);
  for (const Match& match : all) {
    // Paused ones match: they get theirs later.
    if (registry_.peek(match.webhook)->state == model::WebhookState::kDisabled) continue;
    if (any_filters) {
      ++steps;
      const CompiledFilter* filter = filters_.find(match.generation);
      if (filter != nullptr && !filter->matches(attributes_, steps)) continue;
    }
    matches.push_back(match);
  }
  return matches;
}

void Publisher::accept(const PublishEvents& request, RequestId id,
                       const std::vector<Verdict>& verdicts, Now now) {
  MatchLists matches(request.events.size());
  std::size_t in_all = 0;
  if (!match_or_refuse(request, id, verdicts, matches, in_all)) return;
  const bool waits = request.wait > Duration(0) && waits_.has_room(in_all);
  model::PublishReply reply;
  reply.events.reserve(request.events.size());
  if (waits) reply.waited_for = request.wait;
  std::vector<EventSeq> accepted(waits ? request.events.size() : 0);
  for (std::size_t i = 0; i < request.events.size(); ++i) {
    const NewEvent& asked = request.events[i];
    const Verdict& verdict = verdicts[i];
    if (verdict.standing == Standing::kRefused) {
      model::PublishedEvent& refused = reply.events.emplace_back();
      refused.id = asked.id;
      refused.faults = validate_event(asked, std::nullopt, EventNames{catalogue_, request.org});
      continue;
    }
    if (verdict.standing == Standing::kSeen) {
      reply.events.push_back({asked.id, true, verdict.webhooks});
      continue;
    }
    if (verdict.standing == Standing::kRepeated) {
      reply.events.push_back({asked.id, true, reply.events[verdict.repeated_of].webhooks});
      continue;
    }
    const model::EventPtr event = accept_event(request.org, asked, std::move(matches[i]), now);
    reply.events.push_back({asked.id, false, static_cast<std::uint32_t>(event->matches.size())});
    if (!waits) continue;
    accepted[i] = event->seq;
    reply.events.back().deliveries = first_attempts_of(*event);
  }
  if (waits && in_all > 0) {
    waits_.add(id, std::move(reply), std::move(accepted), request.wait, now);
  } else {
    outbox_.reply(id, std::move(reply));
  }
}

std::optional<Match> Publisher::only_match_of(const PublishEvents& request) {
  if (!request.webhook) return std::nullopt;
  return Match{registry_.find(request.org, *request.webhook)->ref, model::kNoTrigger};
}

void Publisher::publish_own(const OrgId& org, const NewEvent& event, Now now) {
  std::uint64_t steps = 0;
  std::vector<Match> matches = matches_of(org, event, steps);
  if (matches.empty()) return;
  const PendingCounters& counts = deliveries_.counts();
  if (counts.pending_of(org) + matches.size() > limits_.pending_per_org ||
      counts.pending() + matches.size() > limits_.pending) {
    return;
  }
  accept_event(org, event, std::move(matches), now);
}

bool Publisher::match_or_refuse(const PublishEvents& request, RequestId id,
                                const std::vector<Verdict>& verdicts, MatchLists& matches,
                                std::size_t& in_all) {
  std::uint64_t steps = 0;
  for (std::size_t i = 0; i < request.events.size(); ++i) {
    if (verdicts[i].standing != Standing::kNew) continue;
    if (const std::optional<Match> only = only_match_of(request)) {
      matches[i] = {*only};
    } else {
      matches[i] = matches_of(request.org, request.events[i], steps);
    }
    in_all += matches[i].size();
    if (steps > limits_.filter_steps_per_request) {
      overloaded(id, "events: to filter them takes more than " +
                         std::to_string(limits_.filter_steps_per_request) +
                         " comparisons; send fewer in one request");
      return false;
    }
    if (in_all > limits_.matches_per_request) {
      overloaded(id, "events: together they go to more than " +
                         std::to_string(limits_.matches_per_request) +
                         " webhooks; send fewer in one request");
      return false;
    }
  }
  if (in_all > 0 &&
      deliveries_.counts().pending_of(request.org) + in_all > limits_.pending_per_org) {
    overloaded(id, "the organization has too many deliveries pending; try again later");
    return false;
  }
  if (in_all > 0 && deliveries_.counts().pending() + in_all > limits_.pending) {
    overloaded(id, "too many deliveries are pending; try again later");
    return false;
  }
  return true;
}

model::EventPtr Publisher::accept_event(const OrgId& org, const NewEvent& asked,
                                        std::vector<Match> matches, Now now) {
  auto event = std::make_shared<Event>();
  event->seq = take_event_seq();
  event->id = asked.id;
  event->org = org;
  event->name = asked.name;
  event->accepted_at = now.wall;
  event->timestamp = asked.timestamp;
  event->is_test = asked.is_test;
  event->ordering_key = asked.ordering_key;
  event->traceparent = asked.traceparent;
  event->source = asked.source;
  event->subject = asked.subject;
  event->content = asked.content;
  event->own_members_at = asked.own_members_at;
  event->matches = std::move(matches);
  const auto webhooks = static_cast<std::uint32_t>(event->matches.size());
  outbox_.put(model::PutEvent{event});
  if (webhooks > 0) deliveries_.accept(event);
  // Minted ids too: their owner knows them from the answer, and may send them again.
  seen_.insert(org, asked.id, SeenEvent{now.wall, webhooks}, now.wall);
  ++remembered_;
  return event;
}

// All of them open, in the order of the matches.
std::vector<model::FirstAttempt> Publisher::first_attempts_of(const Event& event) const {
  std::vector<model::FirstAttempt> attempts;
  attempts.reserve(event.matches.size());
  for (const Match& match : event.matches) {
    attempts.push_back({registry_.peek(match.webhook)->id});
  }
  return attempts;
}

void Publisher::overloaded(RequestId id, std::string message) {
  Refusal refusal;
  refusal.faults.push_back({ErrorCode::kOverloaded, std::move(message)});
  refusal.retry_after = model::kOverloadRetryAfter;
  outbox_.refuse(id, std::move(refusal));
}

}  // namespace triggerd::core
