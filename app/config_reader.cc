#include "app/config_reader.h"

#include <cstddef>
#include <utility>

#include "dispatcher/ca_store.h"

namespace triggerd::app {
namespace {

constexpr std::size_t kWaitingMax = 64;

// On the reader's thread.
base::Result<ConfigReader::Good> read_from(const ConfigReader::Source& source) {
  base::Result<Config> config = source();
  if (!config.ok()) return config.error();
  if (const base::Status good = check_config(config.value()); !good.ok()) return good.error();
  base::Result<dispatcher::CaStore> authorities = dispatcher::load_ca_store(config.value().ca_file);
  if (!authorities.ok()) return authorities.error();
  return ConfigReader::Good{std::move(config.value()), std::move(authorities.value())};
}

}  // namespace

ConfigReader::ConfigReader(loop::EventLoop& event_loop, Source source, OnRead on_read)
    : on_read_(std::move(on_read)),
      worker_(
          event_loop, "config",
          [source = std::move(source)](std::vector<model::RequestId> asked_by) {
            return Read{read_from(source), std::move(asked_by)};
          },
          [this](const Read& read) { ended(read); }) {}

void ConfigReader::ask() {
  wanted_ = true;
  begin();
}

base::Status ConfigReader::ask(model::RequestId id) {
  if (waiting_.size() >= kWaitingMax) {
    return base::Error{base::ErrorCode::kOverloaded,
                       "the configuration is being read; try again later"};
  }
  waiting_.push_back(id);
  ask();
  return {};
}

void ConfigReader::begin() {
  if (reading_ || !wanted_) return;
  reading_ = true;
  wanted_ = false;
  worker_.submit(std::exchange(waiting_, {}));
}

void ConfigReader::ended(const Read& read) {
  reading_ = false;
  on_read_(read);
  begin();
}

}  // namespace triggerd::app
