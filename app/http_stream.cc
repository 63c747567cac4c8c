#include "app/http_stream.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

#include <curl/curl.h>

#include "engine/base/assert.h"

namespace triggerd::app {
namespace {

constexpr std::size_t kHeldBytesMax = std::size_t{1} << 20;
constexpr long kConnectSeconds = 10;
constexpr long kSilenceSeconds = 60;

}  // namespace

struct HttpStream::Transfer {
  CURLM* multi = curl_multi_init();
  CURL* easy = curl_easy_init();
  curl_slist* fields = nullptr;
  std::string held;
  bool paused = false;
  bool over = false;
  std::string error;

  static std::size_t keep(char* data, std::size_t size, std::size_t count, void* self) {
    auto* transfer = static_cast<Transfer*>(self);
    if (transfer->held.size() >= kHeldBytesMax) {
      transfer->paused = true;
      return CURL_WRITEFUNC_PAUSE;
    }
    transfer->held.append(data, size * count);
    return size * count;
  }
};

HttpStream::HttpStream(const std::string& url, const std::vector<std::string>& fields)
    : transfer_(std::make_unique<Transfer>()) {
  Transfer& transfer = *transfer_;
  TRIGGERD_ASSERT(transfer.multi != nullptr && transfer.easy != nullptr);
  for (const std::string& field : fields) {
    transfer.fields = curl_slist_append(transfer.fields, field.c_str());
  }
  CURL* const easy = transfer.easy;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.fields);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, kSilenceSeconds);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::keep);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_multi_add_handle(transfer.multi, easy);
}

HttpStream::~HttpStream() {
  curl_multi_remove_handle(transfer_->multi, transfer_->easy);
  curl_easy_cleanup(transfer_->easy);
  curl_multi_cleanup(transfer_->multi);
  curl_slist_free_all(transfer_->fields);
}

bool HttpStream::wait(base::Duration most) {
  Transfer& transfer = *transfer_;
  if (transfer.over) return false;
  if (transfer.paused && transfer.held.empty()) {
    transfer.paused = false;
    curl_easy_pause(transfer.easy, CURLPAUSE_CONT);
  }
  int running = 0;
  curl_multi_perform(transfer.multi, &running);
  if (running > 0 && transfer.held.empty()) {
    const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(most);
    curl_multi_poll(transfer.multi, nullptr, 0, static_cast<int>(wait.count()), nullptr);
    curl_multi_perform(transfer.multi, &running);
  }
  if (running > 0) return true;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(transfer.multi, &left)) {
    if (message->msg == CURLMSG_DONE && message->data.result != CURLE_OK) {
      transfer.error = curl_easy_strerror(message->data.result);
    }
  }
  transfer.over = true;
  return false;
}

int HttpStream::status() const {
  long status = 0;
  curl_easy_getinfo(transfer_->easy, CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

std::string HttpStream::take() {
  return std::exchange(transfer_->held, {});
}

const std::string& HttpStream::error() const {
  return transfer_->error;
}

}  // namespace triggerd::app
