// Plays a scenario: commands of a text file against an engine, and the trace each leaves.
// The language is described in README.md beside this file.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/random.h"
#include "engine/core/engine.h"
#include "tests/scenarios/replay_store.h"

namespace triggerd::testing {

// Words of one command, and its `name=value` words apart.
struct Command {
  std::string name;
  std::vector<std::string> words;
  std::map<std::string, std::string> settings;

  [[nodiscard]] static Command parse(std::string_view line);
  // Empty when there is none.
  [[nodiscard]] std::string word(std::size_t index) const;
  [[nodiscard]] std::string setting(const std::string& key, const std::string& otherwise) const;
};

// What the words of commands mean.
[[nodiscard]] std::uint64_t number_of(std::string_view text);
[[nodiscard]] base::Duration duration_of(std::string_view text);
// "a,b,c"; `separator` between them.
[[nodiscard]] std::vector<std::string> list_of(const std::string& text, char separator = ',');
// "10/50": ten a minute, fifty at once.
[[nodiscard]] model::DoorRate door_rate_of(const std::string& text);

class Scenario {
 public:
  Scenario();
  ~Scenario();

  // The trace that the command leaves: lines, each ended by '\n'.
  [[nodiscard]] std::string play(const Command& command);

 private:
  using Play = void (Scenario::*)(const Command&);
  static const std::map<std::string, Play, std::less<>>& plays();

  // Commands.
  void options(const Command& command);
  void create_org(const Command& command);
  void delete_org(const Command& command);
  void create_key(const Command& command);
  void delete_key(const Command& command);
  void create_webhook(const Command& command);
  void patch_webhook(const Command& command);
  void delete_webhook(const Command& command);
  void list_webhooks(const Command& command);
  void add_trigger(const Command& command);
  void remove_trigger(const Command& command);
  void list_triggers(const Command& command);
  void try_filter(const Command& command);
  void define_event_type(const Command& command);
  void remove_event_type(const Command& command);
  void list_event_types(const Command& command);
  void rotate_secret(const Command& command);
  void get_secret(const Command& command);
  void rotate_key(const Command& command);
  void list_signing_keys(const Command& command);
  void get_jwks(const Command& command);
  void publish(const Command& command);
  void call_hook(const Command& command);
  void cancel_request(const Command& command);
  void stop_waiting(const Command& command);
  void outcome(const Command& command);
  void answer(const Command& command);
  void advance(const Command& command);
  void hold(const Command& command);
  void commit(const Command& command);
  void crash(const Command& command);
  void state(const Command& command);
  void attempts(const Command& command);

  // What an edge knows of an organization's rules: what has left of their changes.
  struct EdgeRules {
    std::uint64_t version = 0;
    std::vector<model::FilterPath> paths;
    std::set<std::string> with_schema;  // event names
  };
  void note_rules(const model::EffectKind& effect);
  // As an edge makes it: rules, attributes at the paths of filters, claims on rates.
  void prepare(const Command& command, model::PublishEvents& asked) const;

  core::Engine& engine();
  void request(model::Request request);
  // Takes what came of the last input, commits it unless commits are held, lets effects leave.
  void settle();
  void release_effects();
  void check_rebuilt_engine_agrees();

  void print(const std::string& line) { trace_ += line + "\n"; }
  void print(const model::Batch& batch);
  void print(const model::Effect& effect);
  void print(const model::Read& read);
  [[nodiscard]] std::string text_of(const model::Mutation& mutation) const;
  [[nodiscard]] std::string text_of(const model::Reply& reply) const;
  [[nodiscard]] std::string text_of(const model::PendingChunk& chunk) const;
  [[nodiscard]] std::string text_of(const model::ParkedKey& key) const;
  [[nodiscard]] std::string text_of(const model::AttemptRecord& record) const;
  [[nodiscard]] std::string text_of(const model::Webhook& webhook) const;
  [[nodiscard]] std::string text_of(const model::Trigger& trigger) const;
  [[nodiscard]] std::string text_of(const model::SecretRotated& rotated) const;
  [[nodiscard]] std::string text_of(const model::SecretReply& secret) const;
  [[nodiscard]] std::string text_of(const model::SigningKeyView& key) const;
  // Since the scenario began: "+5s".
  [[nodiscard]] std::string text_of(base::WallTime time) const;
  [[nodiscard]] std::string name_of(model::WebhookRef ref) const;
  [[nodiscard]] std::string name_of(const base::Uuid& id) const;
  [[nodiscard]] std::string with_names(std::string text) const;
  base::Uuid id_for(const std::string& name);
  // Named `label`; made as an edge makes it.
  [[nodiscard]] model::SigningSecret secret_for(const std::string& label);
  [[nodiscard]] std::string label_of(std::uint8_t secret_byte) const;

  core::EngineOptions options_;
  std::unique_ptr<base::Random> random_;
  std::unique_ptr<core::Engine> engine_;
  base::Now now_;
  ReplayStore durable_;
  ReplayStore taken_;  // all batches taken, durable or not
  bool holding_ = false;
  std::deque<model::Batch> held_batches_;
  std::deque<model::Effect> held_effects_;
  std::uint64_t durable_batch_ = 0;
  std::uint64_t last_request_ = 0;
  std::map<std::uint64_t, decltype(model::Read::what)> reads_;
  std::map<std::string, base::Uuid> ids_;
  std::map<base::Uuid, std::string> names_;
  std::map<model::OrgId, EdgeRules> rules_;
  std::map<model::WebhookRef, std::string> webhook_names_;
  std::string awaited_webhook_;  // the name for the next webhook that appears
  std::string trace_;
};

}  // namespace triggerd::testing
