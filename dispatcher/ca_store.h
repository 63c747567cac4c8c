// The certificate authorities that receivers are checked against, loaded once and shared by every
// connection. Left to libcurl, the bundle is parsed anew for each one: 20 ms of a blocked loop.
#pragma once

#include <memory>
#include <string>

#include <openssl/x509.h>

#include "engine/base/status.h"

namespace triggerd::dispatcher {

struct FreeStore {
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
};
using CaStore = std::unique_ptr<X509_STORE, FreeStore>;

// The system's bundle, and the PEM file `extra_file` when it is not empty. Fails when that file
// cannot be read; a system without a bundle is logged, since plain http may be all that is wanted.
[[nodiscard]] base::Result<CaStore> load_ca_store(const std::string& extra_file);

}  // namespace triggerd::dispatcher
