#include "tests/scenarios/scenario.h"

#include <charconv>
#include <sstream>
#include <utility>
#include <variant>

#include "engine/base/assert.h"
#include "engine/model/go_duration.h"

namespace triggerd::testing {

using base::Duration;
using base::Uuid;

namespace {

// More turns than any scenario needs: an engine that never comes to rest is a failure.
constexpr int kTurnsMax = 10'000;

// "a12" → 12
std::uint64_t number_behind(std::string_view text) {
  return number_of(text.substr(1));
}

const std::map<std::string, model::OutcomeClass, std::less<>>& outcome_classes() {
  static const std::map<std::string, model::OutcomeClass, std::less<>> classes{
      {"timeout", model::OutcomeClass::kTimeout},
      {"connect", model::OutcomeClass::kConnect},
      {"dns", model::OutcomeClass::kDns},
      {"tls", model::OutcomeClass::kTls},
      {"blocked", model::OutcomeClass::kBlocked},
      {"protocol", model::OutcomeClass::kProtocol},
      {"cancelled", model::OutcomeClass::kCancelled},
      {"busy", model::OutcomeClass::kBusy},
      {"bad-answer", model::OutcomeClass::kBadAnswer},
      {"denied", model::OutcomeClass::kDenied}};
  return classes;
}

// "null" is null; an empty list is written "none".
std::optional<model::DeliveryDraft> delivery_of(const Command& command) {
  model::DeliveryDraft draft;
  bool any = false;
  const auto take = [&](const char* key, auto& into, const auto& convert) {
    const auto at = command.settings.find(key);
    if (at == command.settings.end()) return;
    any = true;
    into.emplace(std::nullopt);
    if (at->second != "null") into->emplace(convert(at->second));
  };
  const auto text = [](const std::string& value) { return value; };
  take("schedule", draft.schedule, [](const std::string& value) {
    return value == "none" ? std::vector<std::string>() : list_of(value);
  });
  take("max-in-flight", draft.max_in_flight,
       [](const std::string& value) { return static_cast<std::int64_t>(number_of(value)); });
  take("rate", draft.rate, [](const std::string& value) {
    const std::size_t slash = value.find('/');
    return model::RateDraft{std::stod(value.substr(0, slash)),
                            static_cast<std::int64_t>(number_of(value.substr(slash + 1)))};
  });
  take("ordering", draft.ordering, text);
  take("state", draft.state, text);
  take("format", draft.format, text);
  take("signatures", draft.signatures, [](const std::string& value) {
    return value == "none" ? std::vector<std::string>() : list_of(value);
  });
  take("on-failure", draft.on_failure, text);
  if (command.settings.contains("delivery")) any = draft.reset = true;
  return any ? std::optional(draft) : std::nullopt;
}

model::WebhookDraft draft_of(const Command& command) {
  model::WebhookDraft draft;
  const auto given = [&command](const char* key) -> std::optional<std::string> {
    const auto at = command.settings.find(key);
    if (at == command.settings.end()) return std::nullopt;
    return at->second;
  };
  draft.name = given("name");
  draft.target_url = given("url");
  draft.description = given("description");
  draft.timeout = given("timeout");
  draft.delivery = delivery_of(command);
  return draft;
}

// Settings are claims, but for the reason of a veto.
model::HookAnswerPtr hook_answer_of(const Command& command) {
  auto answer = std::make_shared<model::HookAnswer>();
  for (const auto& [name, json] : command.settings) {
    if (command.word(1) == "denied") {
      answer->reason = json;
    } else {
      answer->claims.push_back({name, json});
    }
  }
  return answer;
}

}  // namespace

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  TRIGGERD_ASSERT(end.ec == std::errc() && end.ptr == text.data() + text.size());
  return number;
}

Duration duration_of(std::string_view text) {
  const auto parsed = model::parse_go_duration(text);
  TRIGGERD_ASSERT(parsed.ok());
  return parsed.value();
}

std::vector<std::string> list_of(const std::string& text, char separator) {
  std::vector<std::string> entries;
  std::istringstream in(text);
  for (std::string entry; std::getline(in, entry, separator);) entries.push_back(entry);
  return entries;
}

Command Command::parse(std::string_view line) {
  std::istringstream in{std::string(line)};
  Command command;
  in >> command.name;
  for (std::string word; in >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      command.words.push_back(word);
    } else {
      command.settings[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  return command;
}

std::string Command::word(std::size_t index) const {
  return index < words.size() ? words[index] : std::string();
}

std::string Command::setting(const std::string& key, const std::string& otherwise) const {
  const auto at = settings.find(key);
  return at == settings.end() ? otherwise : at->second;
}

// --- The turn ---------------------------------------------------------------------------------

Scenario::Scenario() : random_(std::make_unique<base::SeededRandom>(1)) {
  options_.retry_jitter = options_.isolation.breaker.jitter = 0;
  now_.mono = base::MonoTime(std::chrono::hours(1));
  now_.wall = base::parse_rfc3339("2024-03-03T00:00:00Z").value();
}

Scenario::~Scenario() = default;

const std::map<std::string, Scenario::Play, std::less<>>& Scenario::plays() {
  static const std::map<std::string, Play, std::less<>> plays{
      {"options", &Scenario::options},
      {"org", &Scenario::create_org},
      {"delete-org", &Scenario::delete_org},
      {"key", &Scenario::create_key},
      {"delete-key", &Scenario::delete_key},
      {"webhook", &Scenario::create_webhook},
      {"patch", &Scenario::patch_webhook},
      {"delete-webhook", &Scenario::delete_webhook},
      {"webhooks", &Scenario::list_webhooks},
      {"trigger", &Scenario::add_trigger},
      {"delete-trigger", &Scenario::remove_trigger},
      {"triggers", &Scenario::list_triggers},
      {"try-filter", &Scenario::try_filter},
      {"event-type", &Scenario::define_event_type},
      {"delete-event-type", &Scenario::remove_event_type},
      {"event-types", &Scenario::list_event_types},
      {"rotate-secret", &Scenario::rotate_secret},
      {"secret", &Scenario::get_secret},
      {"rotate-key", &Scenario::rotate_key},
      {"signing-keys", &Scenario::list_signing_keys},
      {"jwks", &Scenario::get_jwks},
      {"publish", &Scenario::publish},
      {"hook", &Scenario::call_hook},
      {"cancel", &Scenario::cancel_request},
      {"stop-waiting", &Scenario::stop_waiting},
      {"outcome", &Scenario::outcome},
      {"answer", &Scenario::answer},
      {"advance", &Scenario::advance},
      {"hold", &Scenario::hold},
      {"commit", &Scenario::commit},
      {"crash", &Scenario::crash},
      {"state", &Scenario::state},
      {"attempts", &Scenario::attempts}};
  return plays;
}

std::string Scenario::play(const Command& command) {
  trace_.clear();
  const auto at = plays().find(command.name);
  if (at == plays().end()) return "no such command: " + command.name + "\n";
  (this->*at->second)(command);
  return std::exchange(trace_, {});
}

core::Engine& Scenario::engine() {
  if (engine_ == nullptr) engine_ = std::make_unique<core::Engine>(options_, *random_);
  return *engine_;
}

void Scenario::settle() {
  for (int turn = 0; turn < kTurnsMax; ++turn) {
    model::Output output = engine().take_output();
    for (const model::Read& read : output.reads) {
      print(read);
      reads_[read.id.value()] = read.what;
    }
    if (!output.batch.mutations.empty()) {
      print(output.batch);
      taken_.apply(output.batch);
      held_batches_.push_back(std::move(output.batch));
    }
    for (model::Effect& effect : output.effects) held_effects_.push_back(std::move(effect));
    if (!holding_) {
      for (const model::Batch& batch : held_batches_) {
        durable_.apply(batch);
        durable_batch_ = batch.seq.value();
      }
      held_batches_.clear();
    }
    release_effects();
    const auto deadline = engine().next_deadline();
    if (!deadline || *deadline > now_.mono) break;
    engine().tick(now_);
    TRIGGERD_ASSERT(turn + 1 < kTurnsMax);
  }
  check_rebuilt_engine_agrees();
}

void Scenario::release_effects() {
  std::deque<model::Effect> waiting;
  for (model::Effect& effect : held_effects_) {
    if (effect.rests_on.value() <= durable_batch_) {
      note_rules(effect.what);
      print(effect);
    } else {
      waiting.push_back(std::move(effect));
    }
  }
  held_effects_ = std::move(waiting);
}

void Scenario::check_rebuilt_engine_agrees() {
  base::SeededRandom random(2);
  core::Engine rebuilt(options_, random);
  taken_.load_into(rebuilt);
  rebuilt.recovered(now_);
  const std::string live = engine().durable_state();
  const std::string again = rebuilt.durable_state();
  if (live == again) return;
  print("REBUILT ENGINE DISAGREES; live:\n" + live + "rebuilt:\n" + again);
}

void Scenario::request(model::Request request) {
  engine().handle(std::move(request), model::RequestId(++last_request_), now_);
  settle();
}

Uuid Scenario::id_for(const std::string& name) {
  const auto at = ids_.find(name);
  if (at != ids_.end()) return at->second;
  Uuid id;
  id.bytes[15] = static_cast<std::uint8_t>(ids_.size() + 1);
  id.bytes[0] = 0xee;
  ids_[name] = id;
  names_[id] = name;
  return id;
}

// --- Commands ---------------------------------------------------------------------------------

void Scenario::options(const Command& command) {
  TRIGGERD_ASSERT(engine_ == nullptr);
  for (const auto& [key, value] : command.settings) {
    if (key == "per-webhook") {
      options_.in_flight_per_webhook = static_cast<std::uint32_t>(number_of(value));
    } else if (key == "per-host") {
      options_.in_flight_per_host = static_cast<std::uint32_t>(number_of(value));
    } else if (key == "in-flight") {
      options_.in_flight = static_cast<std::uint32_t>(number_of(value));
    } else if (key == "pending-per-org") {
      options_.pending_per_org_max = number_of(value);
    } else if (key == "pending") {
      options_.pending_max = number_of(value);
    } else if (key == "webhooks-per-org") {
      options_.webhooks_per_org_max = number_of(value);
    } else if (key == "triggers-per-webhook") {
      options_.triggers_per_webhook_max = number_of(value);
    } else if (key == "cache") {
      options_.payload_cache_bytes = number_of(value);
    } else if (key == "resident") {
      options_.resident = number_of(value);
    } else if (key == "dedup-ids") {
      options_.dedup_ids = number_of(value);
    } else if (key == "key-lead") {
      options_.key_publish_lead = duration_of(value);
    } else if (key == "secret-overlap") {
      options_.secret_overlap = duration_of(value);
    } else if (key == "test-events") {
      options_.rates.test_events = door_rate_of(value);
    } else if (key == "sdk-client") {
      options_.rates.sdk_client = door_rate_of(value);
    } else if (key == "sdk-organization") {
      options_.rates.sdk_organization = door_rate_of(value);
    } else if (key == "schedule") {
      for (const std::string& entry : list_of(value)) {
        options_.retry_schedule.push_back(duration_of(entry));
      }
    } else if (key == "start-per-webhook") {
      options_.isolation.in_flight_start = static_cast<std::uint32_t>(number_of(value));
    } else if (key == "retry-share") {
      options_.isolation.retry_share_percent = static_cast<std::uint32_t>(number_of(value));
    } else if (key == "breaker") {
      options_.isolation.breaker.failures_to_open = static_cast<std::uint32_t>(number_of(value));
    } else if (key == "open-for") {
      options_.isolation.breaker.open_for = duration_of(value);
    } else if (key == "open-for-max") {
      options_.isolation.breaker.open_for_max = duration_of(value);
    } else if (key == "disable-after") {
      options_.disable_after = duration_of(value);
    } else if (key == "waits") {
      options_.publish_waits_max = number_of(value);
    } else if (key == "watched") {
      options_.watched_deliveries_max = number_of(value);
    } else {
      print("no such option: " + key);
    }
  }
}

void Scenario::create_org(const Command& command) {
  request(model::CreateOrganization{model::OrgId(id_for(command.word(0))), command.word(0)});
}

void Scenario::delete_org(const Command& command) {
  request(model::DeleteOrganization{model::OrgId(id_for(command.word(0)))});
}

void Scenario::create_key(const Command& command) {
  model::CreateApiKey asked;
  asked.org = model::OrgId(id_for(command.word(0)));
  asked.id = model::ApiKeyId(id_for(command.word(1)));
  asked.name = command.word(1);
  asked.digest[0] = id_for(command.word(1)).bytes[15];
  request(asked);
}

void Scenario::delete_key(const Command& command) {
  request(model::DeleteApiKey{model::OrgId(id_for(command.word(0))),
                              model::ApiKeyId(id_for(command.word(1)))});
}

void Scenario::create_webhook(const Command& command) {
  Command with_name = command;
  with_name.settings.emplace("name", command.word(1));
  awaited_webhook_ = command.word(1);
  model::CreateWebhook asked{model::OrgId(id_for(command.word(0))), draft_of(with_name), {}};
  if (command.settings.contains("secret")) asked.secret = secret_for(command.setting("secret", ""));
  request(std::move(asked));
}

void Scenario::patch_webhook(const Command& command) {
  model::PatchWebhook asked{model::OrgId(id_for(command.word(0))),
                            model::WebhookId(id_for(command.word(1))),
                            draft_of(command),
                            {}};
  if (command.settings.contains("secret")) asked.secret = secret_for(command.setting("secret", ""));
  request(std::move(asked));
}

void Scenario::delete_webhook(const Command& command) {
  request(model::DeleteWebhook{model::OrgId(id_for(command.word(0))),
                               model::WebhookId(id_for(command.word(1)))});
}

void Scenario::list_webhooks(const Command& command) {
  request(model::ListWebhooks{model::OrgId(id_for(command.word(0)))});
}

void Scenario::remove_trigger(const Command& command) {
  request(model::RemoveTrigger{model::OrgId(id_for(command.word(0))),
                               model::WebhookId(id_for(command.word(1))),
                               command.setting("type", "event"), command.word(2)});
}

void Scenario::list_triggers(const Command& command) {
  request(model::ListTriggers{model::OrgId(id_for(command.word(0))),
                              model::WebhookId(id_for(command.word(1)))});
}

void Scenario::rotate_key(const Command& command) {
  model::RotateSigningKey asked;
  asked.key.kid = command.word(0);
  asked.key.sealed_private_key = "sealed";
  request(std::move(asked));
}

void Scenario::list_signing_keys(const Command&) {
  request(model::ListSigningKeys{});
}

void Scenario::get_jwks(const Command& command) {
  model::GetJwks asked{model::OrgId(id_for(command.word(0))), {}};
  if (const auto client = model::IpAddress::parse(command.setting("client", "192.0.2.1"))) {
    asked.client = *client;
  }
  const std::uint64_t count = number_of(command.setting("count", "1"));
  for (std::uint64_t i = 0; i < count; ++i) request(asked);
}

void Scenario::publish(const Command& command) {
  model::PublishEvents asked;
  asked.org = model::OrgId(id_for(command.word(0)));
  for (std::size_t i = 1; i < command.words.size(); ++i) {
    std::string id = command.words[i];
    std::string name = "PersonCreated_v1";
    const std::size_t colon = id.find(':');
    if (colon != std::string::npos) {
      name = id.substr(colon + 1);
      id.resize(colon);
    }
    model::NewEvent event;
    event.id_from_client = id[0] != '~';
    event.id = model::EventId(id_for(event.id_from_client ? id : id.substr(1)));
    event.name = name;
    event.timestamp = now_.wall;
    event.ordering_key = command.setting("key", "");
    event.content = R"({"event_metadata":{},"x":")" +
                    std::string(number_of(command.setting("bytes", "1")), 'x') + R"("})";
    event.own_members_at = 21;
    asked.events.push_back(std::move(event));
  }
  asked.wait = duration_of(command.setting("wait", "0s"));
  if (command.setting("accept", "whole") == "each") asked.acceptance = model::Acceptance::kEach;
  prepare(command, asked);
  request(std::move(asked));
}

void Scenario::call_hook(const Command& command) {
  model::CallHook asked;
  asked.org = model::OrgId(id_for(command.word(0)));
  asked.id = model::EventId(id_for(command.word(1)));
  asked.name = command.setting("name", "token_minted");
  asked.content = "{}";
  asked.wait = duration_of(command.setting("wait", "0s"));
  request(std::move(asked));
}

void Scenario::cancel_request(const Command& command) {
  engine().cancel(model::RequestId(number_behind(command.word(0))));
  settle();
}

void Scenario::stop_waiting(const Command&) {
  engine().stop_waiting();
  settle();
}

void Scenario::outcome(const Command& command) {
  model::Outcome outcome;
  outcome.started_at = now_.wall;
  const auto at = outcome_classes().find(command.word(1));
  if (at != outcome_classes().end()) {
    outcome.kind = at->second;
  } else {
    outcome.http_status = static_cast<std::uint16_t>(number_of(command.word(1)));
    outcome.kind =
        outcome.http_status / 100 == 2 ? model::OutcomeClass::kOk : model::OutcomeClass::kHttpError;
  }
  outcome.timings.total_us =
      static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                     duration_of(command.setting("took", "0s")))
                                     .count());
  const std::string retry_after = command.setting("retry-after", "");
  if (!retry_after.empty()) outcome.retry_after = duration_of(retry_after);
  const std::string attempt = command.word(0);
  const std::uint64_t number = number_behind(attempt);
  const bool is_hook = attempt[0] == 'h';
  if (is_hook) outcome.hook = hook_answer_of(command);
  engine().finish(is_hook ? model::hook_attempt_id(number) : model::AttemptId(number), outcome,
                  now_);
  settle();
}

void Scenario::answer(const Command& command) {
  const std::uint64_t id = number_behind(command.word(0));
  model::ReadAnswer answer;
  const auto read = reads_.find(id);
  if (command.word(1) == "failed") {
    answer = model::ReadFailed{{base::ErrorCode::kInternal, "the disk does not answer"}};
  } else if (command.word(1) == "none") {
    answer = model::EventLoaded{};
  } else if (command.word(1) == "parked" || read == reads_.end()) {
    answer = model::ParkedLoaded{};
  } else if (const auto* event = std::get_if<model::ReadEvent>(&read->second)) {
    answer = model::EventLoaded{durable_.event(event->seq)};
  } else if (const auto* parked = std::get_if<model::ReadParked>(&read->second)) {
    answer = durable_.parked(*parked);
  } else {
    answer = durable_.event_id(std::get<model::ReadEventId>(read->second));
  }
  engine().loaded(model::ReadId(id), answer, now_);
  settle();
}

void Scenario::advance(const Command& command) {
  const base::Now target{now_.mono + duration_of(command.word(0)),
                         now_.wall + duration_of(command.word(0))};
  for (int turn = 0; turn < kTurnsMax; ++turn) {
    const auto deadline = engine().next_deadline();
    if (!deadline || *deadline > target.mono) break;
    if (*deadline > now_.mono) {
      now_.wall += *deadline - now_.mono;
      now_.mono = *deadline;
    }
    const std::size_t before = trace_.size();
    engine().tick(now_);
    settle();
    if (trace_.size() > before) trace_.insert(before, "at " + text_of(now_.wall) + "\n");
  }
  now_ = target;
}

void Scenario::hold(const Command&) {
  holding_ = true;
}

void Scenario::commit(const Command&) {
  holding_ = false;
  settle();
}

void Scenario::crash(const Command&) {
  engine_.reset();
  held_batches_.clear();
  held_effects_.clear();
  reads_.clear();
  rules_.clear();
  holding_ = false;
  durable_batch_ = 0;
  durable_.restarted();
  taken_ = durable_;
  durable_.load_into(engine());
  engine().recovered(now_);
  engine().tick(now_);
  settle();
}

void Scenario::state(const Command&) {
  const core::EngineStats stats = engine().stats();
  print("organizations " + std::to_string(stats.organizations) + ", webhooks " +
        std::to_string(stats.webhooks) + ", triggers " + std::to_string(stats.triggers) +
        ", pending " + std::to_string(stats.pending) + ", in flight " +
        std::to_string(stats.in_flight) + ", delayed " + std::to_string(stats.delayed) + ", rows " +
        std::to_string(taken_.pending_rows()));
  if (stats.publishes_waiting > 0) {
    print("waiting publishes " + std::to_string(stats.publishes_waiting) + ", for " +
          std::to_string(stats.deliveries_watched) + " deliveries");
  }
  const auto deadline = engine().next_deadline();
  if (deadline) print("next deadline " + text_of(now_.wall + (*deadline - now_.mono)));
}

void Scenario::attempts(const Command&) {
  for (const model::AttemptRecord& record : durable_.attempts()) print(text_of(record));
}

}  // namespace triggerd::testing
