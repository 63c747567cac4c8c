// The API's only way inwards: a request goes in, exactly one reply comes back.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/request.h"

namespace triggerd::api {

// Who a presented API key belongs to.
struct Principal {
  model::OrgId org;
  model::ApiKeyId key;
  std::uint8_t scopes = 0;
};

// A key as it is handed out once, and what is stored of it.
struct MintedApiKey {
  model::ApiKeyId id;
  std::string text;
  model::KeyDigest digest{};
};

// One per I/O thread; every method is called on that thread, and replies come on it.
// One thing that must be so for the process to serve.
struct HealthCheck {
  std::string name;
  std::string fault;  // why it is not so; empty: it is
};

class Backend {
 public:
  using ReplyFn = std::function<void(model::Reply)>;

  virtual ~Backend() = default;
  // `on_reply` is called once, never from within submit(). A reply is durable when it comes.
  virtual base::RequestId submit(model::Request request, ReplyFn on_reply) = 0;
  // Nobody waits for the reply any more: `on_reply` is not called. What the request did stands.
  // A request that has been replied to is ignored.
  virtual void cancel(base::RequestId id) = 0;
  // --- The live feed of an organization (model/feed.h), which comes to LiveStreams ---
  // From now on it is wanted here: FeedBegun comes with this number, and FeedParts behind it.
  virtual void watch(model::OrgId org, std::uint64_t number) = 0;
  virtual void unwatch(model::OrgId org) = 0;
  // A place among the live streams of all I/O threads; one that was taken is left once.
  enum class Seat : std::uint8_t { kTaken, kNoneOfOrganization, kNone };
  virtual Seat take_seat(model::OrgId org) = 0;
  virtual void leave_seat(model::OrgId org) = 0;

  // Nothing when the key is not known.
  virtual std::optional<Principal> authenticate(std::string_view api_key) = 0;
  // Compares in constant time. False when no admin token is configured.
  virtual bool is_admin_token(std::string_view token) = 0;
  virtual MintedApiKey mint_api_key() = 0;
  // New keys for one webhook. Their times are the engine's to say.
  virtual model::SigningSecret mint_signing_secret() = 0;
  // A new key that signs deliveries, sealed. Fails only as the system's generator fails.
  virtual base::Result<model::SigningKey> mint_signing_key() = 0;
  // Prometheus' text format (version 0.0.4).
  virtual std::string metrics() = 0;
  // All of them, the good ones too. Ready to serve: none has a fault.
  virtual std::vector<HealthCheck> health() = 0;
};

}  // namespace triggerd::api
