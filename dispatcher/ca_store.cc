#include "dispatcher/ca_store.h"

#include <utility>

#include <curl/curl.h>
#include <openssl/err.h>

#include "engine/base/assert.h"
#include "engine/base/log.h"

namespace triggerd::dispatcher {

base::Result<CaStore> load_ca_store(const std::string& extra_file) {
  CaStore store(X509_STORE_new());
  TRIGGERD_ASSERT(store != nullptr);
  // What ca_file names is trusted as it is, also when it is not self-signed; libcurl does the same.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  const curl_version_info_data* built = curl_version_info(CURLVERSION_NOW);
  const char* bundle = built->cainfo != nullptr ? built->cainfo : X509_get_default_cert_file();
  if (X509_STORE_load_file(store.get(), bundle) != 1) {
    base::LogLine(base::LogLevel::kWarn, "dispatcher",
                  "the system has no CA bundle: https receivers need [targets] ca_file")
        .field("file", bundle);
  }
  if (!extra_file.empty() && X509_STORE_load_file(store.get(), extra_file.c_str()) != 1) {
    ERR_clear_error();
    return base::Error{base::ErrorCode::kInvalid,
                       "targets.ca_file: \"" + extra_file +
                           "\" cannot be read as PEM certificates; name a readable PEM file"};
  }
  ERR_clear_error();
  return store;
}

}  // namespace triggerd::dispatcher
