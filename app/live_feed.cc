#include "app/live_feed.h"

#include <algorithm>
#include <variant>

namespace triggerd::app {

using model::EventSeq;

void LiveFeed::watch(unsigned thread, model::OrgId org, std::uint64_t number) {
  unwatch(thread, org);
  watched_[org].push_back({thread, number, collected_});
  any_waits_ = true;
  answer_watches();
}

void LiveFeed::unwatch(unsigned thread, model::OrgId org) {
  const auto found = watched_.find(org);
  if (found == watched_.end()) return;
  std::erase_if(found->second, [thread](const Watch& watch) { return watch.thread == thread; });
  if (!found->second.empty()) return;
  watched_.erase(found);
  next_.erase(org);
  committing_now_.erase(org);
}

std::vector<model::FedItem>* LiveFeed::items_of(const model::OrgId& org) {
  return watched_.contains(org) ? &next_[org] : nullptr;
}

void LiveFeed::collect(const model::Mutation& mutation, const core::Engine& engine) {
  if (const auto* put = std::get_if<model::PutEvent>(&mutation)) {
    // Calls of hooks are put when they are over, out of their order, and are not told.
    if (put->event->trigger_type != model::TriggerType::kEvent) return;
    collected_ = put->event->seq;
    if (watched_.empty()) return;
    if (auto* items = items_of(put->event->org)) items->emplace_back(put->event);
    return;
  }
  if (watched_.empty()) return;
  const auto* put = std::get_if<model::PutAttempt>(&mutation);
  if (put == nullptr) return;
  const model::Webhook* webhook = engine.peek_webhook(put->attempt.webhook);
  if (webhook == nullptr) return;  // deleted: its deliveries are not listed either
  auto* items = items_of(webhook->org);
  if (items == nullptr) return;
  model::FedDelivery delivery{webhook->id, put->attempt};
  delivery.attempt.outcome.answer = {};
  delivery.attempt.outcome.hook = nullptr;
  items->emplace_back(std::move(delivery));
}

void LiveFeed::committing() {
  committing_now_ = std::move(next_);
  next_.clear();
  committing_through_ = collected_;
}

void LiveFeed::committed() {
  durable_ = committing_through_;
  if (watched_.empty()) return;
  answer_watches();
  for (const auto& [org, items] : committing_now_) {
    const auto found = watched_.find(org);
    if (found == watched_.end()) continue;
    const std::vector<Watch>& watches = found->second;
    for (const Watch& watch : watches) {
      // One that is not answered yet begins behind all of this.
      if (!watch.waits_for) told_.part(watch.thread, {org, items});
    }
  }
  committing_now_.clear();
}

void LiveFeed::idle() {
  durable_ = collected_;
  answer_watches();
}

void LiveFeed::stop() {
  watched_.clear();
  next_.clear();
  committing_now_.clear();
  any_waits_ = false;
}

void LiveFeed::answer_watches() {
  if (!any_waits_) return;
  any_waits_ = false;
  for (auto& [org, watches] : watched_) {
    for (Watch& watch : watches) {
      if (!watch.waits_for) continue;
      if (*watch.waits_for > durable_) {
        any_waits_ = true;
        continue;
      }
      const EventSeq from = *watch.waits_for;
      watch.waits_for.reset();
      told_.begun(watch.thread, {org, watch.number, from});
    }
  }
}

}  // namespace triggerd::app
