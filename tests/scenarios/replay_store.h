// What a store would hold after some batches, in maps: enough to rebuild an engine from, and to
// answer its reads. Asserts what every store may rely on.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/engine.h"
#include "engine/model/output.h"
#include "tests/support/parked_tables.h"

namespace triggerd::testing {

class ReplayStore {
 public:
  // Requires: in order of their numbers, none left out.
  void apply(const model::Batch& batch);
  // Feeds everything to a new engine, in the order of store::Store::scan.
  void load_into(core::Engine& engine) const;
  // A new process numbers its batches from 1 again.
  void restarted() { last_batch_ = 0; }

  [[nodiscard]] model::EventPtr event(model::EventSeq seq) const;
  [[nodiscard]] model::ParkedLoaded parked(const model::ReadParked& asked) const;
  [[nodiscard]] model::EventIdLoaded event_id(const model::ReadEventId& asked) const;
  [[nodiscard]] const std::vector<model::AttemptRecord>& attempts() const { return attempts_; }
  [[nodiscard]] std::vector<model::EventPtr> events() const;
  [[nodiscard]] bool has_organization(const model::OrgId& org) const {
    return organizations_.contains(org);
  }
  [[nodiscard]] std::size_t pending_rows() const { return pending_.size(); }

 private:
  void put(const model::Mutation& mutation);

  std::uint64_t last_batch_ = 0;
  std::map<std::string, model::SigningKey> signing_keys_;
  std::map<model::OrgId, model::Organization> organizations_;
  std::map<std::pair<model::OrgId, model::ApiKeyId>, model::ApiKey> keys_;
  std::map<model::WebhookRef, model::Webhook> webhooks_;
  std::map<model::Generation, model::Trigger> triggers_;
  std::map<std::pair<model::OrgId, std::string>, model::EventType> event_types_;
  std::map<model::EventSeq, model::EventPtr> events_;
  std::map<std::pair<model::OrgId, model::EventId>, model::EventSeq> seqs_;
  support::PendingTable pending_;
  support::ParkedTable parked_;
  std::map<std::pair<model::OrgId, model::JobId>, model::RecoverJob> jobs_;
  std::vector<model::AttemptRecord> attempts_;
  model::Counters counters_;
  bool has_counters_ = false;
};

}  // namespace triggerd::testing
