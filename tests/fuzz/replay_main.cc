// Runs a fuzz target without libFuzzer: every seed as it is, then mutations of seeds, the same ones
// in every run. A case that aborts is written to ./failed_case; give that file to replay it.
//
// usage: NAME [--mutations N] FILE_OR_FOLDER...
#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "engine/base/random.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

namespace filesystem = std::filesystem;
using triggerd::base::Random;
using triggerd::base::SeededRandom;

constexpr std::size_t kCaseBytesMax = std::size_t{16} * 1024;
constexpr std::uint64_t kMutationsDefault = 20'000;
constexpr std::uint64_t kChangesMax = 6;
constexpr std::uint64_t kPieceBytesMax = 64;

// The case that runs; for the handler alone.
const std::string* running_case = nullptr;

// Calls only what a signal handler may.
extern "C" void keep_failed_case(int signal) {
  const int file = open("failed_case", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const bool kept = running_case != nullptr && file >= 0 &&
                    write(file, running_case->data(), running_case->size()) ==
                        static_cast<ssize_t>(running_case->size());
  const std::string_view message =
      kept ? "the case is kept in ./failed_case\n" : "the case could not be kept\n";
  if (write(STDERR_FILENO, message.data(), message.size()) < 0) _exit(2);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(const std::string& text) {
  running_case = &text;
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  running_case = nullptr;
}

std::size_t place_in(const std::string& text, Random& random) {
  return static_cast<std::size_t>(random.below(text.size() + 1));
}
std::string piece_of(const std::string& text, Random& random) {
  return text.substr(place_in(text, random),
                     static_cast<std::size_t>(random.below(kPieceBytesMax) + 1));
}

// One small change: a bit, a byte, a piece taken out, doubled, moved in from another seed.
void change(std::string& text, const std::string& other, Random& random) {
  const std::size_t at = place_in(text, random);
  switch (random.below(7)) {
    case 0:
      if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << random.below(8)));
      break;
    case 1:
      if (at < text.size()) text[at] = static_cast<char>(random.next());
      break;
    case 2:
      text.insert(at, 1, static_cast<char>(random.next()));
      break;
    case 3:
      text.erase(at, static_cast<std::size_t>(random.below(kPieceBytesMax) + 1));
      break;
    case 4:
      text.insert(at, piece_of(text, random));
      break;
    case 5:
      text.insert(at, piece_of(other, random));
      break;
    default:  // a byte that stands elsewhere in the text: likely one that means something
      if (at < text.size()) text[at] = text[static_cast<std::size_t>(random.below(text.size()))];
      break;
  }
  text.resize(std::min(text.size(), kCaseBytesMax));
}

void run_mutations(const std::vector<std::string>& seeds, std::uint64_t count) {
  SeededRandom random(1);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string text = seeds[static_cast<std::size_t>(random.below(seeds.size()))];
    const std::string& other = seeds[static_cast<std::size_t>(random.below(seeds.size()))];
    const std::uint64_t changes = 1 + random.below(kChangesMax);
    for (std::uint64_t j = 0; j < changes; ++j) change(text, other, random);
    run(text);
  }
}

bool read_seed(const filesystem::path& path, std::vector<std::string>& seeds) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) return false;
  seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  return true;
}

// Folders are read in the order of their names, so that mutations are the same everywhere.
bool read_seeds(const filesystem::path& path, std::vector<std::string>& seeds) {
  std::error_code error;
  if (!filesystem::is_directory(path, error)) return read_seed(path, seeds);
  std::vector<filesystem::path> files;
  for (const auto& entry : filesystem::directory_iterator(path, error)) {
    if (entry.is_regular_file(error)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return std::all_of(files.begin(), files.end(),
                     [&seeds](const filesystem::path& file) { return read_seed(file, seeds); });
}

}  // namespace

int main(int count, char** words) {
  std::uint64_t mutations = kMutationsDefault;
  std::vector<std::string> seeds;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--mutations" && i + 1 < count) {
      const std::string_view number = words[++i];
      if (std::from_chars(number.data(), number.data() + number.size(), mutations).ec !=
          std::errc()) {
        std::fprintf(stderr, "--mutations: a number is expected\n");
        return 2;
      }
    } else if (!read_seeds(word, seeds)) {
      std::fprintf(stderr, "%s: cannot be read\n", words[i]);
      return 2;
    }
  }
  if (seeds.empty()) {
    std::fprintf(stderr, "usage: NAME [--mutations N] FILE_OR_FOLDER...\n");
    return 2;
  }
  std::signal(SIGABRT, keep_failed_case);
  for (const std::string& seed : seeds) run(seed);
  run_mutations(seeds, mutations);
  std::printf("%zu seeds, %llu mutations: ok\n", seeds.size(),
              static_cast<unsigned long long>(mutations));
  return 0;
}
