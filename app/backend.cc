#include "app/backend.h"

#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>

#include "app/filter_trial.h"
#include "app/system_random.h"
#include "engine/model/limits.h"

namespace triggerd::app {
namespace {

// Seconds without a turn of the engine's loop after which it is taken to hang.
constexpr double kEngineSilentMax = 15;

}  // namespace

Backend::Backend(unsigned thread, const SharedSecrets& secrets, const metrics::Metrics& metrics,
                 StreamSeats& seats, std::function<void(EngineMessage)> send,
                 std::function<void()> receive_now)
    : thread_(thread),
      secrets_(secrets),
      metrics_(metrics),
      seats_(seats),
      send_(std::move(send)),
      receive_now_(std::move(receive_now)) {}

model::RequestId Backend::submit(model::Request request, ReplyFn on_reply) {
  const model::RequestId id = request_id(thread_, ++requests_);
  Waiting& waiting = waiting_.emplace(id, Waiting{std::move(on_reply), 0, nullptr}).first->second;
  if (auto* publish = std::get_if<model::PublishEvents>(&request)) {
    rules_.prepare(*publish);
  } else if (auto* trial = std::get_if<model::TestTrigger>(&request)) {
    // The engine gives the filter; the events stay here.
    waiting.trial = std::make_unique<model::TestTrigger>(*trial);
    trial->events.clear();
  }
  send_(Submitted{id, std::move(request)});
  return id;
}

void Backend::cancel(model::RequestId id) {
  if (waiting_.erase(id) > 0) send_(RequestCancelled{id});
}

void Backend::watch(model::OrgId org, std::uint64_t number) {
  send_(WatchFeed{thread_, org, number});
}

void Backend::unwatch(model::OrgId org) {
  send_(UnwatchFeed{thread_, org});
}

std::optional<model::ApiKeyId> Backend::key_of(const model::KeyDigest& digest) const {
  const std::optional<api::Principal> principal = keys_.find(digest);
  if (!principal) return std::nullopt;
  return principal->key;
}

void Backend::replied(model::RequestId id, model::Reply reply) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;
  std::optional<model::Reply> last(std::move(reply));
  if (auto* stale = std::get_if<model::StaleRules>(&*last)) {
    last = prepare_again(id, found->second, std::move(*stale));
  } else if (auto* filter = std::get_if<model::FilterToTry>(&*last)) {
    last = go_on_trying(id, found->second, std::move(*filter));
  } else if (auto* recent = std::get_if<model::RecentEvents>(&*last)) {
    last = try_filter(*found->second.trial, recent->events);
  }
  if (!last) return;
  const ReplyFn on_reply = std::move(found->second.on_reply);
  waiting_.erase(found);
  on_reply(std::move(*last));
}

// The change of the rules has come before this.
std::optional<model::Reply> Backend::prepare_again(model::RequestId id, Waiting& waiting,
                                                   model::StaleRules stale) {
  if (++waiting.given_back > model::kStaleRulesRetriesMax) {
    return model::Refusal{{{base::ErrorCode::kOverloaded,
                            "filters and schemas change faster than events are prepared for them; "
                            "try again later"}},
                          model::kOverloadRetryAfter};
  }
  rules_.prepare(stale.request);
  send_(Submitted{id, std::move(stale.request)});
  return std::nullopt;
}

std::optional<model::Reply> Backend::go_on_trying(model::RequestId id, Waiting& waiting,
                                                  model::FilterToTry found) {
  model::TestTrigger& trial = *waiting.trial;
  trial.filter = std::move(found.filter);
  if (trial.recent == 0) return try_filter(trial, {});
  send_(Submitted{id, model::ReadRecentEvents{trial.org, trial.name, trial.recent}});
  return std::nullopt;
}

void Backend::changed(model::EdgeChange change) {
  if (const auto* added = std::get_if<model::ApiKeyAdded>(&change)) {
    keys_.add(added->key);
  } else if (const auto* removed = std::get_if<model::ApiKeyRemoved>(&change)) {
    keys_.remove(removed->digest);
  } else if (const auto* paths = std::get_if<model::FilterPathsChanged>(&change)) {
    rules_.change(*paths);
  } else if (const auto* schema = std::get_if<model::EventSchemaChanged>(&change)) {
    rules_.change(*schema);
  }
}

std::optional<api::Principal> Backend::authenticate(std::string_view api_key) {
  const model::KeyDigest digest = secrets_.digester.digest(api_key);
  std::optional<api::Principal> principal = keys_.find(digest);
  if (!principal) {
    receive_now_();
    principal = keys_.find(digest);
  }
  return principal;
}

std::vector<api::HealthCheck> Backend::health() {
  const double silent = metrics_.engine().seconds_since_turn(base::read_clocks().mono);
  std::string engine_fault;
  if (silent > kEngineSilentMax) engine_fault = fmt::format("no turn for {:.0f} s", silent);
  return {{"store", readiness_.store_fault},
          {"engine", std::move(engine_fault)},
          {"serving", readiness_.serving_fault}};
}

bool Backend::is_admin_token(std::string_view token) {
  const std::string& expected = secrets_.admin_token;
  return token.size() == expected.size() &&
         CRYPTO_memcmp(token.data(), expected.data(), expected.size()) == 0;
}

base::Result<model::SigningKey> Backend::mint_signing_key() {
  return new_signing_key(secrets_.box);
}

api::MintedApiKey Backend::mint_api_key() {
  api::MintedApiKey minted;
  minted.text = new_key_text();
  minted.digest = secrets_.digester.digest(minted.text);
  SystemRandom random;
  minted.id = model::ApiKeyId(random.uuid_v7(base::read_clocks().wall));
  return minted;
}

}  // namespace triggerd::app
