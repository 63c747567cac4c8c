// Makes the HTTP call of an attempt: the signed token of CONTRACT B4.2 and the headers of A2.
//
// Thread: one (it holds a signer and a buffer). Owner: the dispatcher.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "dispatcher/key_ring.h"
#include "dispatcher/signer.h"
#include "dispatcher/transport.h"
#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/model/output.h"
#include "engine/model/url.h"

namespace triggerd::dispatcher {

// Seconds that a token is valid.
inline constexpr std::int64_t kEventTokenSeconds = 1200;
inline constexpr std::int64_t kSyncHookTokenSeconds = 300;

class RequestBuilder {
 public:
  // `issuer` is the public URL, claimed as it is. `random` outlives the builder.
  RequestBuilder(std::string_view issuer, std::shared_ptr<const KeyRing> ring,
                 base::Random& random);

  // Signs with the keys of another ring from now on.
  void use(std::shared_ptr<const KeyRing> ring) { signer_.use(std::move(ring)); }

  // The call of this attempt, signed as of `now`; `url` is the webhook's target, parsed. Never
  // fails. The content of the event goes into the token byte for byte. A custom header that would
  // break the lines of the request (control bytes; registration refuses it) is left out.
  [[nodiscard]] HttpCall build(const model::StartAttempt& attempt, model::TargetUrl url,
                               base::WallTime now);

 private:
  void write_claims(const model::StartAttempt& attempt, const base::Uuid& subject,
                    std::int64_t issued_at);

  std::string issuer_;  // escaped for JSON
  Signer signer_;
  base::Random& random_;
  std::string claims_;  // kept for its capacity
};

}  // namespace triggerd::dispatcher
