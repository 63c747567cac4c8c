// A story told to a checker by hand: an organization with one webhook and one trigger, events and
// calls by number, batches that become durable when the test says so.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/checkers/checker.h"
#include "tests/sim/regions.h"

namespace triggerd::sim {

using std::chrono::seconds;
using testing::HasSubstr;

template <class Id>
Id id_of(std::uint8_t number) {
  base::Uuid uuid;
  uuid.bytes[15] = number;
  return Id(uuid);
}

inline const auto kOrg = id_of<model::OrgId>(1);
inline constexpr const char* kName = "PersonCreated_v1";
inline constexpr model::WebhookRef kRef(3);
inline constexpr model::Generation kGeneration(4);

class CheckersTest : public testing::Test {
 protected:
  CheckersTest() {
    options_.retry_schedule = {seconds(10), seconds(100)};
    options_.in_flight_per_webhook = 1;
    auto webhook = std::make_shared<model::Webhook>();
    webhook->id = id_of<model::WebhookId>(2);
    webhook->org = kOrg;
    webhook->ref = kRef;
    webhook->target_url = "https://h0.example.com/w";
    webhook_ = webhook;
    trigger_ = {kOrg, kRef, model::TriggerType::kEvent, kName, kGeneration};
  }

  [[nodiscard]] Scene scene(bool fault_free = false) {
    return {durable_, options_, fault_free, verdict_};
  }
  [[nodiscard]] std::string objection() const { return verdict_.objection().value_or(""); }

  [[nodiscard]] model::EventPtr event(std::uint8_t number,
                                      std::vector<model::Match> matches) const {
    auto made = std::make_shared<model::Event>();
    made->seq = model::EventSeq(number);
    made->id = id_of<model::EventId>(number);
    made->org = kOrg;
    made->name = kName;
    made->matches = std::move(matches);
    return made;
  }
  [[nodiscard]] model::EventPtr event(std::uint8_t number) const {
    return event(number, {{kRef, kGeneration}});
  }

  // Of this region.
  [[nodiscard]] model::EventPtr event_of(std::uint8_t number, std::uint32_t region,
                                         std::vector<model::Match> matches) const {
    auto made = std::make_shared<model::Event>(*event(number, std::move(matches)));
    made->content = content_of(region, 0);
    return made;
  }
  // The webhook, changed by `change`, from now on.
  template <class Change>
  model::PutWebhook changed(const Change& change) {
    auto after = std::make_shared<model::Webhook>(*webhook_);
    change(*after);
    webhook_ = after;
    return {webhook_};
  }

  [[nodiscard]] model::StartAttempt call(std::uint64_t id, std::uint8_t event_number,
                                         std::uint16_t number = 1) const {
    model::StartAttempt start;
    start.id = model::AttemptId(id);
    start.webhook = webhook_;
    start.event = event(event_number);
    start.number = number;
    return start;
  }

  // What the engine hands out in one turn, seen by `checker`.
  void emit(Checker& checker, std::vector<model::Mutation> mutations,
            std::vector<model::EffectKind> effects = {}) {
    model::Output output;
    output.batch.seq = model::BatchSeq(++batch_);
    output.batch.mutations = std::move(mutations);
    for (model::EffectKind& effect : effects) {
      output.effects.push_back({output.batch.seq, std::move(effect)});
    }
    last_batch_ = output.batch;
    checker.emitted({output, now_});
  }
  // The last batch emitted becomes durable.
  void commit(Checker& checker) {
    durable_.apply(last_batch_);
    checker.committed(last_batch_.seq);
  }
  void release(Checker& checker, const model::EffectKind& effect) {
    checker.released({effect, now_});
  }
  void handle(Checker& checker, std::uint64_t id, const model::Request& request) {
    checker.handled({model::RequestId(id), request, now_});
  }
  void finish(Checker& checker, const model::StartAttempt& attempt, std::uint16_t status) {
    model::Outcome outcome;
    outcome.http_status = status;
    outcome.kind = status == 200 ? model::OutcomeClass::kOk : model::OutcomeClass::kHttpError;
    checker.finished({attempt, outcome, now_});
  }
  [[nodiscard]] static model::SendReply published(std::uint64_t request,
                                                  std::uint8_t event_number) {
    model::PublishReply reply;
    reply.events.push_back({id_of<model::EventId>(event_number), false, 1});
    return {model::RequestId(request), reply};
  }
  [[nodiscard]] static model::PutAttempt ended(std::uint8_t event_number, std::uint16_t number,
                                               model::DeliveryState state) {
    model::AttemptRecord record;
    record.webhook = kRef;
    record.seq = model::EventSeq(event_number);
    record.number = number;
    record.state_after = state;
    return {record};
  }
  void pass(base::Duration by) {
    now_.mono += by;
    now_.wall += by;
  }

  support::StoreTables durable_;
  core::EngineOptions options_;
  Verdict verdict_;
  model::WebhookPtr webhook_;
  model::Trigger trigger_;
  base::Now now_{base::MonoTime(seconds(1000)), base::WallTime(seconds(5000))};
  std::uint64_t batch_ = 0;
  model::Batch last_batch_;
};

}  // namespace triggerd::sim
