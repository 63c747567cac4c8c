#include "app/http_client.h"

#include <utility>

#include <curl/curl.h>
#include <fmt/format.h>

#include "engine/base/assert.h"

namespace triggerd::app {
namespace {

constexpr std::size_t kAnswerBytesMax = std::size_t{64} << 20;
constexpr long kTimeoutSeconds = 60;

std::size_t keep(char* data, std::size_t size, std::size_t count, void* body) {
  auto* text = static_cast<std::string*>(body);
  if (text->size() + size * count > kAnswerBytesMax) return 0;
  text->append(data, size * count);
  return size * count;
}

}  // namespace

struct HttpClient::Handles {
  CURL* easy = curl_easy_init();
  std::vector<std::string> headers;  // "Name: value"
  std::function<bool()> give_up;

  static int asked(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    const auto* handles = static_cast<Handles*>(self);
    return handles->give_up && handles->give_up() ? 1 : 0;
  }
};

HttpClient::HttpClient() : handles_(std::make_unique<Handles>()) {
  TRIGGERD_ASSERT(handles_->easy != nullptr);
  handles_->headers.emplace_back("Expect:");
}

HttpClient::~HttpClient() {
  curl_easy_cleanup(handles_->easy);
}

void HttpClient::set_header(const std::string& name, const std::string& value) {
  handles_->headers.push_back(name + ": " + value);
}

void HttpClient::set_give_up(std::function<bool()> give_up) {
  handles_->give_up = std::move(give_up);
  curl_easy_setopt(handles_->easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handles_->easy, CURLOPT_XFERINFOFUNCTION, &Handles::asked);
  curl_easy_setopt(handles_->easy, CURLOPT_XFERINFODATA, handles_.get());
}

base::Result<HttpAnswer> HttpClient::send(const std::string& method, const std::string& url,
                                          const std::string& body,
                                          const std::vector<std::string>& fields) {
  CURL* easy = handles_->easy;
  HttpAnswer answer;
  curl_slist* headers = nullptr;
  for (const std::string& field : handles_->headers) {
    headers = curl_slist_append(headers, field.c_str());
  }
  for (const std::string& field : fields) headers = curl_slist_append(headers, field.c_str());
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, kTimeoutSeconds);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer.body);
  if (method == "GET" || method == "DELETE") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, nullptr);
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
  } else {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
  }
  const CURLcode code = curl_easy_perform(easy);
  curl_slist_free_all(headers);
  if (code != CURLE_OK) {
    return base::Error{base::ErrorCode::kUnavailable,
                       fmt::format("{}: {}", url, curl_easy_strerror(code))};
  }
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

}  // namespace triggerd::app
