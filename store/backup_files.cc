#include "store/backup_files.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <system_error>
#include <utility>

#include "engine/base/assert.h"

namespace triggerd::store {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr std::size_t kDigestDigits = 64;
// Of RocksDB's files there are thousands at most.
constexpr std::uintmax_t kSumsBytesMax = std::uintmax_t{64} << 20;

Error system_error(const std::string& what, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return {full ? ErrorCode::kUnavailable : ErrorCode::kInternal,
          what + ": " + std::generic_category().message(error)};
}

Error corrupt(const std::string& folder, const std::string& file, const std::string& fault) {
  return {ErrorCode::kCorrupt, "backup " + folder + ": " + file + " " + fault};
}

// A descriptor that closes itself.
class File {
 public:
  File(const std::string& path, int flags, mode_t mode = 0)
      : descriptor_(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    TRIGGERD_ASSERT(context_ != nullptr &&
                    EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  void add(std::string_view bytes) {
    TRIGGERD_ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  [[nodiscard]] std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    TRIGGERD_ASSERT(EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1);
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
      text += digits[digest[i] >> 4U];
      text += digits[digest[i] & 15U];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

Status write_all(const File& file, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file.descriptor(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("cannot write " + path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Status sync_file(const File& file, const std::string& path) {
  if (::fsync(file.descriptor()) != 0) return system_error("cannot sync " + path, errno);
  return {};
}

// Reads a file to its end, piece by piece.
template <class Take>
Status read_file(const std::string& path, FileProgress& progress, const Take& take) {
  const File file(path, O_RDONLY);
  if (!file.is_open()) return system_error("cannot open " + path, errno);
  std::string piece(kPieceBytes, '\0');
  for (;;) {
    if (progress.cancelled) return Error{ErrorCode::kInvalid, "given up: " + path};
    const ssize_t count = ::read(file.descriptor(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("cannot read " + path, errno);
    if (count == 0) return {};
    const std::string_view bytes(piece.data(), static_cast<std::size_t>(count));
    if (Status taken = take(bytes); !taken.ok()) return taken;
    progress.bytes_done += bytes.size();
  }
}

Result<std::string> digest_of(const std::string& path, FileProgress& progress) {
  Sha256 digest;
  Status read = read_file(path, progress, [&digest](std::string_view bytes) -> Status {
    digest.add(bytes);
    return {};
  });
  if (!read.ok()) return read.error();
  return digest.hex();
}

struct Found {
  std::string path;  // within the folder
  std::uint64_t bytes = 0;
};

// All files but the sums, in order of their paths.
Result<std::vector<Found>> files_of(const std::string& folder) {
  std::vector<Found> found;
  std::error_code failure;
  for (auto at = fs::recursive_directory_iterator(folder, failure);
       !failure && at != fs::recursive_directory_iterator(); at.increment(failure)) {
    std::error_code unknown;
    const fs::file_status status = at->symlink_status(unknown);
    const std::string path = at->path().lexically_relative(folder).generic_string();
    if (fs::is_directory(status)) continue;
    if (!fs::is_regular_file(status)) return corrupt(folder, path, "is not a file");
    if (path == kBackupSums) continue;
    found.push_back({path, at->file_size(unknown)});
    if (unknown) return system_error("cannot stat " + at->path().string(), unknown.value());
  }
  if (failure) return system_error("cannot read folder " + folder, failure.value());
  std::sort(found.begin(), found.end(),
            [](const Found& left, const Found& right) { return left.path < right.path; });
  return found;
}

BackupSize size_of(const std::vector<Found>& files) {
  BackupSize size;
  for (const Found& file : files) size.bytes += file.bytes;
  size.files = files.size();
  return size;
}

struct Sum {
  std::string digest;
  std::string path;
};

// Stays within the folder: the sums may come from anywhere.
bool is_plain_path(std::string_view path) {
  if (path.empty() || path.front() == '/') return false;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == ".." || part.find('\0') != part.npos) return false;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return true;
}

Result<std::vector<Sum>> read_sums(const std::string& folder) {
  const std::string path = folder + "/" + std::string(kBackupSums);
  std::error_code failure;
  const std::uintmax_t bytes = fs::file_size(path, failure);
  std::ifstream file(path, std::ios::binary);
  if (failure || !file) {
    return Error{ErrorCode::kInvalid, folder + " is not a backup: there is no " +
                                          std::string(kBackupSums) + " that can be read in it"};
  }
  if (bytes > kSumsBytesMax) return corrupt(folder, std::string(kBackupSums), "is too large");
  std::vector<Sum> sums;
  for (std::string line; std::getline(file, line);) {
    const bool is_sum = line.size() > kDigestDigits + 2 &&
                        line.compare(kDigestDigits, 2, "  ") == 0 &&
                        line.find_first_not_of("0123456789abcdef") == kDigestDigits && !file.eof();
    if (!is_sum || !is_plain_path(std::string_view(line).substr(kDigestDigits + 2))) {
      return corrupt(folder, std::string(kBackupSums),
                     "has a line " + std::to_string(sums.size() + 1) + " that is no digest");
    }
    sums.push_back({line.substr(0, kDigestDigits), line.substr(kDigestDigits + 2)});
  }
  std::sort(sums.begin(), sums.end(),
            [](const Sum& left, const Sum& right) { return left.path < right.path; });
  return sums;
}

// The sums, when they are of exactly the files that are there.
Result<std::vector<Sum>> sums_of_all(const std::string& folder, FileProgress& progress,
                                     BackupSize& size) {
  Result<std::vector<Sum>> sums = read_sums(folder);
  if (!sums.ok()) return sums;
  const Result<std::vector<Found>> files = files_of(folder);
  if (!files.ok()) return files.error();
  size = size_of(files.value());
  progress.bytes_all = size.bytes;
  std::size_t at = 0;
  for (const Found& file : files.value()) {
    if (at < sums.value().size() && sums.value()[at].path < file.path) break;
    if (at == sums.value().size() || sums.value()[at].path != file.path) {
      return corrupt(folder, file.path, "is not in " + std::string(kBackupSums));
    }
    ++at;
  }
  if (at < sums.value().size()) return corrupt(folder, sums.value()[at].path, "is missing");
  return sums;
}

Status sync_folders(const std::string& folder) {
  std::error_code failure;
  for (auto at = fs::recursive_directory_iterator(folder, failure);
       !failure && at != fs::recursive_directory_iterator(); at.increment(failure)) {
    std::error_code unknown;
    if (!fs::is_directory(at->symlink_status(unknown))) continue;
    if (Status synced = sync_folder(at->path().string()); !synced.ok()) return synced;
  }
  if (failure) return system_error("cannot read folder " + folder, failure.value());
  return sync_folder(folder);
}

// Copies a file; gives the digest of what was copied.
Result<std::string> copy_file(const std::string& from, const std::string& to,
                              FileProgress& progress) {
  const File copy(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (!copy.is_open()) return system_error("cannot create " + to, errno);
  Sha256 digest;
  Status copied = read_file(from, progress, [&](std::string_view bytes) -> Status {
    digest.add(bytes);
    return write_all(copy, bytes, to);
  });
  if (copied.ok()) copied = sync_file(copy, to);
  if (!copied.ok()) return copied.error();
  return digest.hex();
}

Status write_sums(const std::string& folder, const std::string& text) {
  const std::string path = folder + "/" + std::string(kBackupSums);
  const File sums(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (!sums.is_open()) return system_error("cannot create " + path, errno);
  Status written = write_all(sums, text, path);
  if (written.ok()) written = sync_file(sums, path);
  return written;
}

}  // namespace

Result<BackupSize> seal_backup(const std::string& folder, FileProgress& progress) {
  const Result<std::vector<Found>> files = files_of(folder);
  if (!files.ok()) return files.error();
  progress.bytes_all = size_of(files.value()).bytes;
  std::string text;
  for (const Found& file : files.value()) {
    const std::string path = folder + "/" + file.path;
    const Result<std::string> digest = digest_of(path, progress);
    if (!digest.ok()) return digest.error();
    // Most are durable already: they are the store's own, under another name.
    const File opened(path, O_RDONLY);
    if (!opened.is_open()) return system_error("cannot open " + path, errno);
    if (Status synced = sync_file(opened, path); !synced.ok()) return synced.error();
    text.append(digest.value()).append("  ").append(file.path).append("\n");
  }
  Status sealed = write_sums(folder, text);
  if (sealed.ok()) sealed = sync_folders(folder);
  if (!sealed.ok()) return sealed.error();
  return size_of(files.value());
}

Result<BackupSize> verify_backup(const std::string& folder, FileProgress& progress) {
  BackupSize size;
  const Result<std::vector<Sum>> sums = sums_of_all(folder, progress, size);
  if (!sums.ok()) return sums.error();
  for (const Sum& sum : sums.value()) {
    const Result<std::string> digest = digest_of(folder + "/" + sum.path, progress);
    if (!digest.ok()) return digest.error();
    if (digest.value() != sum.digest) return corrupt(folder, sum.path, "is damaged");
  }
  return size;
}

Result<BackupSize> copy_backup(const std::string& from, const std::string& to, CopySums sums_too,
                               FileProgress& progress) {
  BackupSize size;
  const Result<std::vector<Sum>> sums = sums_of_all(from, progress, size);
  if (!sums.ok()) return sums.error();
  if (::mkdir(to.c_str(), 0700) != 0) return system_error("cannot create folder " + to, errno);
  std::string text;
  for (const Sum& sum : sums.value()) {
    const std::string path = to + "/" + sum.path;
    std::error_code failure;
    fs::create_directories(parent_folder(path), failure);
    if (failure) return system_error("cannot create folder for " + path, failure.value());
    const Result<std::string> digest = copy_file(from + "/" + sum.path, path, progress);
    if (!digest.ok()) return digest.error();
    if (digest.value() != sum.digest) return corrupt(from, sum.path, "is damaged");
    text.append(sum.digest).append("  ").append(sum.path).append("\n");
  }
  Status done = sums_too == CopySums::kYes ? write_sums(to, text) : Status();
  if (done.ok()) done = sync_folders(to);
  if (!done.ok()) return done.error();
  return size;
}

Result<BackupSize> size_of_backup(const std::string& folder) {
  const Result<std::vector<Found>> files = files_of(folder);
  if (!files.ok()) return files.error();
  return size_of(files.value());
}

Status copy_small_file(const std::string& from, const std::string& to) {
  FileProgress progress;
  const Result<std::string> copied = copy_file(from, to, progress);
  if (!copied.ok()) return copied.error();
  return {};
}

Status sync_folder(const std::string& path) {
  const File folder(path, O_RDONLY | O_DIRECTORY);
  if (!folder.is_open()) return system_error("cannot open folder " + path, errno);
  return sync_file(folder, path);
}

std::string parent_folder(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  const std::size_t slash = path.rfind('/', end);
  if (slash == std::string::npos) return ".";
  return path.substr(0, std::max<std::size_t>(slash, 1));
}

}  // namespace triggerd::store
