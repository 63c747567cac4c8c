#include "dispatcher/classify.h"

#include <gtest/gtest.h>

namespace triggerd::dispatcher {
namespace {

using model::OutcomeClass;

TEST(Classify, TheStatusDecidesAnAnswer) {
  for (const auto& [status, kind] :
       std::vector<std::pair<std::uint16_t, OutcomeClass>>{{200, OutcomeClass::kOk},
                                                           {204, OutcomeClass::kOk},
                                                           {299, OutcomeClass::kOk},
                                                           {300, OutcomeClass::kHttpError},
                                                           {404, OutcomeClass::kHttpError},
                                                           {500, OutcomeClass::kHttpError},
                                                           {599, OutcomeClass::kHttpError}}) {
    TransferEnd end;
    end.http_status = status;
    end.answer_began = true;
    EXPECT_EQ(classify(end).kind, kind) << status;
    EXPECT_EQ(classify(end).http_status, status);
    end.code = CURLE_WRITE_ERROR;
    end.body_cut = true;
    EXPECT_EQ(classify(end).kind, kind) << status << ", cut";
    end.body_cut = false;
    end.code = CURLE_SEND_ERROR;
    EXPECT_EQ(classify(end).kind, kind) << status << ", answered before the body was read";
  }
}

TEST(Classify, AGuardsRefusalIsNeverAConnectFault) {
  TransferEnd end;
  end.code = CURLE_COULDNT_CONNECT;
  end.blocked = true;
  EXPECT_EQ(classify(end).kind, OutcomeClass::kBlocked);
  end.code = CURLE_ABORTED_BY_CALLBACK;
  EXPECT_EQ(classify(end).kind, OutcomeClass::kBlocked);
  EXPECT_EQ(next_step(end), NextStep::kDone);
}

TEST(Classify, NoDescriptorCostsNoAttempt) {
  TransferEnd end;
  end.code = CURLE_COULDNT_CONNECT;
  end.no_descriptor = true;
  EXPECT_EQ(classify(end).kind, OutcomeClass::kBusy);
  EXPECT_EQ(next_step(end), NextStep::kDone);
}

TEST(Classify, AnotherAddressOnlyBeforeAConnection) {
  TransferEnd end;
  end.code = CURLE_COULDNT_CONNECT;
  EXPECT_EQ(next_step(end), NextStep::kNextAddress);
  end.code = CURLE_OPERATION_TIMEDOUT;
  EXPECT_EQ(next_step(end), NextStep::kNextAddress);
  end.connected = true;
  EXPECT_EQ(next_step(end), NextStep::kDone);
}

TEST(Classify, FreshConnectionOnlyForAKeptOneWithoutAByteOfAnswer) {
  TransferEnd end;
  end.connected = true;
  for (const CURLcode code : {CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING}) {
    end.code = code;
    end.reused_connection = false;
    EXPECT_EQ(next_step(end), NextStep::kDone);
    end.reused_connection = true;
    EXPECT_EQ(next_step(end), NextStep::kFreshConnection);
    end.answer_began = true;
    EXPECT_EQ(next_step(end), NextStep::kDone);
    end.answer_began = false;
  }
  end.code = CURLE_OPERATION_TIMEDOUT;
  EXPECT_EQ(next_step(end), NextStep::kDone);
}

TEST(Classify, EveryLookupFaultIsADnsFault) {
  for (const auto result : {Resolution::Result::kNoAddress, Resolution::Result::kTimeout,
                            Resolution::Result::kFailed}) {
    EXPECT_EQ(classify_lookup(result).kind, OutcomeClass::kDns);
    EXPECT_FALSE(classify_lookup(result).detail.empty());
  }
}

}  // namespace
}  // namespace triggerd::dispatcher
