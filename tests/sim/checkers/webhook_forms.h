// The forms in which a webhook may have been seen by what happened in one turn. A turn may change a
// webhook and act on it in any order: what it did is wrong only when every form forbids it.
#pragma once

#include <map>
#include <vector>

#include "tests/support/store_tables.h"

namespace triggerd::sim {

class WebhookForms {
 public:
  // The mutations of a turn, before anything of it is judged.
  void turn(const model::Batch& batch) {
    for (auto at = forms_.begin(); at != forms_.end(); ++at) {
      if (at->second.size() > 1) at->second = {at->second.back()};
    }
    for (const model::Mutation& mutation : batch.mutations) {
      const auto* put = std::get_if<model::PutWebhook>(&mutation);
      if (put != nullptr) forms_[put->webhook->ref].push_back(put->webhook);
    }
  }
  // As it stood before the turn, and everything it became in it. Empty: never seen.
  [[nodiscard]] std::vector<model::WebhookPtr> of(model::WebhookRef ref) const {
    const auto at = forms_.find(ref);
    return at == forms_.end() ? std::vector<model::WebhookPtr>() : at->second;
  }
  void restarted(const support::StoreTables& durable) {
    forms_.clear();
    for (const auto& [ref, webhook] : durable.webhooks) forms_[ref] = {webhook};
  }

 private:
  std::map<model::WebhookRef, std::vector<model::WebhookPtr>> forms_;
};

}  // namespace triggerd::sim
