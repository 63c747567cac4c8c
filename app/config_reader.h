// Reads the configuration again, on a thread of its own: its files may lie on a slow disk, and the
// system's certificates alone take 20 ms.
//
// Thread: that of its loop. The destructor waits for the reading under way.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <openssl/x509.h>

#include "app/config.h"
#include "engine/base/status.h"
#include "engine/loop/event_loop.h"
#include "engine/loop/worker.h"
#include "engine/model/output.h"

namespace triggerd::app {

class ConfigReader {
 public:
  // Called on the reader's thread.
  using Source = std::function<base::Result<Config>()>;
  struct Good {
    Config config;                            // check_config() has nothing to say of it
    std::shared_ptr<X509_STORE> authorities;  // the system's, and those of its CA file
  };
  struct Read {
    base::Result<Good> good;
    std::vector<model::RequestId> asked_by;
  };
  using OnRead = std::function<void(const Read&)>;

  ConfigReader(loop::EventLoop& event_loop, Source source, OnRead on_read);
  ConfigReader(const ConfigReader&) = delete;
  ConfigReader& operator=(const ConfigReader&) = delete;

  // Whatever is asked for during a reading is answered by the next one, which may see a newer file.
  void ask();
  // kOverloaded: too many wait for the next one.
  [[nodiscard]] base::Status ask(model::RequestId id);

 private:
  void begin();
  void ended(const Read& read);

  OnRead on_read_;
  bool reading_ = false;
  bool wanted_ = false;                    // the next one
  std::vector<model::RequestId> waiting_;  // for it
  loop::Worker<std::vector<model::RequestId>, Read> worker_;
};

}  // namespace triggerd::app
