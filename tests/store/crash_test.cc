// What was acknowledged is there after kill -9, a failed write and a full disk.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/random.h"
#include "store/rocks_store.h"
#include "tests/store/crash_batch.h"
#include "tests/store/scratch_folder.h"

namespace triggerd::store::testing {
namespace {

// A running store_crasher; killed and waited for at the latest when destroyed.
class Crasher {
 public:
  explicit Crasher(const std::vector<std::string>& arguments) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::vector<std::string> words = {TRIGGERD_CRASHER};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const int error = ::posix_spawn(&process_, argv[0], &actions, nullptr, argv.data(), environ);
    EXPECT_EQ(error, 0);
    if (error != 0) process_ = -1;
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    acknowledgements_ = ends[0];
  }
  ~Crasher() {
    if (process_ > 0) kill();
    ::close(acknowledgements_);
  }
  Crasher(const Crasher&) = delete;
  Crasher& operator=(const Crasher&) = delete;

  // The next acknowledged sequence; 0 when the process is gone.
  std::uint64_t next_acknowledged() {
    std::uint64_t seq = 0;
    std::size_t done = 0;
    while (done < sizeof(seq)) {
      const ssize_t got =
          ::read(acknowledgements_, reinterpret_cast<char*>(&seq) + done, sizeof(seq) - done);
      if (got <= 0) return 0;
      done += static_cast<std::size_t>(got);
    }
    return seq;
  }
  void kill() {
    ::kill(process_, SIGKILL);
    wait();
  }
  int wait() {
    int status = -1;
    EXPECT_EQ(::waitpid(process_, &status, 0), process_);
    process_ = -1;
    return status;
  }

 private:
  pid_t process_ = -1;
  int acknowledgements_ = -1;
};

class CrashTest : public ::testing::Test {
 protected:
  // Everything up to `acknowledged` is whole, and what lies beyond is whole or absent, without
  // gaps. The sequence of the last one found.
  std::uint64_t check(std::uint64_t acknowledged, std::uint64_t beyond_max) {
    const SecretBox secrets = crash_secrets();
    const auto opened = RocksStore::open(crash_options(folder_.file("store"), secrets));
    if (!opened.ok()) {
      ADD_FAILURE() << opened.error().message;
      return acknowledged;
    }
    Store& store = *opened.value();
    for (std::uint64_t seq = 1; seq <= acknowledged; ++seq) {
      EXPECT_TRUE(crash_batch_is_whole(store, seq)) << seq << " of " << acknowledged;
    }
    std::uint64_t last = acknowledged;
    while (last < acknowledged + beyond_max && crash_batch_is_whole(store, last + 1)) ++last;
    EXPECT_TRUE(crash_batch_is_absent(store, last + 1)) << last + 1;
    std::uint64_t next = 0;
    EXPECT_TRUE(store
                    .scan([&next](const model::Record& record) {
                      if (const auto* counters = std::get_if<model::Counters>(&record)) {
                        next = counters->next_event.value();
                      }
                    })
                    .ok());
    EXPECT_EQ(next, last + 1);
    return last;
  }

  ScratchFolder folder_;
};

TEST_F(CrashTest, AcknowledgedCommitsSurviveKills) {
  constexpr int kills = 8;
  base::SeededRandom random(20'260'101);
  std::uint64_t acknowledged = 0;
  for (int round = 0; round < kills; ++round) {
    Crasher crasher({"commit", folder_.file("store")});
    const std::uint64_t commits = 1 + random.below(120);
    for (std::uint64_t i = 0; i < commits; ++i) {
      const std::uint64_t seq = crasher.next_acknowledged();
      ASSERT_EQ(seq, acknowledged + 1) << "round " << round;
      acknowledged = seq;
    }
    crasher.kill();
    // It went on while the kill was under way.
    for (std::uint64_t seq = crasher.next_acknowledged(); seq != 0;
         seq = crasher.next_acknowledged()) {
      acknowledged = seq;
    }
    const std::uint64_t last = check(acknowledged, 1);
    EXPECT_LE(last, acknowledged + 1) << "one commit at most was under way";
    acknowledged = last;
  }
}

TEST_F(CrashTest, FailedWritePoisonsTheStoreAndLosesNothing) {
  Crasher crasher({"file_limit", folder_.file("store"), "300000"});
  std::uint64_t acknowledged = 0;
  for (std::uint64_t seq = crasher.next_acknowledged(); seq != 0;
       seq = crasher.next_acknowledged()) {
    acknowledged = seq;
  }
  const int status = crasher.wait();
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "file sizes cannot be limited here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_GT(acknowledged, 10U);
  check(acknowledged, 1);
}

TEST_F(CrashTest, FullDiskIsUnavailableAndLosesNothing) {
  const std::string mounted = folder_.file("full");
  std::filesystem::create_directory(mounted);
  Crasher crasher({"full", mounted, "4000000"});
  const int status = crasher.wait();
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no file system can be mounted here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace triggerd::store::testing
