// What operators do by hand with deliveries: give one again, give one up, and see what is not
// delivered yet. A delivery is named by its event's id, which the store knows: it is asked first.
//
// Thread: the engine's. At most kMendingReadsMax requests wait for the store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "engine/base/time.h"
#include "engine/core/deliveries.h"
#include "engine/core/outbox.h"
#include "engine/core/registry.h"
#include "engine/model/request.h"

namespace triggerd::core {

struct MendingLimits {
  std::size_t pending_per_org = 0;
  std::size_t pending = 0;
  std::size_t reads = model::kMendingReadsMax;
};

class Mending {
 public:
  // All arguments outlive this.
  Mending(const MendingLimits& limits, Registry& registry, Deliveries& deliveries, Outbox& outbox);

  // Each answers `id` exactly once, now or after loaded().
  void handle(const model::RetryDelivery& request, model::RequestId id, base::Now now);
  void handle(const model::SkipDelivery& request, model::RequestId id, base::Now now);
  void handle(const model::GetPending& request, model::RequestId id, base::Now now);
  void handle(const model::ListOrderingKeys& request, model::RequestId id, base::Now now);

  // False when this read was not asked for here.
  bool loaded(model::ReadId id, const model::ReadAnswer& answer, base::Now now);
  // Nobody waits any more: what was not begun is not done.
  void cancel(model::RequestId id);

  // How many more deliveries of this organization may become pending.
  [[nodiscard]] std::size_t room_of(const model::OrgId& org) const;

 private:
  enum class Wish : std::uint8_t { kRetry, kSkip };
  struct Waiting {
    model::RequestId request;
    model::OrgId org;
    model::WebhookId webhook;
    model::EventId event;
    Wish wish = Wish::kRetry;
    std::uint32_t asked = 0;  // times
    std::uint64_t watch = 0;  // of the read under way
  };

  void ask(Waiting waiting);
  void go_on(const Waiting& waiting, const model::StoredDelivery& stored, base::Now now);
  void retry(const Waiting& waiting, const model::StoredDelivery& stored, base::Now now);
  void done(const Waiting& waiting, const PendingDelivery* delivery, model::BatchSeq rests_on);
  void refuse(model::RequestId id, base::ErrorCode code, std::string message);
  [[nodiscard]] model::PendingCounts counts_of(const model::Webhook& webhook) const;

  MendingLimits limits_;
  Registry& registry_;
  Deliveries& deliveries_;
  Outbox& outbox_;
  std::unordered_map<model::ReadId, Waiting> reads_;  // never iterated but for cancel()
};

}  // namespace triggerd::core
