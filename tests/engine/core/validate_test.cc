#include "engine/core/validate.h"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "engine/model/limits.h"

namespace triggerd::core {
namespace {

using base::Duration;
using model::Header;
using model::WebhookDraft;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<std::string> messages(const Faults& faults) {
  std::vector<std::string> out;
  out.reserve(faults.size());
  for (const base::Error& fault : faults) out.push_back(fault.message);
  return out;
}

WebhookDraft good_draft() {
  WebhookDraft draft;
  draft.name = "orders";
  draft.target_url = "https://Hooks.example.com/orders";
  return draft;
}

std::vector<std::string> faults_of(const WebhookDraft& draft, DraftKind kind = DraftKind::kCreate) {
  return messages(validate_webhook(draft, kind, model::TargetPolicy()).faults);
}

std::vector<std::string> header_faults(const std::vector<Header>& headers) {
  return messages(validate_custom_headers(headers));
}

TEST(ValidateWebhook, AcceptsNameAndUrlAlone) {
  const WebhookVerdict verdict =
      validate_webhook(good_draft(), DraftKind::kCreate, model::TargetPolicy());
  EXPECT_THAT(verdict.faults, IsEmpty());
  model::Webhook webhook;
  verdict.webhook.apply_to(webhook);
  EXPECT_EQ(webhook.name, "orders");
  EXPECT_EQ(webhook.target_url, "https://Hooks.example.com/orders") << "verbatim";
  EXPECT_EQ(verdict.webhook.url->to_string(), "https://hooks.example.com/orders");
  EXPECT_EQ(webhook.timeout, Duration(0));
}

TEST(ValidateWebhook, AsksForNameAndUrlOnCreateAndForNothingOnPatch) {
  EXPECT_THAT(faults_of(WebhookDraft()),
              ElementsAre(StartsWith("name: is required"), StartsWith("target_url: is required")));
  EXPECT_THAT(faults_of(WebhookDraft(), DraftKind::kPatch), IsEmpty());
}

TEST(ValidateWebhook, NamesWhatTheEdgeCouldNotReadAndWhatIsWrongInTheRestAtOnce) {
  WebhookDraft draft;
  draft.faults = {{base::ErrorCode::kInvalid, "name: expected a string, got a number"},
                  {base::ErrorCode::kInvalid, "delivery.rate: expected an object, got a list"}};
  draft.target_url = "http://hooks.example.com/";
  draft.timeout = "5 seconds";
  draft.delivery.emplace().format = "xml";
  EXPECT_THAT(
      faults_of(draft),
      ElementsAre(StartsWith("name: expected"), StartsWith("delivery.rate: expected"),
                  StartsWith("target_url"), StartsWith("timeout"), StartsWith("delivery.format")));
}

TEST(ValidateWebhook, LeavesWhatAPatchLeavesOut) {
  WebhookDraft draft;
  draft.timeout = "5s";
  const WebhookVerdict verdict = validate_webhook(draft, DraftKind::kPatch, model::TargetPolicy());
  ASSERT_THAT(verdict.faults, IsEmpty());
  model::Webhook webhook;
  webhook.name = "old";
  webhook.target_url = "https://old.example/";
  webhook.description = "kept";
  webhook.custom_headers = {{"X-A", {"1"}}};
  const model::Webhook before = webhook;
  verdict.webhook.apply_to(webhook);
  EXPECT_EQ(webhook.timeout, seconds(5));
  webhook.timeout = before.timeout;
  EXPECT_EQ(webhook, before);
}

TEST(ValidateWebhook, ReplacesAllHeadersByThoseOfAPatch) {
  WebhookDraft draft;
  draft.custom_headers = std::vector<Header>{};
  model::Webhook webhook;
  webhook.custom_headers = {{"X-A", {"1"}}};
  validate_webhook(draft, DraftKind::kPatch, model::TargetPolicy()).webhook.apply_to(webhook);
  EXPECT_THAT(webhook.custom_headers, IsEmpty());
}

TEST(ValidateWebhook, ReportsAllFaultsAtOnce) {
  WebhookDraft draft;
  draft.name = "";
  draft.target_url = "http://localhost/";
  draft.description = std::string(model::kDescriptionBytesMax + 1, 'd');
  draft.timeout = "30s";
  draft.custom_headers = std::vector<Header>{{"Host", {"x"}}, {"X A", {"a\r\nb"}}};
  for (const DraftKind kind : {DraftKind::kCreate, DraftKind::kPatch}) {
    EXPECT_THAT(
        faults_of(draft, kind),
        ElementsAre(StartsWith("name: "), StartsWith("target_url: "), StartsWith("description: "),
                    StartsWith("timeout: "), StartsWith("custom_headers \"Host\": "),
                    StartsWith("custom_headers \"X A\": "),
                    StartsWith("custom_headers \"X A\": ")));
  }
}

TEST(ValidateWebhook, TakesTextsUpToTheirLimits) {
  WebhookDraft draft = good_draft();
  draft.name = std::string(model::kNameBytesMax, 'n');
  draft.description = std::string(model::kDescriptionBytesMax, 'd');
  EXPECT_THAT(faults_of(draft), IsEmpty());
  draft.name = std::string(model::kNameBytesMax + 1, 'n');
  draft.description = std::string(model::kDescriptionBytesMax + 1, 'd');
  EXPECT_THAT(faults_of(draft), ElementsAre("name: is longer than 256 bytes; shorten it",
                                            "description: is longer than 2048 bytes; shorten it"));
}

TEST(ValidateWebhook, TakesTimeoutsFromZeroToTwentySeconds) {
  const std::vector<std::pair<std::string, Duration>> good{
      {"0", seconds(0)},        {"0s", seconds(0)},
      {"-0s", seconds(0)},      {"500ms", milliseconds(500)},
      {"20s", seconds(20)},     {"0.1m", seconds(6)},
      {"20000ms", seconds(20)}, {"1ns", Duration(1)}};
  for (const auto& [text, expected] : good) {
    WebhookDraft draft = good_draft();
    draft.timeout = text;
    const WebhookVerdict verdict =
        validate_webhook(draft, DraftKind::kCreate, model::TargetPolicy());
    EXPECT_THAT(verdict.faults, IsEmpty()) << text;
    EXPECT_EQ(verdict.webhook.timeout, expected) << text;
  }
  for (const std::string& text : std::vector<std::string>{
           "", "10", "10 s", "-1s", "-1ns", "20.000000001s", "21s", "1h", "ten", "9e9s"}) {
    WebhookDraft draft = good_draft();
    draft.timeout = text;
    EXPECT_THAT(faults_of(draft), ElementsAre(StartsWith("timeout: "))) << text;
  }
}

TEST(ValidateName, AsksForUtf8WithoutControlCharacters) {
  for (const std::string& name : std::vector<std::string>{
           "a", " ", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\"'<>"}) {
    EXPECT_THAT(validate_name("name", name), IsEmpty()) << name;
  }
  for (const std::string& name : std::vector<std::string>{
           "\x80", "\xc3", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xed\xbf\xbf",
           "\xe2\x82", "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
           std::string("a\xc3").append("b")}) {
    EXPECT_THAT(messages(validate_name("key name", name)),
                ElementsAre("key name: is not valid UTF-8; send it as UTF-8"));
  }
  for (const std::string& name : std::vector<std::string>{std::string("a\0b", 3), "\n", "\t",
                                                          "\x1b", "\x7f", "\xc2\x80", "\xc2\x9f"}) {
    EXPECT_THAT(messages(validate_name("name", name)),
                ElementsAre("name: has a control character; take it out"));
  }
  EXPECT_THAT(validate_name("name", "\xc2\xa0"), IsEmpty()) << "just behind the controls";
}

TEST(ValidateHeaders, AcceptsTokensWithPrintableValues) {
  EXPECT_THAT(header_faults({{"Authorization", {"Bearer a.b.c"}},
                             {"X-Many", {"1", "2", ""}},
                             {"X-None", {}},
                             {"!#$%&'*+-.^_`|~09azAZ", {"\t !\"#~"}},
                             {"Hosting", {"x"}},
                             {"X-Webhook-Id", {"x"}},
                             {"Proxy", {"x"}},
                             {"Content-Language", {"en"}}}),
              IsEmpty());
}

TEST(ValidateHeaders, RefusesNamesThatTheEngineOrHttpSets) {
  for (const std::string& name : std::vector<std::string>{"Host",
                                                          "host",
                                                          "HOST",
                                                          "Content-Length",
                                                          "Content-Type",
                                                          "Transfer-Encoding",
                                                          "Connection",
                                                          "Expect",
                                                          "Upgrade",
                                                          "TE",
                                                          "Trailer",
                                                          "Keep-Alive",
                                                          "Proxy-Authorization",
                                                          "proxy-connection",
                                                          "Proxy-",
                                                          "User-Agent",
                                                          "webhook-id",
                                                          "Webhook-Signature",
                                                          "webhook-",
                                                          "Content-Encoding",
                                                          "traceparent"}) {
    EXPECT_THAT(header_faults({{name, {"x"}}}), ElementsAre(HasSubstr("is set by the engine")))
        << name;
  }
}

TEST(ValidateHeaders, RefusesNamesThatAreNoTokens) {
  for (const std::string& name : std::vector<std::string>{
           "",          " ",  "X A",   "X:",   ":authority", "X\r\nY", std::string("X\0", 2),
           "X\xc3\xbc", "X(", "X/Y",   "X,Y",  "X;Y",        "X=Y",    "X@Y",
           "X[",        "X{", "\"X\"", "X\\Y", "X<",         "X?"}) {
    EXPECT_THAT(header_faults({{name, {"x"}}}), ElementsAre(HasSubstr("is not a header name")))
        << name;
  }
}

TEST(ValidateHeaders, RefusesValuesThatCouldSplitTheRequest) {
  for (const std::string& value :
       std::vector<std::string>{"a\r\nX: y", "a\n", "a\r", std::string("a\0b", 3), "\x01", "\x1f",
                                "\x7f", "\x80", "\xc3\xbc"}) {
    EXPECT_THAT(header_faults({{"X-A", {"fine", value}}}),
                ElementsAre(HasSubstr("line break, control or non-ASCII")));
  }
}

TEST(ValidateHeaders, RefusesTheSameNameTwiceWithoutRegardToCase) {
  EXPECT_THAT(header_faults({{"X-A", {"1"}}, {"x-a", {"2"}}}),
              ElementsAre(AllOf(StartsWith("custom_headers \"x-a\": "), HasSubstr("twice"))));
}

TEST(ValidateHeaders, TakesUpTo32Names) {
  std::vector<Header> headers;
  for (std::size_t i = 0; i < model::kCustomHeadersMax; ++i) {
    headers.push_back({"X-" + std::to_string(i), {"v"}});
  }
  EXPECT_THAT(header_faults(headers), IsEmpty());
  headers.push_back({"X-One-More", {"v"}});
  EXPECT_THAT(header_faults(headers),
              ElementsAre("custom_headers: has more than 32 names; take some out"));
}

TEST(ValidateHeaders, TakesUpTo8KiBWithTheNamesOfRepeatedValues) {
  const std::size_t half = model::kCustomHeaderBytesMax / 2 - 3;
  EXPECT_THAT(header_faults({{"X-A", {std::string(half, 'a'), std::string(half, 'b')}}}),
              IsEmpty());
  EXPECT_THAT(header_faults({{"X-A", {std::string(half, 'a'), std::string(half + 1, 'b')}}}),
              ElementsAre("custom_headers: is longer than 8192 bytes; shorten it"));
}

TEST(ValidateHeaders, ShowNoBytesInAMessageThatCouldHarmItsReader) {
  const auto faults = header_faults({{"\x1b[31m\"\n" + std::string(500, 'x'), {"v"}}});
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_THAT(faults[0], StartsWith("custom_headers \"?[31m??xxx"));
  EXPECT_LT(faults[0].size(), 250U);
}

TEST(ValidateTrigger, AsksForATypeAndANameOfThatType) {
  EventCatalogue catalogue;
  const EventNames names{catalogue, model::OrgId()};
  catalogue.put({names.org, "OrderPlaced_v1", "", "", base::WallTime()});
  for (const std::string_view name : {"PersonCreated_v1", "OrderPlaced_v1"}) {
    const TriggerVerdict verdict = validate_trigger("event", name, names);
    EXPECT_THAT(verdict.faults, IsEmpty());
    EXPECT_EQ(verdict.trigger.type, model::TriggerType::kEvent);
    EXPECT_EQ(verdict.trigger.name, name);
  }
  const TriggerVerdict hook = validate_trigger("sync_hook", "token_minted", names);
  EXPECT_THAT(hook.faults, IsEmpty());
  EXPECT_EQ(hook.trigger.type, model::TriggerType::kSyncHook);

  const std::vector<std::pair<std::string_view, std::string_view>> wrong_names{
      {"event", "token_minted"},
      {"event", "identify_user"},
      {"event", "Nothing_v1"},
      {"event", ""},
      {"event", "personcreated_v1"},
      {"sync_hook", "PersonCreated_v1"},
      {"sync_hook", ""}};
  for (const auto& [type, name] : wrong_names) {
    EXPECT_THAT(messages(validate_trigger(type, name, names).faults),
                ElementsAre(StartsWith("trigger_name: ")))
        << type << " " << name;
  }
  for (const std::string_view type : {"", "Event", "events", "sync-hook", "hook"}) {
    EXPECT_THAT(messages(validate_trigger(type, "PersonCreated_v1", names).faults),
                ElementsAre(StartsWith("trigger_type: ")))
        << type;
  }
}

TEST(ValidateEvent, NamesTheIndexAndTheField) {
  const EventCatalogue catalogue;
  const EventNames names{catalogue, model::OrgId()};
  model::NewEvent event;
  event.name = "PersonCreated_v1";
  event.content = std::string(model::kEventContentBytesMax, 'c');
  event.ordering_key = std::string(model::kOrderingKeyBytesMax, 'k');
  EXPECT_THAT(validate_event(event, 0, names), IsEmpty());

  event.name = "Nothing_v1";
  event.edge_faults.push_back({base::ErrorCode::kInvalid, "content/a: objected to"});
  event.content.push_back('c');
  event.ordering_key.push_back('k');
  const Faults faults = validate_event(event, 7, names);
  EXPECT_THAT(messages(faults),
              ElementsAre(StartsWith("[7].event_name: "), StartsWith("[7].content: "),
                          StartsWith("[7].ordering_key: "), "[7].content/a: objected to"));
  EXPECT_EQ(faults[1].code, base::ErrorCode::kTooLarge);
}

TEST(ValidateEvent, ListsWhatTheEdgeFoundAndJudgesWhatItCouldRead) {
  const EventCatalogue catalogue;
  const EventNames names{catalogue, model::OrgId()};
  model::NewEvent event;  // without a name that could be read
  event.edge_faults = {{base::ErrorCode::kInvalid, "event_name: required, but missing"}};
  EXPECT_THAT(messages(validate_event(event, 2, names)),
              ElementsAre("[2].event_name: required, but missing"));
  event.edge_faults = {{base::ErrorCode::kInvalid, ": expected an event object"}};
  EXPECT_THAT(messages(validate_event(event, 2, names)),
              ElementsAre("[2]: expected an event object"));
  event.name = "Nothing_v1";
  event.edge_faults = {{base::ErrorCode::kInvalid, "timestamp: is none"}};
  EXPECT_THAT(messages(validate_event(event, 2, names)),
              ElementsAre(StartsWith("[2].event_name: "), "[2].timestamp: is none"));
  event.edge_faults.clear();
  event.name.clear();
  EXPECT_THAT(messages(validate_event(event, 2, names)),
              ElementsAre(StartsWith("[2].event_name: ")));
}

RC_GTEST_PROP(ValidateHeaders, LetNoLineBreakThrough,
              (const std::string& name, const std::string& value)) {
  if (!validate_custom_headers({{name, {value}}}).empty()) return;
  const std::string line = name + ": " + value;
  RC_ASSERT(line.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
  RC_ASSERT(name.find_first_of(": \t") == std::string::npos);
  RC_ASSERT(!name.empty());
}

}  // namespace
}  // namespace triggerd::core
