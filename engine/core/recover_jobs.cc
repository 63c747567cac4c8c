#include "engine/core/recover_jobs.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "engine/base/assert.h"
#include "engine/model/limits.h"

namespace triggerd::core {

using base::ErrorCode;
using base::MonoTime;
using base::Now;
using model::JobId;
using model::JobState;
using model::OrgId;
using model::ReadId;
using model::RecoverJob;
using model::RequestId;
using model::WebhookPtr;

RecoverJobs::RecoverJobs(const Mending& mending, Registry& registry, Deliveries& deliveries,
                         Outbox& outbox, base::Random& random)
    : mending_(mending),
      registry_(registry),
      deliveries_(deliveries),
      outbox_(outbox),
      random_(random) {}

// --- Recovery of the engine -------------------------------------------------------------------

void RecoverJobs::load(RecoverJob job) {
  const Key key{job.org, job.id};
  if (job.state == JobState::kRunning) ++running_;
  jobs_[key].job = std::move(job);
}

void RecoverJobs::recovered(Now now) {
  for (auto at = jobs_.begin(); at != jobs_.end(); ++at) {
    if (at->second.job.state == JobState::kRunning) wait_until(at, now.mono);
  }
}

// --- Requests ---------------------------------------------------------------------------------

void RecoverJobs::handle(const model::StartRecovery& request, RequestId id, Now now) {
  const WebhookPtr webhook = registry_.find(request.org, request.webhook);
  if (webhook == nullptr) {
    return refuse(id, ErrorCode::kNotFound,
                  "could not find webhook " + request.webhook.to_string());
  }
  if (webhook->state == model::WebhookState::kDisabled) {
    return refuse(id, ErrorCode::kConflict,
                  "webhook " + request.webhook.to_string() +
                      " is disabled; PATCH it with {\"delivery\":{\"state\":\"active\"}}, then "
                      "recover");
  }
  const model::WallTime until = request.until.value_or(now.wall);
  if (until <= request.since) {
    return refuse(id, ErrorCode::kInvalid,
                  "since: must be earlier than until, which is " + base::to_rfc3339(until));
  }
  prune(request.org, now);
  std::size_t running = 0;
  for (auto at = jobs_.lower_bound({request.org, JobId()});
       at != jobs_.end() && at->first.first == request.org; ++at) {
    if (at->second.job.state == JobState::kRunning) ++running;
  }
  if (running >= model::kRunningJobsPerOrgMax) {
    return refuse(id, ErrorCode::kConflict,
                  "jobs: an organization has at most " +
                      std::to_string(model::kRunningJobsPerOrgMax) +
                      " under way; wait for one, or DELETE it");
  }
  RecoverJob job;
  job.id = JobId(random_.uuid_v7(now.wall));
  job.org = request.org;
  job.webhook = webhook->ref;
  job.webhook_id = webhook->id;
  job.since = request.since;
  job.until = until;
  job.states = request.states;
  job.per_second = std::clamp(request.per_second, 1U, model::kRecoverPerSecondMax);
  job.created_at = now.wall;
  const auto at = jobs_.emplace(Key{job.org, job.id}, Entry{job, ReadId(0), 0, {}, 0}).first;
  ++running_;
  put(at->second);
  wait_until(at, now.mono);
  outbox_.reply(id, model::JobReply{std::move(job)});
}

void RecoverJobs::handle(const model::ListJobs& request, RequestId id, Now now) {
  prune(request.org, now);
  model::JobsReply reply;
  for (auto at = jobs_.lower_bound({request.org, JobId()});
       at != jobs_.end() && at->first.first == request.org; ++at) {
    reply.jobs.push_back(at->second.job);
  }
  std::stable_sort(reply.jobs.begin(), reply.jobs.end(),
                   [](const RecoverJob& left, const RecoverJob& right) {
                     return left.created_at > right.created_at;
                   });
  outbox_.reply(id, std::move(reply));
}

void RecoverJobs::handle(const model::GetJob& request, RequestId id, Now now) {
  prune(request.org, now);
  const auto at = find_or_refuse(request.org, request.id, id);
  if (at != jobs_.end()) outbox_.reply(id, model::JobReply{at->second.job});
}

void RecoverJobs::handle(const model::CancelJob& request, RequestId id, Now now) {
  const auto at = find_or_refuse(request.org, request.id, id);
  if (at == jobs_.end()) return;
  // One that is over stays as it is.
  if (at->second.job.state == JobState::kRunning) end(at, JobState::kCancelled, "", now);
  outbox_.reply(id, model::Done{});
}

RecoverJobs::Jobs::iterator RecoverJobs::find_or_refuse(const OrgId& org, const JobId& job,
                                                        RequestId id) {
  const auto at = jobs_.find({org, job});
  if (at == jobs_.end()) {
    refuse(id, ErrorCode::kNotFound, "could not find job " + job.to_string());
  }
  return at;
}

void RecoverJobs::refuse(RequestId id, ErrorCode code, std::string message) {
  model::Refusal refusal;
  refusal.faults.push_back({code, std::move(message)});
  outbox_.reply(id, std::move(refusal));
}

// --- The work ---------------------------------------------------------------------------------

void RecoverJobs::advance(Now now) {
  while (!stopped_ && !due_.empty() && due_.begin()->first <= now.mono) {
    const auto at = jobs_.find(due_.begin()->second);
    TRIGGERD_ASSERT(at != jobs_.end());
    due_.erase(due_.begin());
    step(at, now);
  }
}

void RecoverJobs::step(Jobs::iterator at, Now now) {
  Entry& entry = at->second;
  const RecoverJob& job = entry.job;
  const model::Webhook* webhook = registry_.peek(job.webhook);
  if (webhook == nullptr) return end(at, JobState::kFailed, "the webhook was deleted", now);
  if (webhook->state == model::WebhookState::kDisabled) {
    return end(at, JobState::kFailed, "the webhook was disabled; enable it, then recover", now);
  }
  const std::size_t room = mending_.room_of(job.org);
  if (deliveries_.counts().pending_of(job.webhook).count >= model::kRecoverPendingMax ||
      room == 0) {
    return wait_until(at, now.mono + model::kRecoverPause);
  }
  const auto page = static_cast<std::uint32_t>(
      std::min<std::size_t>(room, std::min(model::kRecoverPageMax, job.per_second)));
  entry.reading =
      outbox_.ask(outbox_.newest(), model::ReadFinals{job.org, job.webhook, job.position, job.since,
                                                      job.until, job.states, page});
  reads_.emplace(entry.reading, at->first);
  entry.watch = deliveries_.watch().began();
}

bool RecoverJobs::loaded(ReadId id, const model::ReadAnswer& answer, Now now) {
  const auto read = reads_.find(id);
  if (read == reads_.end()) return false;
  const auto at = jobs_.find(read->second);
  TRIGGERD_ASSERT(at != jobs_.end());
  reads_.erase(read);
  Entry& entry = at->second;
  entry.reading = ReadId(0);
  const std::uint64_t watch = entry.watch;
  if (stopped_) {
    wait_until(at, now.mono);
  } else if (const auto* page = std::get_if<model::FinalsLoaded>(&answer)) {
    entry.read_retries = 0;
    take(at, *page, now);
  } else if (++entry.read_retries > model::kRecoverReadRetriesMax) {
    end(at, JobState::kFailed, "the store could not be read; recover again", now);
  } else {
    wait_until(at, now.mono + model::kReadRetryDelay);
  }
  deliveries_.watch().ended(watch);
  return true;
}

void RecoverJobs::take(Jobs::iterator at, const model::FinalsLoaded& page, Now now) {
  RecoverJob& job = at->second.job;
  const model::Webhook* webhook = registry_.peek(job.webhook);
  // Looked at again, with the reason, in the next step.
  if (webhook == nullptr || webhook->state == model::WebhookState::kDisabled) {
    return wait_until(at, now.mono);
  }
  std::uint32_t given = 0;
  for (const model::StoredDelivery& stored : page.deliveries) {
    const model::EventSeq seq = stored.event->seq;
    // What the page says of it is not true any more: the next one goes on from here.
    if (deliveries_.is_stale(at->second.watch, stored)) {
      job.position = std::max(job.position, model::EventSeq(seq.value() - 1));
      put(at->second);
      return wait_until(at, now.mono);
    }
    // Somebody else may have given it again since the store was asked.
    const bool is_other = !model::is_final(stored.state) ||
                          deliveries_.find_open(seq, stored.match).has_value() ||
                          deliveries_.watch().is_over_since(at->second.watch, seq, stored.match);
    if (is_other || stored.attempts >= model::kAttemptsToReopenMax) {
      ++job.skipped;
      continue;
    }
    deliveries_.reopen(stored, now);
    ++job.recovered;
    ++given;
  }
  job.position = std::max(job.position, page.position);
  if (page.is_end) return end(at, JobState::kFinished, "", now);
  put(at->second);
  wait_until(at, now.mono + base::Duration(std::chrono::seconds(given)) / job.per_second);
}

void RecoverJobs::wait_until(Jobs::iterator at, MonoTime due) {
  at->second.due = due;
  due_.emplace(due, at->first);
}

std::optional<MonoTime> RecoverJobs::next_deadline() const {
  if (stopped_ || due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

// --- Their end --------------------------------------------------------------------------------

void RecoverJobs::end(Jobs::iterator at, JobState state, std::string reason, Now now) {
  stop(at);
  RecoverJob& job = at->second.job;
  job.state = state;
  job.reason = std::move(reason);
  job.ended_at = now.wall;
  put(at->second);
  if (state != JobState::kCancelled) {
    Fact fact{FactKind::kRecoverFinished, job.org, job.webhook};
    fact.job = std::make_shared<const RecoverJob>(job);
    outbox_.tell(std::move(fact));
  }
  prune(job.org, now);
}

// What it waits for is not its business any more.
void RecoverJobs::stop(Jobs::iterator at) {
  Entry& entry = at->second;
  if (entry.job.state != JobState::kRunning) return;
  --running_;
  due_.erase({entry.due, at->first});
  if (entry.reading == ReadId(0)) return;
  reads_.erase(entry.reading);
  entry.reading = ReadId(0);
  deliveries_.watch().ended(entry.watch);
}

void RecoverJobs::put(const Entry& entry) {
  outbox_.put(model::PutJob{entry.job});
}

void RecoverJobs::prune(const OrgId& org, Now now) {
  std::vector<std::pair<model::WallTime, JobId>> over;
  for (auto at = jobs_.lower_bound({org, JobId()}); at != jobs_.end() && at->first.first == org;
       ++at) {
    const RecoverJob& job = at->second.job;
    if (job.state != JobState::kRunning) over.emplace_back(job.ended_at, job.id);
  }
  std::sort(over.begin(), over.end());
  std::size_t left = over.size();
  for (const auto& [ended_at, job] : over) {
    if (left <= model::kJobsKeptPerOrgMax && now.wall - ended_at < model::kJobsKeptFor) return;
    --left;
    outbox_.put(model::EraseJob{org, job});
    jobs_.erase({org, job});
  }
}

void RecoverJobs::organization_erased(const OrgId& org) {
  auto at = jobs_.lower_bound({org, JobId()});
  while (at != jobs_.end() && at->first.first == org) {
    stop(at);
    outbox_.put(model::EraseJob{org, at->first.second});
    at = jobs_.erase(at);
  }
}

void RecoverJobs::append_durable_state(std::string& out) const {
  for (const auto& [key, entry] : jobs_) {
    const RecoverJob& job = entry.job;
    out += "job " + job.id.to_string() + " org " + job.org.to_string() + " webhook " +
           std::to_string(job.webhook.value()) + " state " +
           std::to_string(static_cast<int>(job.state)) + " position " +
           std::to_string(job.position.value()) + " recovered " + std::to_string(job.recovered) +
           " skipped " + std::to_string(job.skipped) + "\n";
  }
}

}  // namespace triggerd::core
