// What the transport costs at least with libcurl: a bare multi loop with everything tuned that the
// engine may tune (kept handles, parsed URL, one header entry, no lookups), POSTs of a delivery's
// size, and nothing else: no signature, no deadlines of its own, no bookkeeping.
// curl_yardstick SECONDS IN_FLIGHT PORT… prints {"cpu_us":…}: CPU per request.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <curl/curl.h>
#include <fmt/format.h>

#include "bench/load/wire.h"

namespace {

constexpr std::size_t kBodyBytes = 1900;  // the token of an event of 1 KiB

std::size_t swallow(char*, std::size_t size, std::size_t count, void*) {
  return size * count;
}

// One list entry with everything in it: libcurl copies headers entry by entry.
curl_slist* headers() {
  return curl_slist_append(nullptr,
                           "Content-Type: application/jwt\r\nUser-Agent: yardstick\r\n"
                           "webhook-id: yardstick-000000-0000-0000-000000000\r\n"
                           "webhook-timestamp: 1700000000");
}

CURL* new_handle(const std::string& body, curl_slist* fields, CURLU* url) {
  CURL* const handle = curl_easy_init();
  curl_easy_setopt(handle, CURLOPT_CURLU, url);
  curl_easy_setopt(handle, CURLOPT_POST, 1L);
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, fields);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, swallow);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(handle, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  return handle;
}

// Takes what is done out of the multi and puts it back in until `restarting` is false.
// Gives how many were done.
std::uint64_t turn(CURLM* multi, bool restarting) {
  std::uint64_t done = 0;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    if (message->data.result != CURLE_OK) {
      std::fputs(curl_easy_strerror(message->data.result), stderr);
      std::exit(1);
    }
    CURL* const handle = message->easy_handle;
    curl_multi_remove_handle(multi, handle);
    if (restarting) curl_multi_add_handle(multi, handle);
    ++done;
  }
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: curl_yardstick SECONDS IN_FLIGHT PORT...\n", stderr);
    return 2;
  }
  const double seconds = std::strtod(argv[1], nullptr);
  const std::size_t in_flight = std::strtoul(argv[2], nullptr, 10);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM* const multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(in_flight * 2));
  const std::string body(kBodyBytes, 'x');
  curl_slist* const fields = headers();

  std::vector<CURLU*> urls;
  for (int i = 3; i < argc; ++i) {
    urls.push_back(curl_url());
    const std::string url = fmt::format("http://127.0.0.1:{}/hook", argv[i]);
    curl_url_set(urls.back(), CURLUPART_URL, url.c_str(), 0);
  }
  std::vector<CURL*> handles;
  for (std::size_t i = 0; i < in_flight; ++i) {
    handles.push_back(new_handle(body, fields, urls[i % urls.size()]));
    curl_multi_add_handle(multi, handles.back());
  }

  std::uint64_t done = 0;
  const std::int64_t begin = triggerd::load::now_ns();
  const auto end = begin + static_cast<std::int64_t>(seconds * 1e9);
  const double cpu_before = triggerd::load::cpu_us();
  for (int running = 1; running > 0;) {
    curl_multi_perform(multi, &running);
    const bool restarting = triggerd::load::now_ns() < end;
    done += turn(multi, restarting);
    if (restarting) running = 1;
    if (running > 0) curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
  }
  const double cpu = triggerd::load::cpu_us() - cpu_before;
  const double passed = static_cast<double>(triggerd::load::now_ns() - begin) / 1e9;
  fmt::print("{{\"cpu_us\":{:.2f},\"per_second\":{:.0f},\"count\":{}}}\n",
             cpu / static_cast<double>(done), static_cast<double>(done) / passed, done);

  for (CURL* handle : handles) curl_easy_cleanup(handle);
  for (CURLU* url : urls) curl_url_cleanup(url);
  curl_slist_free_all(fields);
  curl_multi_cleanup(multi);
  return 0;
}
