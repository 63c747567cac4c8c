// The API's port on one I/O thread: requests go to the engine thread, replies come back by id.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/backend.h"
#include "api/ingest_rules.h"
#include "app/api_keys.h"
#include "app/messages.h"
#include "app/metrics/metrics.h"
#include "app/signing_keys.h"
#include "app/stream_seats.h"
#include "store/secret_box.h"

namespace triggerd::app {

// What every I/O thread knows and none changes. Outlives the threads.
struct SharedSecrets {
  ApiKeyDigester digester;
  std::string admin_token;  // never empty
  store::SecretBox box;
};

// Thread: that of its I/O loop.
class Backend final : public api::Backend {
 public:
  // `send` hands a message to the engine thread; `receive_now` takes up what has come from there,
  // so that a key that was handed out a moment ago is known.
  Backend(unsigned thread, const SharedSecrets& secrets, const metrics::Metrics& metrics,
          StreamSeats& seats, std::function<void(EngineMessage)> send,
          std::function<void()> receive_now);

  model::RequestId submit(model::Request request, ReplyFn on_reply) override;
  void cancel(model::RequestId id) override;
  void watch(model::OrgId org, std::uint64_t number) override;
  void unwatch(model::OrgId org) override;
  Seat take_seat(model::OrgId org) override { return seats_.take(org); }
  void leave_seat(model::OrgId org) override { seats_.leave(org); }
  std::optional<api::Principal> authenticate(std::string_view api_key) override;
  bool is_admin_token(std::string_view token) override;
  api::MintedApiKey mint_api_key() override;
  model::SigningSecret mint_signing_secret() override { return new_signing_secret(); }
  base::Result<model::SigningKey> mint_signing_key() override;
  std::string metrics() override { return metrics_.text(); }
  std::vector<api::HealthCheck> health() override;

  // --- From the engine thread ---
  void replied(model::RequestId id, model::Reply reply);
  void changed(model::EdgeChange change);
  // Whose digest it is; nothing when it is not known (any more).
  [[nodiscard]] std::optional<model::ApiKeyId> key_of(const model::KeyDigest& digest) const;
  void set_readiness(Readiness readiness) { readiness_ = std::move(readiness); }

 private:
  struct Waiting {
    ReplyFn on_reply;
    std::uint32_t given_back = 0;               // times that rules had changed (StaleRules)
    std::unique_ptr<model::TestTrigger> trial;  // of a dry run; its filter once it is known
  };

  // Both take a step of a request that is not over; what is over they hand back.
  std::optional<model::Reply> prepare_again(model::RequestId id, Waiting& waiting,
                                            model::StaleRules stale);
  std::optional<model::Reply> go_on_trying(model::RequestId id, Waiting& waiting,
                                           model::FilterToTry found);

  unsigned thread_;
  const SharedSecrets& secrets_;
  const metrics::Metrics& metrics_;
  StreamSeats& seats_;
  std::function<void(EngineMessage)> send_;
  std::function<void()> receive_now_;
  std::uint64_t requests_ = 0;
  std::unordered_map<model::RequestId, Waiting> waiting_;
  api::IngestRules rules_;
  ApiKeyTable keys_;
  Readiness readiness_;
};

}  // namespace triggerd::app
