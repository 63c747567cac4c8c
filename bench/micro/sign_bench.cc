// What a delivery's token costs, next to the parts that nobody can save, in the same run.
//
//   request        RequestBuilder::build: claims, token and headers of one delivery, 1 KiB content
//   request_of     the same in another format, signed by Standard Webhooks: hmac, ed25519, both;
//                  _rotating: by two secrets
//   token          Signer::sign alone, over claims of 1.5 KiB
//   bare_es256     EVP_PKEY_sign of a 32-byte digest, kept context: the floor
//   sha256         of 1.5 KiB, kept context
//   base64url      ours (EVP_EncodeBlock and its translation), 1.5 KiB into a kept string
//   base64_evp     EVP_EncodeBlock alone: the floor of the above
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "dispatcher/base64url.h"
#include "dispatcher/key_ring.h"
#include "dispatcher/request_builder.h"
#include "dispatcher/signer.h"
#include "engine/base/random.h"
#include "engine/model/output.h"

namespace {

using triggerd::base::SeededRandom;
using triggerd::base::WallTime;
using triggerd::dispatcher::KeyRing;
using triggerd::dispatcher::PrivateKey;

constexpr std::size_t kContentBytes = 1024;
constexpr std::size_t kClaimsBytes = 1536;
constexpr WallTime kNow{std::chrono::seconds(1'709'431'920)};

std::shared_ptr<const KeyRing> new_ring() {
  std::vector<triggerd::dispatcher::RingKey> keys;
  keys.push_back({std::move(PrivateKey::generate().value()), {}});
  return std::make_shared<const KeyRing>(std::move(KeyRing::create(std::move(keys)).value()));
}

triggerd::model::StartAttempt attempt() {
  triggerd::model::Webhook webhook;
  webhook.target_url = "https://hooks.example/slashid/webhook";
  webhook.custom_headers = {{"Authorization", {"Bearer 0123456789abcdef"}}};
  triggerd::model::Event event;
  event.name = "AuthenticationSucceeded_v1";
  event.content = R"({"text":")" + std::string(kContentBytes - 11, 'x') + R"("})";
  triggerd::model::StartAttempt made;
  made.webhook = std::make_shared<const triggerd::model::Webhook>(std::move(webhook));
  made.event = std::make_shared<const triggerd::model::Event>(std::move(event));
  made.timeout = std::chrono::seconds(10);
  return made;
}

void request(benchmark::State& state) {
  SeededRandom random(1);
  triggerd::dispatcher::RequestBuilder builder("https://events.example", new_ring(), random);
  const triggerd::model::StartAttempt made = attempt();
  for (auto iteration : state) {
    benchmark::DoNotOptimize(builder.build(made, {}, kNow));
  }
}
BENCHMARK(request);

// What a webhook costs in each format with each kind of signature, next to `request`.
void request_of(benchmark::State& state, triggerd::model::DeliveryFormat format,
                std::uint8_t signatures, std::size_t secrets) {
  SeededRandom random(1);
  triggerd::dispatcher::RequestBuilder builder("https://events.example", new_ring(), random);
  triggerd::model::StartAttempt made = attempt();
  triggerd::model::Webhook webhook = *made.webhook;
  webhook.delivery.format = format;
  webhook.delivery.signatures = signatures;
  webhook.secrets.resize(secrets);
  for (auto& secret : webhook.secrets) secret.ed25519_seed[0] = 1;
  made.webhook = std::make_shared<const triggerd::model::Webhook>(std::move(webhook));
  for (auto iteration : state) {
    benchmark::DoNotOptimize(builder.build(made, {}, kNow));
  }
}
using Format = triggerd::model::DeliveryFormat;
constexpr std::uint8_t kHmac = triggerd::model::kSignatureHmac;
constexpr std::uint8_t kEd25519 = triggerd::model::kSignatureEd25519;
constexpr std::uint8_t kBoth = triggerd::model::kSignaturesAll;
BENCHMARK_CAPTURE(request_of, json_unsigned, Format::kJson, std::uint8_t{0}, 0);
BENCHMARK_CAPTURE(request_of, json_hmac, Format::kJson, kHmac, 1);
BENCHMARK_CAPTURE(request_of, json_hmac_rotating, Format::kJson, kHmac, 2);
BENCHMARK_CAPTURE(request_of, json_ed25519, Format::kJson, kEd25519, 1);
BENCHMARK_CAPTURE(request_of, json_both, Format::kJson, kBoth, 1);
BENCHMARK_CAPTURE(request_of, cloudevents_hmac, Format::kCloudEvents, kHmac, 1);
BENCHMARK_CAPTURE(request_of, cloudevents_binary_hmac, Format::kCloudEventsBinary, kHmac, 1);
BENCHMARK_CAPTURE(request_of, jwt_hmac, Format::kJwt, kHmac, 1);

void token(benchmark::State& state) {
  triggerd::dispatcher::Signer signer(new_ring());
  const std::string claims(kClaimsBytes, 'x');
  for (auto iteration : state) benchmark::DoNotOptimize(signer.sign(claims, kNow));
}
BENCHMARK(token);

void bare_es256(benchmark::State& state) {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr);
  EVP_PKEY_sign_init(context);
  const std::array<unsigned char, 32> digest{1, 2, 3};
  std::array<unsigned char, 72> signature{};
  for (auto iteration : state) {
    std::size_t length = signature.size();
    EVP_PKEY_sign(context, signature.data(), &length, digest.data(), digest.size());
    benchmark::DoNotOptimize(signature);
  }
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(key);
}
BENCHMARK(bare_es256);

void sha256(benchmark::State& state) {
  EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  const std::string text(kClaimsBytes, 'x');
  std::array<unsigned char, 32> digest{};
  for (auto iteration : state) {
    EVP_DigestInit_ex(context, algorithm, nullptr);
    EVP_DigestUpdate(context, text.data(), text.size());
    EVP_DigestFinal_ex(context, digest.data(), nullptr);
    benchmark::DoNotOptimize(digest);
  }
  EVP_MD_CTX_free(context);
  EVP_MD_free(algorithm);
}
BENCHMARK(sha256);

void base64url(benchmark::State& state) {
  const std::string text(kClaimsBytes, '\xfb');
  std::string out;
  for (auto iteration : state) {
    out.clear();
    triggerd::dispatcher::append_base64url(out, text);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(base64url);

void base64_evp(benchmark::State& state) {
  const std::string text(kClaimsBytes, '\xfb');
  std::vector<unsigned char> out(kClaimsBytes * 2);
  for (auto iteration : state) {
    EVP_EncodeBlock(out.data(), reinterpret_cast<const unsigned char*>(text.data()),
                    static_cast<int>(text.size()));
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(base64_evp);

}  // namespace
