#include "tests/sim/sim_partition.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "engine/base/assert.h"

namespace triggerd::sim {

SimPartition::SimPartition(const core::EngineOptions& options, base::Random& random,
                           support::FaultStore& store, Outside& outside)
    : engine_(options, random), store_(store), outside_(outside) {}

void SimPartition::recover(base::Now now) {
  const base::Status scanned =
      store_.scan([this](model::Record record) { engine_.load(std::move(record)); });
  TRIGGERD_ASSERT(scanned.ok());
  engine_.recovered(now);
}

void SimPartition::end_turn() {
  model::Output output = engine_.take_output();
  outside_.emitted(output);
  if (!output.batch.mutations.empty()) {
    next_.seq = output.batch.seq;
    next_.mutations.insert(next_.mutations.end(),
                           std::make_move_iterator(output.batch.mutations.begin()),
                           std::make_move_iterator(output.batch.mutations.end()));
  }
  take_effects(output);
  if (next_.mutations.empty() || store_.commit_under_way()) return;
  if (somebody_waits_) {
    start_commit();
  } else if (!waiting_) {
    waiting_ = true;
    outside_.commit_wait_begun();
  }
}

void SimPartition::take_effects(model::Output& output) {
  for (model::Effect& effect : output.effects) {
    if (const auto* cancel = std::get_if<model::CancelAttempt>(&effect.what)) {
      // A call that has not left is withdrawn here: the dispatcher would not know it.
      const auto held = std::find_if(held_.begin(), held_.end(), [cancel](const auto& each) {
        const auto* start = std::get_if<model::StartAttempt>(&each.what);
        return start != nullptr && start->id == cancel->id;
      });
      if (held != held_.end()) {
        outside_.call_withdrawn(std::get<model::StartAttempt>(held->what));
        held_.erase(held);
        continue;
      }
    }
    if (effect.rests_on <= durable_) {
      outside_.released(effect.what);
    } else {
      if (effect.rests_on > under_way_) somebody_waits_ = true;
      held_.push_back(std::move(effect));
    }
  }
  for (const model::Read& read : output.reads) {
    if (read.rests_on <= durable_) {
      outside_.read_wanted(read);
    } else {
      if (read.rests_on > under_way_) somebody_waits_ = true;
      held_reads_.push_back(read);
    }
  }
}

void SimPartition::start_commit() {
  if (next_.mutations.empty() || store_.commit_under_way()) return;
  waiting_ = false;
  somebody_waits_ = false;
  under_way_ = next_.seq;
  // Every input is followed by end_turn(), so the engine stands right behind this batch.
  if (writing_down_) state_under_way_ = state_of(engine_);
  store_.begin_commit(std::exchange(next_, model::Batch{}));
  outside_.commit_begun();
}

bool SimPartition::commit_ended() {
  if (!store_.end_commit().ok()) return false;
  durable_ = under_way_;
  state_durable_ = std::exchange(state_under_way_, std::nullopt);
  outside_.committed(durable_);
  release_durable();
  // What has collected meanwhile goes at once: it has had company enough.
  start_commit();
  return true;
}

void SimPartition::release_durable() {
  std::deque<model::Effect> still_held;
  for (model::Effect& effect : held_) {
    if (effect.rests_on <= durable_) {
      outside_.released(effect.what);
    } else {
      still_held.push_back(std::move(effect));
    }
  }
  held_ = std::move(still_held);
  while (!held_reads_.empty() && held_reads_.front().rests_on <= durable_) {
    outside_.read_wanted(held_reads_.front());
    held_reads_.pop_front();
  }
}

std::optional<std::string> SimPartition::state_to_expect(bool kept_under_way) const {
  return kept_under_way && store_.commit_under_way() ? state_under_way_ : state_durable_;
}

}  // namespace triggerd::sim
