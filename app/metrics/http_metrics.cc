#include "app/metrics/http_metrics.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "api/routes.h"

namespace triggerd::app::metrics {

using api::Method;
using api::Route;

namespace {

constexpr std::string_view kPublishPath = "/organizations/events";

// Why an event was not accepted, in a word; empty for statuses that publishing does not have.
std::string_view reason_of(int status) {
  switch (status) {
    case 400:
    case 415:
      return "invalid";
    case 401:
    case 403:
    case 404:
      return "not_allowed";
    case 408:
      return "timeout";
    case 413:
      return "too_large";
    case 429:
      return "rate_limited";
    case 503:
      return "overloaded";
    default:
      return "";
  }
}

}  // namespace

HttpMetrics::HttpMetrics() : routes_(api::all_routes().size() + 1) {}

void HttpMetrics::answered(const api::AnsweredRequest& request) {
  const std::size_t place =
      request.route == nullptr ? routes_.size() - 1
                               : static_cast<std::size_t>(request.route - api::all_routes().data());
  answered_.add();
  OfRoute& route = routes_[place];
  const auto* const found = std::find(kStatuses.begin(), kStatuses.end() - 1, request.status);
  route.by_status[static_cast<std::size_t>(found - kStatuses.begin())].add();
  route.seconds.observe(std::chrono::duration<double>(request.took).count());
}

void HttpMetrics::observe(const api::ServerCounts& counts) {
  open_.set(static_cast<double>(counts.connections_open));
  accepted_.set(static_cast<double>(counts.connections_accepted));
  refused_.set(static_cast<double>(counts.connections_refused));
  bad_.set(static_cast<double>(counts.requests_refused));
  timeouts_.set(static_cast<double>(counts.timeouts));
}

void HttpMetrics::observe(const api::LiveCounts& counts) {
  live_clients_.set(static_cast<double>(counts.clients));
  live_dropped_.set(static_cast<double>(counts.dropped));
}

void HttpMetrics::append_to(Exposition& page, const std::vector<const HttpMetrics*>& threads) {
  if (threads.empty()) return;
  append_rejected(page, threads);
  append_requests(page, threads);
  append_connections(page, threads);
}

void HttpMetrics::append_rejected(Exposition& page,
                                  const std::vector<const HttpMetrics*>& threads) {
  page.counter("triggerd_events_rejected_total",
               "Publish requests that were refused, by reason; an NDJSON stream refuses by line "
               "and is not counted here.");
  const auto routes = api::all_routes();
  const auto publish = std::find_if(routes.begin(), routes.end(), [](const Route& route) {
    return route.method == Method::kPost && route.path == kPublishPath;
  });
  const auto place = static_cast<std::size_t>(publish - routes.begin());
  for (const std::string_view reason :
       {"invalid", "not_allowed", "timeout", "too_large", "rate_limited", "overloaded"}) {
    std::uint64_t number = 0;
    for (std::size_t status = 0; status < kStatuses.size(); ++status) {
      if (reason_of(kStatuses[status]) != reason) continue;
      for (const HttpMetrics* thread : threads) {
        number += thread->routes_[place].by_status[status].value();
      }
    }
    page.sample(static_cast<double>(number), {{"reason", reason}});
  }
}

void HttpMetrics::append_requests(Exposition& page,
                                  const std::vector<const HttpMetrics*>& threads) {
  const auto routes = api::all_routes();
  const auto labels_of = [&routes](std::size_t place) -> Labels {
    if (place == routes.size()) return {{"route", "none"}, {"method", "other"}};
    return {{"route", routes[place].path}, {"method", api::word_of(routes[place].method)}};
  };
  page.counter("triggerd_http_requests_total", "Requests answered, by route and status.");
  for (std::size_t place = 0; place <= routes.size(); ++place) {
    for (std::size_t status = 0; status < kStatuses.size(); ++status) {
      std::uint64_t number = 0;
      for (const HttpMetrics* thread : threads) {
        number += thread->routes_[place].by_status[status].value();
      }
      if (number == 0) continue;
      Labels labels = labels_of(place);
      const std::string code = kStatuses[status] == 0 ? "other" : std::to_string(kStatuses[status]);
      labels.emplace_back("code", code);
      page.sample(static_cast<double>(number), labels);
    }
  }
  page.histogram("triggerd_http_request_duration_seconds",
                 "From the complete request to its answer, of routes that were asked.");
  for (std::size_t place = 0; place <= routes.size(); ++place) {
    std::vector<const Seconds*> parts;
    bool asked = false;
    for (const HttpMetrics* thread : threads) {
      parts.push_back(&thread->routes_[place].seconds);
      for (const Count& count : thread->routes_[place].by_status) asked |= count.value() > 0;
    }
    if (asked) page.distribution(parts, labels_of(place));
  }
}

void HttpMetrics::append_connections(Exposition& page,
                                     const std::vector<const HttpMetrics*>& threads) {
  const auto sum = [&threads](Level HttpMetrics::*level) {
    double all = 0;
    for (const HttpMetrics* thread : threads) all += (thread->*level).value();
    return all;
  };
  page.one_gauge("triggerd_http_connections", "Open connections of clients.",
                 sum(&HttpMetrics::open_));
  page.one_counter("triggerd_http_connections_accepted_total", "Connections accepted.",
                   sum(&HttpMetrics::accepted_));
  page.one_counter("triggerd_http_connections_refused_total",
                   "Connections refused over a limit of connections.", sum(&HttpMetrics::refused_));
  page.one_counter("triggerd_http_parse_errors_total",
                   "Requests that the HTTP server itself refused: malformed, over a limit.",
                   sum(&HttpMetrics::bad_));
  page.one_counter("triggerd_http_timeouts_total", "Connections ended by a limit of time.",
                   sum(&HttpMetrics::timeouts_));
  page.one_gauge("triggerd_stream_clients", "Open live streams.", sum(&HttpMetrics::live_clients_));
  page.one_counter(
      "triggerd_stream_dropped_total",
      "Outcomes of deliveries that live streams left out, for their clients were slow.",
      sum(&HttpMetrics::live_dropped_));
}

}  // namespace triggerd::app::metrics
