#include "engine/core/retry_budget.h"

#include <gtest/gtest.h>

namespace triggerd::core {
namespace {

TEST(RetryBudgetTest, FourFirstAttemptsEarnARetryAtTwentyPercent) {
  RetryBudget budget(20);
  EXPECT_FALSE(budget.allows());
  for (int i = 0; i < 3; ++i) budget.attempted_fresh();
  EXPECT_FALSE(budget.allows());
  budget.attempted_fresh();
  EXPECT_TRUE(budget.allows());
  budget.retried();
  EXPECT_FALSE(budget.allows());
}

TEST(RetryBudgetTest, SavesUpNoMoreThanTheBurst) {
  RetryBudget budget(20);
  for (int i = 0; i < 10'000; ++i) budget.attempted_fresh();
  int retries = 0;
  for (; budget.allows(); ++retries) budget.retried();
  EXPECT_EQ(retries, RetryBudget::kBurst);
}

TEST(RetryBudgetTest, ARetryThatWasNotToWaitIsMadeGood) {
  RetryBudget budget(50);
  budget.retried();
  budget.attempted_fresh();
  EXPECT_FALSE(budget.allows());
  budget.attempted_fresh();
  EXPECT_TRUE(budget.allows());
}

TEST(RetryBudgetTest, AWholeShareHoldsNothingBack) {
  RetryBudget budget(100);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(budget.allows());
    budget.retried();
  }
}

}  // namespace
}  // namespace triggerd::core
