// Brings the organizations and keys that the configuration declares into the engine, as requests
// like any other, before the listeners open. Repeating it changes nothing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/api_keys.h"
#include "app/config.h"
#include "app/messages.h"

namespace triggerd::app {

// Thread: the partition's. One request is under way at a time.
class Bootstrap {
 public:
  using Submit = std::function<void(model::RequestId, model::Request)>;
  using OnDone = std::function<void(base::Status)>;

  // Reads the key files: kInvalid names the file. The digester outlives the call alone.
  [[nodiscard]] static base::Result<Bootstrap> create(
      const std::vector<BootstrapOrganization>& organizations, const ApiKeyDigester& digester);

  // Submits the first request; `on_done` comes once, when all is durable or a request was refused.
  void run(Submit submit, OnDone on_done);
  // A reply to a request of this bootstrap.
  void replied(model::Reply reply);

 private:
  // What one declared organization still needs, in order: itself, a look at its keys, its key.
  struct Step {
    model::Request request;
    bool conflict_is_fine = false;
  };

  Bootstrap() = default;
  void next();
  void drop_old_keys(const model::ApiKeysReply& listed);

  std::vector<Step> steps_;  // the last one is next
  std::vector<model::ApiKeyId> declared_keys_;
  std::uint64_t requests_ = 0;
  Submit submit_;
  OnDone on_done_;
  bool conflict_is_fine_ = false;
};

}  // namespace triggerd::app
