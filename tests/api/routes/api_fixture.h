// The API without sockets and without an engine: requests go in as values, a fake backend replies
// as the test says, answers come out as values.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "api/api_handler.h"
#include "engine/loop/event_loop.h"

namespace triggerd::api {

inline model::OrgId test_org() {
  return *model::OrgId::parse("11111111-2222-4333-8444-555555555555");
}
inline model::OrgId other_org() {
  return *model::OrgId::parse("99999999-2222-4333-8444-555555555555");
}
inline constexpr std::string_view kOrgText = "11111111-2222-4333-8444-555555555555";
inline constexpr std::string_view kWebhookText = "065e3dc5-c222-7333-8444-000000000001";

class FakeBackend final : public Backend {
 public:
  // The id of a request is its place in `requests`, counted from 1.
  base::RequestId submit(model::Request request, ReplyFn on_reply) override {
    requests.push_back(std::move(request));
    waiting.push_back(std::move(on_reply));
    return base::RequestId(requests.size());
  }
  void cancel(base::RequestId id) override { cancelled.push_back(id); }
  void watch(model::OrgId org, std::uint64_t number) override { watches.emplace_back(org, number); }
  void unwatch(model::OrgId org) override { unwatched.push_back(org); }
  Seat take_seat(model::OrgId /*org*/) override {
    if (seat == Seat::kTaken) ++seats_taken;
    return seat;
  }
  void leave_seat(model::OrgId /*org*/) override { --seats_taken; }
  std::optional<Principal> authenticate(std::string_view api_key) override {
    ++authentications;
    const auto found = keys.find(api_key);
    return found == keys.end() ? std::nullopt : std::optional<Principal>(found->second);
  }
  bool is_admin_token(std::string_view token) override { return token == "admin-token"; }
  MintedApiKey mint_api_key() override {
    MintedApiKey key;
    key.id = *model::ApiKeyId::parse("aaaaaaaa-0000-4000-8000-000000000001");
    key.text = "minted-key-text";
    key.digest[0] = 7;
    return key;
  }
  model::SigningSecret mint_signing_secret() override {
    model::SigningSecret secret;
    secret.hmac_key.fill(7);
    return secret;
  }
  base::Result<model::SigningKey> mint_signing_key() override {
    model::SigningKey key;
    key.kid = "minted-kid";
    key.sealed_private_key = "sealed-private-key";
    return key;
  }
  std::string metrics() override { return "metric 1\n"; }
  std::vector<HealthCheck> health() override { return checks; }

  // Replies to the request that waits longest.
  void reply(model::Reply reply) {
    ASSERT_FALSE(waiting.empty());
    ReplyFn on_reply = std::move(waiting.front());
    waiting.erase(waiting.begin());
    on_reply(std::move(reply));
  }

  std::map<std::string, Principal, std::less<>> keys;
  std::vector<model::Request> requests;
  std::vector<ReplyFn> waiting;
  std::vector<base::RequestId> cancelled;
  std::vector<HealthCheck> checks{{"store", ""}, {"serving", ""}};
  int authentications = 0;
  std::vector<std::pair<model::OrgId, std::uint64_t>> watches;
  std::vector<model::OrgId> unwatched;
  Seat seat = Seat::kTaken;
  int seats_taken = 0;
};

class ApiTest : public ::testing::Test {
 protected:
  explicit ApiTest(ApiOptions options = {}) : handler(loop, backend, random, std::move(options)) {
    const auto add = [this](std::string_view key, model::OrgId org, unsigned scopes) {
      backend.keys.emplace(key, Principal{org, {}, static_cast<std::uint8_t>(scopes)});
    };
    add("all-key", test_org(), model::kScopesAll);
    add("publish-key", test_org(), model::kScopePublish);
    add("read-key", test_org(), model::kScopeRead);
    add("manage-key", test_org(), model::kScopeManage);
    add("foreign-key", other_org(), model::kScopesAll);
  }

  using Fields = std::vector<HttpField>;

  static Fields with_key(std::string key, Fields further = {}) {
    Fields fields = {{"SlashID-OrgID", std::string(kOrgText)}, {"SlashID-API-Key", std::move(key)}};
    for (HttpField& field : further) fields.push_back(std::move(field));
    return fields;
  }
  static Fields as_admin() { return {{"Authorization", "Bearer admin-token"}}; }

  // Sends the request as a connection does: head first, body only when it is wanted.
  void send(Method method, std::string target, Fields fields, std::string body = {}) {
    response.reset();
    HttpRequest request;
    request.method = method;
    request.target = std::move(target);
    request.fields = std::move(fields);
    HeadDecision decision = handler.on_head(request);
    answered_on_head = std::holds_alternative<AnswerNow>(decision);
    if (answered_on_head) {
      response = std::get<AnswerNow>(decision).response;
      return;
    }
    // A live stream: the door was open.
    if (std::holds_alternative<StreamBody>(decision)) return;
    ASSERT_TRUE(std::holds_alternative<ReadBody>(decision));
    ASSERT_LE(body.size(), std::get<ReadBody>(decision).bytes_max);
    request.body = std::move(body);
    ticket = handler.on_request(std::move(request),
                                [this](HttpResponse answer) { response = std::move(answer); });
  }

  // Sends with all rights, and expects an answer without the engine being asked.
  HttpResponse answer_to(Method method, std::string target, Fields fields, std::string body = {}) {
    const std::size_t asked = backend.requests.size();
    send(method, std::move(target), std::move(fields), std::move(body));
    EXPECT_EQ(backend.requests.size(), asked) << "the engine was asked";
    EXPECT_TRUE(response.has_value());
    return response.value_or(HttpResponse{});
  }

  // Sends, expects that the engine is asked a `Kind`, and replies.
  template <class Kind>
  Kind asked(Method method, std::string target, Fields fields, std::string body,
             model::Reply reply) {
    const std::size_t before = backend.requests.size();
    send(method, std::move(target), std::move(fields), std::move(body));
    if (backend.requests.size() != before + 1) {
      ADD_FAILURE() << "the engine was not asked: " << (response ? response->body : "no answer");
      return {};
    }
    EXPECT_FALSE(response.has_value()) << "answered before the reply";
    backend.reply(std::move(reply));
    EXPECT_TRUE(response.has_value());
    const Kind* const kind = std::get_if<Kind>(&backend.requests.back());
    EXPECT_NE(kind, nullptr);
    return kind == nullptr ? Kind{} : *kind;
  }

  // The one message of an error envelope of this status, checked byte by byte.
  static std::string message_of(const HttpResponse& answer, int status) {
    EXPECT_EQ(answer.status, status) << answer.body;
    EXPECT_EQ(answer.content_type, "application/json");
    const std::string head =
        R"({"errors":[{"httpcode":)" + std::to_string(status) + R"(,"message":")";
    const std::string tail = R"("}]})";
    EXPECT_EQ(answer.body.substr(0, head.size()), head);
    if (answer.body.size() < head.size() + tail.size()) return {};
    EXPECT_EQ(answer.body.substr(answer.body.size() - tail.size()), tail);
    return answer.body.substr(head.size(), answer.body.size() - head.size() - tail.size());
  }
  static std::string field_of(const HttpResponse& answer, std::string_view name) {
    for (const HttpField& field : answer.fields) {
      if (field.name == name) return field.value;
    }
    return {};
  }

  loop::EventLoop loop;
  FakeBackend backend;
  base::SeededRandom random{1};
  ApiHandler handler;
  Ticket ticket;  // of the request sent last
  std::optional<HttpResponse> response;
  bool answered_on_head = false;
};

}  // namespace triggerd::api
