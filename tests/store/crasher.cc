// A process that commits until it is stopped: killed, or by the file system. Run by crash_test,
// because a process with RocksDB's threads in it cannot fork a working copy of itself.
//
//   store_crasher commit FOLDER              commits until killed
//   store_crasher file_limit FOLDER BYTES    commits until a file would pass BYTES
//   store_crasher full FOLDER BYTES          the same on a file system of BYTES, mounted over
//   FOLDER
//
// Writes each acknowledged sequence to standard output, as 8 bytes. Exit code 0: the failure was
// reported as it must be. 77: the file system cannot be mounted here. Else: what went wrong is on
// standard error.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "store/rocks_store.h"
#include "tests/store/crash_batch.h"

namespace triggerd::store::testing {
namespace {

constexpr int kSkip = 77;
// Far more than any run reaches.
constexpr std::uint64_t kCommitsMax = 200'000;

int fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  return 1;
}

base::Result<std::unique_ptr<RocksStore>> open(const std::string& path) {
  const SecretBox secrets = crash_secrets();
  return RocksStore::open(crash_options(path, secrets));
}

// With buffers so large that everything stays in one log, which soon meets the limit.
base::Result<std::unique_ptr<RocksStore>> open_without_tables(const std::string& path) {
  const SecretBox secrets = crash_secrets();
  RocksStoreOptions options = crash_options(path, secrets);
  options.event_buffer_bytes = std::size_t{32} << 20;
  return RocksStore::open(options);
}

std::uint64_t next_seq(Store& store) {
  std::uint64_t next = 1;
  const base::Status status = store.scan([&next](const model::Record& record) {
    if (const auto* counters = std::get_if<model::Counters>(&record)) {
      next = std::max(next, counters->next_event.value());
    }
  });
  return status.ok() ? next : 0;
}

// Commits from `next` on. The error that ended it.
base::Error commit_until_failure(Store& store, std::uint64_t next) {
  for (std::uint64_t seq = next; seq < next + kCommitsMax; ++seq) {
    const base::Status status = store.commit(crash_batch(seq));
    if (!status.ok()) return status.error();
    if (::write(STDOUT_FILENO, &seq, sizeof(seq)) != sizeof(seq)) std::_Exit(1);
  }
  return {base::ErrorCode::kInvalid, "no commit failed"};
}

// A failed commit is the last one, whatever the file system does afterwards.
int check_poisoned(Store& store, const base::Error& error, base::ErrorCode expected) {
  if (error.code != expected) return fail("unexpected error: " + error.message);
  const base::Status later = store.commit(crash_batch(kCommitsMax * 2));
  if (later.ok()) return fail("a commit succeeded after a failed one");
  if (later.error().code != base::ErrorCode::kUnavailable) return fail(later.error().message);
  return store.close().ok() ? 0 : fail("close failed");
}

int run_until_killed(const std::string& path) {
  const auto store = open(path);
  if (!store.ok()) return fail(store.error().message);
  const std::uint64_t next = next_seq(*store.value());
  if (next == 0) return fail("scan failed");
  return fail(commit_until_failure(*store.value(), next).message);
}

int run_to_file_limit(const std::string& path, std::uint64_t bytes) {
  const auto store = open_without_tables(path);
  if (!store.ok()) return fail(store.error().message);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  const rlimit limit{bytes, bytes};
  if (::sigaction(SIGXFSZ, &ignore, nullptr) != 0 || ::setrlimit(RLIMIT_FSIZE, &limit) != 0) {
    return kSkip;
  }
  const base::Error error = commit_until_failure(*store.value(), 1);
  return check_poisoned(*store.value(), error, base::ErrorCode::kInternal);
}

int run_to_full_disk(const std::string& path, std::uint64_t bytes) {
  // The mount is seen by this process alone and goes with it.
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("tmpfs", path.c_str(), "tmpfs", 0, ("size=" + std::to_string(bytes)).c_str()) != 0) {
    return kSkip;
  }
  const std::string ballast = path + "/ballast";
  std::ofstream(ballast) << std::string(bytes / 4, 'b');
  const std::string folder = path + "/store";
  std::uint64_t acknowledged = 0;
  {
    const auto store = open(folder);
    if (!store.ok()) return fail(store.error().message);
    for (; acknowledged < kCommitsMax; ++acknowledged) {
      const base::Status status = store.value()->commit(crash_batch(acknowledged + 1));
      if (status.ok()) continue;
      const int poisoned =
          check_poisoned(*store.value(), status.error(), base::ErrorCode::kUnavailable);
      if (poisoned != 0) return poisoned;
      break;
    }
  }
  // Space is back: everything acknowledged is there, and commits go on.
  std::filesystem::remove(ballast);
  const auto store = open(folder);
  if (!store.ok()) return fail("reopen: " + store.error().message);
  for (std::uint64_t seq = 1; seq <= acknowledged; ++seq) {
    if (!crash_batch_is_whole(*store.value(), seq)) return fail("lost " + std::to_string(seq));
  }
  const std::uint64_t next = next_seq(*store.value());
  if (next <= acknowledged) return fail("the next sequence ran back");
  if (!store.value()->commit(crash_batch(next)).ok()) return fail("no commit with space back");
  return acknowledged > 0 ? 0 : fail("the disk was full from the start");
}

int run(int argc, char** argv) {
  const std::string mode = argc > 2 ? argv[1] : "";
  const std::uint64_t bytes = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 0;
  if (mode == "commit") return run_until_killed(argv[2]);
  if (mode == "file_limit") return run_to_file_limit(argv[2], bytes);
  if (mode == "full") return run_to_full_disk(argv[2], bytes);
  return fail("usage: store_crasher commit|file_limit|full FOLDER [BYTES]");
}

}  // namespace
}  // namespace triggerd::store::testing

int main(int argc, char** argv) {
  return triggerd::store::testing::run(argc, argv);
}
