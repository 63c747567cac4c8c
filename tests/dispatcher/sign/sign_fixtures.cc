#include "tests/dispatcher/sign/sign_fixtures.h"

#include <chrono>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "dispatcher/base64url.h"

namespace triggerd::dispatcher {
namespace {

const unsigned char* as_bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

KeyHandle public_key(const std::string& x, const std::string& y) {
  const std::string point = '\x04' + x + y;
  std::string group = "prime256v1";
  std::string octets = point;
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets.data(), octets.size()),
      OSSL_PARAM_construct_end()};
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* key = nullptr;
  EXPECT_EQ(EVP_PKEY_fromdata_init(context), 1);
  EXPECT_EQ(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, const_cast<OSSL_PARAM*>(params)),
            1);
  EVP_PKEY_CTX_free(context);
  return KeyHandle(key);
}

std::string der_of(const std::string& raw) {
  ECDSA_SIG* signature = ECDSA_SIG_new();
  ECDSA_SIG_set0(signature, BN_bin2bn(as_bytes(raw), 32, nullptr),
                 BN_bin2bn(as_bytes(raw) + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(signature, &der);
  std::string text(reinterpret_cast<char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  ECDSA_SIG_free(signature);
  return text;
}

}  // namespace

TokenParts split_token(const std::string& token) {
  const std::size_t first = token.find('.');
  const std::size_t second = token.find('.', first + 1);
  EXPECT_NE(first, std::string::npos);
  EXPECT_NE(second, std::string::npos);
  EXPECT_EQ(token.find('.', second + 1), std::string::npos);
  return {token.substr(0, first), token.substr(first + 1, second - first - 1),
          token.substr(second + 1)};
}

std::string claims_text(const std::string& token) {
  return decode_base64url(split_token(token).payload).value_or("");
}

rapidjson::Document parse_json(const std::string& text) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
  EXPECT_FALSE(document.HasParseError()) << text;
  return document;
}

bool verifies(const std::string& token, const std::string& jwks) {
  const TokenParts parts = split_token(token);
  const rapidjson::Document header = parse_json(decode_base64url(parts.header).value_or(""));
  const rapidjson::Document document = parse_json(jwks);
  const std::string raw = decode_base64url(parts.signature).value_or("");
  if (raw.size() != 64) return false;
  for (const auto& jwk : document["keys"].GetArray()) {
    if (jwk["kid"] != header["kid"]) continue;
    const KeyHandle key = public_key(decode_base64url(jwk["x"].GetString()).value_or(""),
                                     decode_base64url(jwk["y"].GetString()).value_or(""));
    const std::string der = der_of(raw);
    const std::string text = parts.header + '.' + parts.payload;
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key.get());
    const int good =
        EVP_DigestVerify(context, as_bytes(der), der.size(), as_bytes(text), text.size());
    EVP_MD_CTX_free(context);
    return good == 1;
  }
  return false;
}

AttemptParts::AttemptParts() {
  webhook.id = *base::WebhookId::parse(kWebhook);
  webhook.org = *base::OrgId::parse(kOrg);
  webhook.target_url = "https://hooks.example/in";
  event.id = *base::EventId::parse(kEvent);
  event.org = webhook.org;
  event.name = "PersonCreated_v1";
  event.content = R"({"event_metadata":{"event_name":"PersonCreated_v1"}, "n":1.50e1 })";
  attempt.id = model::AttemptId(1);
  attempt.timeout = std::chrono::seconds(10);
}

model::StartAttempt AttemptParts::make() const {
  model::StartAttempt made = attempt;
  made.webhook = std::make_shared<const model::Webhook>(webhook);
  made.event = std::make_shared<const model::Event>(event);
  return made;
}

std::string read_data(const std::string& name) {
  std::ifstream file("tests/data/" + name, std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  std::ostringstream text;
  text << file.rdbuf();
  std::string content = text.str();
  while (!content.empty() && content.back() == '\n') content.pop_back();
  return content;
}

}  // namespace triggerd::dispatcher
