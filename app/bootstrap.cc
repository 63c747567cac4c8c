#include "app/bootstrap.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "app/secrets.h"

namespace triggerd::app {
namespace {

// Keys of this name belong to the configuration: one that it no longer declares goes.
constexpr const char* kKeyName = "configuration";

// The same key text has the same id, so that a restart finds it again.
model::ApiKeyId id_from(const model::KeyDigest& digest) {
  base::Uuid uuid;
  std::copy_n(digest.begin(), uuid.bytes.size(), uuid.bytes.begin());
  return model::ApiKeyId(uuid);
}

}  // namespace

base::Result<Bootstrap> Bootstrap::create(const std::vector<BootstrapOrganization>& organizations,
                                          const ApiKeyDigester& digester) {
  Bootstrap bootstrap;
  for (const BootstrapOrganization& declared : organizations) {
    bootstrap.steps_.push_back({model::CreateOrganization{declared.id, declared.name}, true});
    bootstrap.steps_.push_back({model::ListApiKeys{declared.id}, false});
    if (declared.api_key_file.empty()) continue;
    const base::Result<std::string> text = read_secret_file(declared.api_key_file);
    if (!text.ok()) return text.error();
    model::CreateApiKey key{
        declared.id, {}, kKeyName, digester.digest(text.value()), model::kScopesAll};
    key.id = id_from(key.digest);
    bootstrap.declared_keys_.push_back(key.id);
    bootstrap.steps_.push_back({std::move(key), true});
  }
  std::reverse(bootstrap.steps_.begin(), bootstrap.steps_.end());
  return bootstrap;
}

void Bootstrap::run(Submit submit, OnDone on_done) {
  submit_ = std::move(submit);
  on_done_ = std::move(on_done);
  next();
}

void Bootstrap::next() {
  if (steps_.empty()) {
    on_done_({});
    return;
  }
  Step step = std::move(steps_.back());
  steps_.pop_back();
  conflict_is_fine_ = step.conflict_is_fine;
  submit_(request_id(kOwnThread, ++requests_), std::move(step.request));
}

void Bootstrap::replied(model::Reply reply) {
  if (const auto* refusal = std::get_if<model::Refusal>(&reply)) {
    const base::Error& fault = refusal->faults.front();
    if (!(conflict_is_fine_ && fault.code == base::ErrorCode::kConflict)) {
      on_done_(base::Error{fault.code, fmt::format("bootstrap.organization: {}", fault.message)});
      return;
    }
  } else if (const auto* listed = std::get_if<model::ApiKeysReply>(&reply)) {
    drop_old_keys(*listed);
  }
  next();
}

void Bootstrap::drop_old_keys(const model::ApiKeysReply& listed) {
  for (const model::ApiKey& key : listed.keys) {
    const bool declared =
        std::find(declared_keys_.begin(), declared_keys_.end(), key.id) != declared_keys_.end();
    if (key.name == kKeyName && !declared) {
      steps_.push_back({model::DeleteApiKey{key.org, key.id}, false});
    }
  }
}

}  // namespace triggerd::app
