#include "app/demo/receiver.h"

#include <charconv>
#include <optional>
#include <utility>
#include <variant>

#include <fmt/format.h>

namespace triggerd::app {
namespace {

constexpr std::string_view kPrefix = "/hook/";
constexpr std::size_t kTokenBytesMax = JwsVerifier::kTokenBytesMax;

std::optional<std::size_t> webhook_of(std::string_view path) {
  if (!path.starts_with(kPrefix)) return std::nullopt;
  path.remove_prefix(kPrefix.size());
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), number);
  if (error != std::errc() || end != path.data() + path.size() || number >= 64) return std::nullopt;
  return number;
}

}  // namespace

class DemoReceiver::Handler final : public api::HttpHandler {
 public:
  Handler(DemoTally& tally, const DemoReceiver& receiver) : tally_(tally), receiver_(receiver) {}

  void trust(Trust trust) { trust_.emplace(std::move(trust)); }

  api::HeadDecision on_head(const api::HttpRequest&) override {
    return api::ReadBody{kTokenBytesMax};
  }

  // Never asked for: on_head streams nothing.
  std::unique_ptr<api::BodyReader> on_stream(const api::HttpRequest&, api::SendPiece) override {
    return nullptr;
  }

  // Answered at once: nobody goes before that.
  void on_gone(api::Ticket) override {}

  api::Ticket on_request(api::HttpRequest request, api::Respond respond) override {
    api::HttpResponse response;
    response.status = accept(request) ? 204 : 401;
    respond(std::move(response));
    return {};
  }

 private:
  bool accept(const api::HttpRequest& request) {
    const std::optional<std::size_t> webhook = webhook_of(request.path());
    if (webhook && trust_) {
      const base::Now now = base::read_clocks();
      const base::Result<JwsClaims> claims = trust_->verifier.verify(
          request.body, JwsExpectations{trust_->org, receiver_.url(*webhook), now.wall});
      if (claims.ok()) {
        if (const std::optional<base::EventId> event =
                base::EventId::parse(claims.value().subject)) {
          tally_.called(*event, *webhook, now.mono);
          return true;
        }
      }
    }
    tally_.rejected();
    return false;
  }

  DemoTally& tally_;
  const DemoReceiver& receiver_;
  std::optional<Trust> trust_;
};

base::Result<std::unique_ptr<DemoReceiver>> DemoReceiver::start(DemoTally& tally) {
  std::unique_ptr<DemoReceiver> receiver(new DemoReceiver(tally));
  std::promise<base::Status> listening;
  std::future<base::Status> listened = listening.get_future();
  receiver->thread_ = std::thread([self = receiver.get(), &listening] { self->run(listening); });
  if (base::Status status = listened.get(); !status.ok()) return status.error();
  return receiver;
}

void DemoReceiver::run(std::promise<base::Status>& listening) {
  loop::EventLoop event_loop;
  Handler handler(tally_, *this);
  loop::Mailbox<Message> mailbox(event_loop,
                                 [&handler, &event_loop](std::vector<Message>& messages) {
                                   for (Message& message : messages) {
                                     if (auto* trusted = std::get_if<Trust>(&message)) {
                                       handler.trust(std::move(*trusted));
                                     } else {
                                       event_loop.stop();
                                     }
                                   }
                                 });
  api::ServerOptions options;
  options.limits.connections_per_address = options.limits.connections;
  base::Result<std::unique_ptr<api::Server>> server =
      api::Server::listen(event_loop, options, handler);
  if (!server.ok()) {
    listening.set_value(server.error());
    return;
  }
  port_ = server.value()->port();
  mailbox_ = &mailbox;
  listening.set_value({});
  event_loop.run();
}

DemoReceiver::~DemoReceiver() {
  if (mailbox_ != nullptr) mailbox_->post(Stop{});
  if (thread_.joinable()) thread_.join();
}

std::string DemoReceiver::url(std::size_t webhook) const {
  return fmt::format("http://127.0.0.1:{}{}{}", port_, kPrefix, webhook);
}

void DemoReceiver::trust(JwsVerifier verifier, std::string org) {
  mailbox_->post(Trust{std::move(verifier), std::move(org)});
}

}  // namespace triggerd::app
