#include "app/outlet_router.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace triggerd::app {
namespace {

constexpr unsigned kLoops = 3;

class OutletRouterTest : public testing::Test {
 protected:
  OutletRouterTest() {
    std::vector<OutletRouter::HandOver> loops;
    for (unsigned i = 0; i < kLoops; ++i) {
      loops.emplace_back([this, i](std::vector<IoMessage>& messages) {
        for (IoMessage& message : messages) {
          in_order_.push_back({i, std::holds_alternative<model::EdgeChange>(message) ||
                                      std::holds_alternative<UseKeyRing>(message)});
          received_[i].push_back(std::move(message));
        }
        messages.clear();
      });
    }
    router_.set_loops(std::move(loops));
  }

  void end_turn() { router_.turn_ended(); }
  // The loop that is told to call this destination; more than one is a failure.
  unsigned owner_of(std::uint32_t destination) {
    for (std::vector<IoMessage>& messages : received_) messages.clear();
    model::StartAttempt attempt;
    attempt.destination = destination;
    router_.start(attempt);
    end_turn();
    std::vector<unsigned> owners;
    for (unsigned i = 0; i < kLoops; ++i) {
      if (!received_[i].empty()) owners.push_back(i);
    }
    EXPECT_EQ(owners.size(), 1U) << destination;
    return owners.empty() ? kLoops : owners[0];
  }

  struct HandedOver {
    unsigned loop = 0;
    bool is_change = false;
  };
  std::vector<HandedOver> in_order_;  // to any loop
  std::vector<std::vector<IoMessage>> received_{kLoops};
  std::vector<std::string> failures_;
  std::vector<model::RequestId> own_replies_;
  metrics::EngineMetrics metrics_;
  OutletRouter router_{
      [this](const base::Error& error) { failures_.push_back(error.message); },
      [this](model::RequestId id, const model::Reply&) { own_replies_.push_back(id); },
      [this](const std::vector<model::SigningKey>& keys) { signing_keys_ = keys.size(); },
      metrics_};
  std::size_t signing_keys_ = 0;
};

TEST_F(OutletRouterTest, AReplyGoesToTheLoopThatWaitsAtTheEndOfTheTurn) {
  router_.reply(request_id(2, 7), model::Done{});
  EXPECT_TRUE(received_[2].empty());
  end_turn();
  ASSERT_EQ(received_[2].size(), 1U);
  EXPECT_EQ(std::get<model::SendReply>(received_[2][0]).request, request_id(2, 7));
  EXPECT_TRUE(received_[0].empty() && received_[1].empty());
}

TEST_F(OutletRouterTest, AnOwnReplyLeavesNoLoop) {
  router_.reply(request_id(kOwnThread, 7), model::Done{});
  end_turn();
  EXPECT_THAT(own_replies_, testing::ElementsAre(request_id(kOwnThread, 7)));
  for (const std::vector<IoMessage>& messages : received_) EXPECT_TRUE(messages.empty());
}

TEST_F(OutletRouterTest, OneDestinationIsOneLoop) {
  const unsigned owner = owner_of(7);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(owner_of(7), owner);
}

TEST_F(OutletRouterTest, DestinationsAreSharedOutEvenly) {
  std::map<unsigned, int> destinations_of;
  for (std::uint32_t destination = 0; destination < 5 * kLoops; ++destination) {
    ++destinations_of[owner_of(destination)];
  }
  EXPECT_EQ(destinations_of.size(), kLoops);
  for (const auto& [loop, destinations] : destinations_of) EXPECT_EQ(destinations, 5) << loop;
}

TEST_F(OutletRouterTest, KeysAndCancellationsGoToAllLoopsInOrder) {
  model::ApiKey key;
  key.name = "ci";
  router_.tell_edges(model::ApiKeyAdded{key});
  router_.tell_edges(model::ApiKeyRemoved{key.digest});
  router_.cancel(model::AttemptId(5));
  end_turn();
  for (const std::vector<IoMessage>& messages : received_) {
    ASSERT_EQ(messages.size(), 3U);
    const auto& added = std::get<model::EdgeChange>(messages[0]);
    EXPECT_EQ(std::get<model::ApiKeyAdded>(added).key.name, "ci");
    const auto& removed = std::get<model::EdgeChange>(messages[1]);
    EXPECT_TRUE(std::holds_alternative<model::ApiKeyRemoved>(removed));
    EXPECT_EQ(std::get<model::CancelAttempt>(messages[2]).id, model::AttemptId(5));
  }
}

// Otherwise a client that was given a key could be refused with it by a loop that comes later.
TEST_F(OutletRouterTest, EveryLoopHasAChangeBeforeAnyLoopHasAReply) {
  router_.tell_edges(model::ApiKeyAdded{});
  router_.reply(request_id(0, 1), model::Done{});
  router_.start(model::StartAttempt{});
  router_.tell_edges(model::ApiKeyAdded{});
  router_.send_to_all_first(UseKeyRing{});
  router_.reply(request_id(2, 1), model::Done{});
  end_turn();
  const std::size_t changes = std::size_t{3} * kLoops;
  ASSERT_EQ(in_order_.size(), changes + 3);
  for (std::size_t i = 0; i < in_order_.size(); ++i) {
    EXPECT_EQ(in_order_[i].is_change, i < changes) << i;
  }
}

TEST_F(OutletRouterTest, AChangeIsToldOnce) {
  router_.tell_edges(model::ApiKeyAdded{});
  end_turn();
  end_turn();
  for (const std::vector<IoMessage>& messages : received_) EXPECT_EQ(messages.size(), 1U);
}

TEST_F(OutletRouterTest, SigningKeysAreForTheServerToOpen) {
  router_.signing_keys_changed(std::vector<model::SigningKey>(2));
  EXPECT_EQ(signing_keys_, 2U);
}

TEST_F(OutletRouterTest, AFailureIsPassedOn) {
  router_.store_failed({base::ErrorCode::kInternal, "disk"});
  EXPECT_THAT(failures_, testing::ElementsAre("disk"));
}

}  // namespace
}  // namespace triggerd::app
