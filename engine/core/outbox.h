// What came of the inputs since the last take(): one batch, the effects, the reads. Knows which
// batch an effect rests on.
//
// Thread: the engine's. Growth is bounded by the limits of a turn (model/limits.h).
#pragma once

#include <utility>
#include <vector>

#include "engine/core/facts.h"
#include "engine/model/output.h"

namespace triggerd::core {

class Outbox {
 public:
  // The batch being collected.
  [[nodiscard]] model::BatchSeq batch() const { return output_.batch.seq; }
  // The newest batch that holds anything: what reveals the state as it is now rests on it.
  // 0 when no batch has held anything yet.
  [[nodiscard]] model::BatchSeq newest() const;

  void put(model::Mutation mutation) { output_.batch.mutations.push_back(std::move(mutation)); }
  void emit(model::BatchSeq rests_on, model::EffectKind what);
  // An answer that reveals the state as it is now.
  void reply(model::RequestId request, model::Reply reply);
  // An answer that reveals nothing, at once.
  void refuse(model::RequestId request, model::Refusal refusal);
  // Asks for a record; made when all that is known now is durable, unless it rests on less.
  model::ReadId ask(model::BatchSeq rests_on, decltype(model::Read::what) what);
  // For core/operational_events, which takes them before take().
  void tell(Fact fact) { facts_.push_back(std::move(fact)); }
  [[nodiscard]] std::vector<Fact> take_facts() { return std::exchange(facts_, {}); }
  // Takes the reply to this request out, if it has not left.
  void drop_reply(model::RequestId request);

  [[nodiscard]] model::Output take();

 private:
  model::Output output_{model::Batch{model::BatchSeq(1), {}}, {}, {}};
  std::uint64_t last_read_ = 0;
  std::vector<Fact> facts_;
};

}  // namespace triggerd::core
