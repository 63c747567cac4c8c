#include "engine/core/outbox.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace triggerd::core {

using model::BatchSeq;
using model::Effect;
using model::Output;
using model::ReadId;
using model::RequestId;
using model::SendReply;

BatchSeq Outbox::newest() const {
  if (!output_.batch.mutations.empty()) return output_.batch.seq;
  return BatchSeq(output_.batch.seq.value() - 1);
}

void Outbox::emit(BatchSeq rests_on, model::EffectKind what) {
  output_.effects.push_back(Effect{rests_on, std::move(what)});
}

void Outbox::reply(RequestId request, model::Reply reply) {
  emit(newest(), SendReply{request, std::move(reply)});
}

void Outbox::refuse(RequestId request, model::Refusal refusal) {
  emit(BatchSeq(0), SendReply{request, std::move(refusal)});
}

ReadId Outbox::ask(BatchSeq rests_on, decltype(model::Read::what) what) {
  const ReadId id(++last_read_);
  output_.reads.push_back(model::Read{id, std::move(what), rests_on});
  return id;
}

void Outbox::drop_reply(RequestId request) {
  const auto is_reply = [request](const Effect& effect) {
    const auto* reply = std::get_if<SendReply>(&effect.what);
    return reply != nullptr && reply->request == request;
  };
  output_.effects.erase(std::remove_if(output_.effects.begin(), output_.effects.end(), is_reply),
                        output_.effects.end());
}

Output Outbox::take() {
  // A batch that holds nothing does not use up its number.
  const BatchSeq next(newest().value() + 1);
  Output taken = std::move(output_);
  output_ = Output{model::Batch{next, {}}, {}, {}};
  return taken;
}

}  // namespace triggerd::core
