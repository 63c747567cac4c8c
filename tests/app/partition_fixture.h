// A partition over a store whose gates the test holds, and an outlet that keeps what has left.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "app/partition.h"
#include "engine/base/random.h"
#include "tests/app/gated_store.h"
#include "tests/app/pump.h"

namespace triggerd::app {

inline constexpr const char* kOrg = "0190a6e0-1111-7000-8000-000000000001";
inline constexpr const char* kName = "PersonCreated_v1";
inline const model::OrgId kOrgId = *model::OrgId::parse(kOrg);

// Keeps what has left. As in the real router nothing leaves before the end of the turn.
class RecordingOutlet final : public Outlet {
 public:
  void reply(model::RequestId request, model::Reply reply) override {
    queued_.emplace_back(request.value(), std::move(reply));
  }
  void start(model::StartAttempt attempt) override { starts.push_back(std::move(attempt)); }
  void cancel(model::AttemptId attempt) override { cancelled.push_back(attempt); }
  void tell_edges(const model::EdgeChange& change) override {
    if (const auto* added = std::get_if<model::ApiKeyAdded>(&change)) keys.push_back(added->key);
    if (std::holds_alternative<model::ApiKeyRemoved>(change)) ++keys_removed;
  }
  void signing_keys_changed(const std::vector<model::SigningKey>& changed) override {
    signing_kids.clear();
    for (const model::SigningKey& key : changed) signing_kids.push_back(key.kid);
  }
  void feed_begun(unsigned thread, model::FeedBegun begun) override {
    EXPECT_EQ(thread, 3U);
    begun_feeds.push_back(begun);
  }
  void fed(unsigned /*thread*/, model::FeedPart part) override {
    for (model::FedItem& item : part.items) fed_items.push_back(std::move(item));
  }
  void turn_ended() override {
    for (auto& [request, reply] : queued_) {
      EXPECT_FALSE(replies.contains(request)) << "answered twice";
      replies.emplace(request, std::move(reply));
    }
    queued_.clear();
  }
  void store_failed(const base::Error& error) override { failures.push_back(error.message); }

  [[nodiscard]] const model::Reply* find(model::RequestId id) const {
    const auto found = replies.find(id.value());
    return found == replies.end() ? nullptr : &found->second;
  }

  std::map<std::uint64_t, model::Reply> replies;
  std::vector<model::StartAttempt> starts;
  std::vector<model::AttemptId> cancelled;
  std::vector<model::ApiKey> keys;
  int keys_removed = 0;
  std::vector<std::string> signing_kids;
  std::vector<std::string> failures;
  std::vector<model::FeedBegun> begun_feeds;
  std::vector<model::FedItem> fed_items;

 private:
  std::vector<std::pair<std::uint64_t, model::Reply>> queued_;
};

// The code of the first fault; nothing when the reply is no refusal, or there is none.
inline std::optional<base::ErrorCode> refusal_of(const model::Reply* reply) {
  const auto* refusal = reply == nullptr ? nullptr : std::get_if<model::Refusal>(reply);
  if (refusal == nullptr) return std::nullopt;
  return refusal->faults.at(0).code;
}

class PartitionTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.in_flight_per_webhook = 100;
    options_.in_flight_per_host = 100;
    options_.isolation.in_flight_start = 0;  // all at once
    options_.retry_schedule = {std::chrono::hours(1)};
  }
  void TearDown() override {
    store_.release_commits();
    store_.release_reads();
    partition_.reset();
  }

  // A partition over what the store holds, ready for inputs.
  void open() {
    partition_ = std::make_unique<Partition>(loop_, store_, options_, random_, outlet_);
    const base::Status status =
        partition_->recover([this](const model::SigningKey& key) { signing_keys_.push_back(key); });
    ASSERT_TRUE(status.ok());
  }
  // As after a restart: ids accepted before are known to the store alone.
  void reopen() {
    partition_.reset();
    open();
  }
  // With an organization and a webhook that wants kName, all durable.
  void open_with_webhook() {
    open();
    ASSERT_NE(ask(model::CreateOrganization{kOrgId, "acme"}), nullptr);
    add_webhook("https://hooks.example/in");
  }
  model::WebhookId add_webhook(const std::string& url) {
    model::WebhookDraft draft;
    draft.name = "hook";
    draft.target_url = url;
    const model::Reply* reply = ask(model::CreateWebhook{kOrgId, draft});
    const auto* made = reply == nullptr ? nullptr : std::get_if<model::WebhookReply>(reply);
    EXPECT_NE(made, nullptr);
    if (made == nullptr) return {};
    const model::WebhookId id = made->webhook->id;
    EXPECT_FALSE(refusal_of(ask(model::AddTrigger{kOrgId, id, "event", kName})));
    return id;
  }

  model::WebhookId add_hook() {
    const model::WebhookId id = add_webhook("https://hooks.example/hook");
    EXPECT_FALSE(refusal_of(ask(model::AddTrigger{kOrgId, id, "sync_hook", "token_minted"})));
    return id;
  }
  model::RequestId call_hook(std::string content, base::Duration wait = base::Duration(0)) {
    model::CallHook call;
    call.org = kOrgId;
    call.name = "token_minted";
    call.id = model::EventId(random_.uuid_v7(loop_.now().wall));
    call.content = std::move(content);
    call.wait = wait;
    last_event_ = call.id;
    return submit(std::move(call));
  }

  model::RequestId submit(model::Request request) {
    const model::RequestId id(++requests_);
    partition_->submit(id, std::move(request));
    return id;
  }
  // Null when no answer comes.
  const model::Reply* ask(model::Request request) { return answer(submit(std::move(request))); }
  const model::Reply* answer(model::RequestId id) {
    EXPECT_TRUE(pump_until(loop_, [&] { return outlet_.find(id) != nullptr; }));
    return outlet_.find(id);
  }

  model::NewEvent new_event() {
    model::NewEvent event;
    event.id = model::EventId(random_.uuid_v4());
    event.name = kName;
    event.content = R"({"event_metadata":{},"n":1})";
    event.own_members_at = 21;
    event.timestamp = loop_.now().wall;
    return event;
  }
  model::RequestId publish() { return publish(new_event()); }
  model::RequestId publish(model::NewEvent event) {
    last_event_ = event.id;
    return submit(model::PublishEvents{kOrgId, {std::move(event)}});
  }
  // With an answer that waits for the first attempts.
  model::RequestId publish_and_wait() {
    model::PublishEvents asked{kOrgId, {new_event()}};
    asked.wait = std::chrono::seconds(20);
    return submit(std::move(asked));
  }
  // Publishes, waits for the answer and for the call.
  model::StartAttempt published_and_started() {
    const std::size_t before = outlet_.starts.size();
    EXPECT_FALSE(refusal_of(answer(publish())));
    EXPECT_TRUE(pump_until(loop_, [&] { return outlet_.starts.size() > before; }));
    return outlet_.starts.back();
  }
  model::Outcome outcome(std::uint16_t http_status) {
    model::Outcome outcome;
    outcome.kind = http_status < 300 ? model::OutcomeClass::kOk : model::OutcomeClass::kHttpError;
    outcome.http_status = http_status;
    outcome.started_at = loop_.now().wall;
    return outcome;
  }
  void await_commit_begun(std::size_t count) {
    EXPECT_TRUE(pump_until(loop_, [&] { return store_.commits_begun() >= count; }));
  }

  loop::EventLoop loop_;
  GatedStore store_;
  core::EngineOptions options_;
  base::SeededRandom random_{7};
  RecordingOutlet outlet_;
  std::unique_ptr<Partition> partition_;
  std::vector<model::SigningKey> signing_keys_;
  model::EventId last_event_;
  std::uint64_t requests_ = 0;
};

}  // namespace triggerd::app
