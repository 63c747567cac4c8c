// triggerd version: what this binary is and what it is built from.

#include <cstdio>

#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <uv.h>
#include <CLI/CLI.hpp>

#include "app/cli/commands.h"

namespace triggerd::app {

void add_version(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("version", "Print the version and those of the libraries");
  command->callback([&run] {
    run = [] {
      std::fputs(fmt::format("triggerd {}\nlibuv {}\nlibcurl {}\n{}\n", TRIGGERD_VERSION,
                             uv_version_string(), curl_version_info(CURLVERSION_NOW)->version,
                             OpenSSL_version(OPENSSL_VERSION))
                     .c_str(),
                 stdout);
      return kExitDone;
    };
  });
}

}  // namespace triggerd::app
