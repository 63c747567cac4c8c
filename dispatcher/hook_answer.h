// What the receiver of a sync hook answered, made what the core can merge (CONTRACT A5, B6.4). An
// answer is a stranger's: it is believed only when all of it is good.
#pragma once

#include <string>

#include "engine/model/records.h"

namespace triggerd::dispatcher {

// Judges the answer of a hook's attempt in place. `outcome.answer` is the whole body, up to
// kAnswerBytesRead, and is cut to kAnswerBytesKept afterwards.
//
//   2xx with a JSON object, an empty body, or 204   stays kOk, `hook` has the claims
//   2xx with anything else, or more than is read    kBadAnswer
//   403                                             kDenied, `hook` has the reason if it gave one:
//                                                   the string "message" of a JSON object
//   everything else                                 as it is
void judge_hook_answer(model::Outcome& outcome);

}  // namespace triggerd::dispatcher
