#include "dispatcher/hook_answer.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "engine/base/assert.h"
#include "engine/json/document.h"
#include "engine/json/json_text.h"
#include "engine/model/limits.h"

namespace triggerd::dispatcher {
namespace {

namespace dom = simdjson::dom;
using model::HookAnswer;
using model::Outcome;
using model::OutcomeClass;

constexpr std::uint16_t kStatusNoContent = 204;
constexpr std::uint16_t kStatusForbidden = 403;

void refuse(Outcome& outcome, std::string why) {
  outcome.kind = OutcomeClass::kBadAnswer;
  outcome.detail = "the answer was not taken: " + std::move(why);
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool is_whole(const Outcome& outcome) {
  return outcome.answer_bytes <= model::kAnswerBytesRead &&
         outcome.answer.size() == outcome.answer_bytes;
}

void read_claims(dom::object object, const std::string& text, HookAnswer& answer) {
  json::RawJson raw(text);
  raw.enter();
  answer.claims.reserve(object.size());
  for (const dom::key_value_pair member : object) {
    TRIGGERD_ASSERT(raw.next());
    raw.skip_name();
    answer.claims.push_back({std::string(member.key), std::string(raw.value())});
  }
}

void judge_answer(Outcome& outcome) {
  auto answer = std::make_shared<HookAnswer>();
  if (!is_whole(outcome)) {
    return refuse(outcome, "more than " + std::to_string(model::kAnswerBytesRead) + " bytes");
  }
  if (outcome.http_status != kStatusNoContent && !is_blank(outcome.answer)) {
    const json::Document document(outcome.answer, model::kAnswerBytesRead);
    if (!document.ok()) return refuse(outcome, document.fault().message);
    dom::object object;
    if (document.root().get_object().get(object) != simdjson::SUCCESS) {
      return refuse(outcome, "not a JSON object");
    }
    if (object.size() > model::kHookClaimsMax) {
      return refuse(outcome, "more than " + std::to_string(model::kHookClaimsMax) + " members");
    }
    read_claims(object, outcome.answer, *answer);
  }
  outcome.hook = std::move(answer);
}

// At most `bytes_max` bytes of `text`, no character cut in two. Requires: UTF-8.
std::string_view beginning_of(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end);
}

// A veto stands whatever its body is.
void judge_veto(Outcome& outcome) {
  auto answer = std::make_shared<HookAnswer>();
  if (is_whole(outcome) && !is_blank(outcome.answer)) {
    const json::Document document(outcome.answer, model::kAnswerBytesRead);
    dom::object object;
    std::string_view message;
    if (document.ok() && document.root().get_object().get(object) == simdjson::SUCCESS &&
        object.at_key("message").get_string().get(message) == simdjson::SUCCESS) {
      answer->reason = beginning_of(message, model::kHookReasonBytesMax);
    }
  }
  outcome.kind = OutcomeClass::kDenied;
  outcome.detail = "the receiver answered 403: a veto";
  outcome.hook = std::move(answer);
}

}  // namespace

void judge_hook_answer(Outcome& outcome) {
  if (outcome.kind == OutcomeClass::kOk) {
    judge_answer(outcome);
  } else if (outcome.kind == OutcomeClass::kHttpError && outcome.http_status == kStatusForbidden) {
    judge_veto(outcome);
  }
  if (outcome.answer.size() > model::kAnswerBytesKept) {
    outcome.answer.resize(model::kAnswerBytesKept);
    outcome.answer.shrink_to_fit();
  }
}

}  // namespace triggerd::dispatcher
