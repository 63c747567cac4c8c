// Makes the HTTP call of an attempt: its body in the format of the webhook, and the headers of
// CONTRACT A2. Hooks and events are made alike.
//
//   format               Content-Type                   body
//   ------------------   ----------------------------   ---------------------------------------
//   jwt                  application/jwt                compact JWS over jwt_claims (signer)
//   json                 application/json               the trigger content, byte for byte
//   cloudevents          application/cloudevents+json   cloud_event, structured
//   cloudevents-binary   application/json               the trigger content; ce-* headers
//
// Thread: one (it holds a signer and a buffer). Owner: the dispatcher.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "dispatcher/key_ring.h"
#include "dispatcher/signer.h"
#include "dispatcher/transport.h"
#include "dispatcher/webhook_signer.h"
#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/model/output.h"
#include "engine/model/url.h"

namespace triggerd::dispatcher {

class RequestBuilder {
 public:
  // `issuer` is the public URL, claimed as it is. `random` outlives the builder.
  RequestBuilder(std::string_view issuer, std::shared_ptr<const KeyRing> ring,
                 base::Random& random);

  // Signs with the keys of another ring from now on.
  void use(std::shared_ptr<const KeyRing> ring) { signer_.use(std::move(ring)); }

  // The call of this attempt, signed as of `now`; `url` is the webhook's target, parsed. Never
  // fails. A custom header that would break the lines of the request (control bytes; registration
  // refuses it) is left out.
  [[nodiscard]] HttpCall build(const model::StartAttempt& attempt, model::TargetUrl url,
                               base::WallTime now);

 private:
  // The body, and the lines that only this format has.
  void write_body(HttpCall& call, const model::StartAttempt& attempt, base::WallTime now);
  [[nodiscard]] std::string token(const model::StartAttempt& attempt, base::WallTime now);

  std::string public_url_;  // without a slash at its end
  std::string issuer_;      // escaped for JSON
  Signer signer_;
  WebhookSigner webhook_signer_;
  base::Random& random_;
  std::string claims_;  // kept for its capacity
};

}  // namespace triggerd::dispatcher
