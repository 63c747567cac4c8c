#include "store/secret_box.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include "engine/base/assert.h"

namespace triggerd::store {
namespace {

constexpr std::uint8_t kSealVersion = 1;
constexpr std::size_t kKeyIdBytes = 4;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kHeaderBytes = 1 + kKeyIdBytes;
static_assert(SecretBox::kOverheadBytes == kHeaderBytes + kNonceBytes + kTagBytes);
// EVP counts in int.
constexpr std::size_t kPlaintextBytesMax = std::size_t{1} << 30;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

base::Error internal(std::string message) {
  return {base::ErrorCode::kInternal, std::move(message)};
}

std::string hexadecimal(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<std::uint8_t>(byte);
    text.push_back(digits[value >> 4]);
    text.push_back(digits[value & 0xf]);
  }
  return text;
}

// The version and key id are authenticated too, before the caller's data: their length is fixed, so
// the two cannot be taken for each other.
bool authenticate(EVP_CIPHER_CTX* cipher, std::string_view header, std::string_view associated,
                  int (*update)(EVP_CIPHER_CTX*, unsigned char*, int*, const unsigned char*, int)) {
  int length = 0;
  if (update(cipher, nullptr, &length, bytes_of(header), static_cast<int>(header.size())) != 1) {
    return false;
  }
  return associated.empty() || update(cipher, nullptr, &length, bytes_of(associated),
                                      static_cast<int>(associated.size())) == 1;
}

// Closes a descriptor that was opened here.
class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

base::Error system_error(const std::string& what, const std::string& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return {full ? base::ErrorCode::kUnavailable : base::ErrorCode::kInternal,
          "key file " + path + ": " + what + ": " + std::generic_category().message(error)};
}

// Reads up to buffer.size() bytes, -1 on error.
ssize_t read_fully(int descriptor, std::span<std::uint8_t> buffer) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t got = ::read(descriptor, buffer.data() + done, buffer.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(done);
}

bool write_fully(int descriptor, std::span<const std::uint8_t> buffer) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t put = ::write(descriptor, buffer.data() + done, buffer.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    done += static_cast<std::size_t>(put);
  }
  return true;
}

base::Result<SecretBox> load_key(const File& file, const std::string& path) {
  struct stat about {};
  if (::fstat(file.descriptor(), &about) != 0) return system_error("cannot stat", path, errno);
  if (!S_ISREG(about.st_mode)) {
    return base::Error{base::ErrorCode::kInvalid, "key file " + path + " is not a regular file"};
  }
  if ((about.st_mode & 077) != 0) {
    return base::Error{base::ErrorCode::kInvalid,
                       "key file " + path + " can be used by others: run chmod 600 " + path};
  }
  // One byte more than a key, to notice a file that is too long.
  std::array<std::uint8_t, SecretBox::kKeyBytes + 1> bytes{};
  const ssize_t got = read_fully(file.descriptor(), bytes);
  if (got < 0) return system_error("cannot read", path, errno);
  if (got != static_cast<ssize_t>(SecretBox::kKeyBytes)) {
    OPENSSL_cleanse(bytes.data(), bytes.size());
    return base::Error{base::ErrorCode::kInvalid,
                       "key file " + path + " must hold exactly 32 bytes, it holds " +
                           std::to_string(about.st_size) + ": restore it from a backup"};
  }
  base::Result<SecretBox> box = SecretBox::create(std::span(bytes.data(), SecretBox::kKeyBytes));
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return box;
}

base::Status sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const File file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.is_open()) return system_error("cannot open its folder", path, errno);
  if (::fsync(file.descriptor()) != 0) return system_error("cannot sync its folder", path, errno);
  return {};
}

}  // namespace

base::Result<SecretBox> SecretBox::create(std::span<const std::uint8_t> key) {
  if (key.size() != kKeyBytes) {
    return base::Error{
        base::ErrorCode::kInvalid,
        "the key of the secret box must have 32 bytes, not " + std::to_string(key.size())};
  }
  SecretBox box;
  std::copy(key.begin(), key.end(), box.key_.begin());
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int digest_bytes = 0;
  if (EVP_Digest(key.data(), key.size(), digest.data(), &digest_bytes, EVP_sha256(), nullptr) !=
      1) {
    return internal("SHA-256 is not available");
  }
  std::copy_n(digest.begin(), kKeyIdBytes, box.key_id_.begin());
  return box;
}

SecretBox::~SecretBox() {
  OPENSSL_cleanse(key_.data(), key_.size());
}

std::array<std::uint8_t, SecretBox::kKeyBytes> SecretBox::derive_key(
    std::string_view purpose) const {
  std::array<std::uint8_t, kKeyBytes> derived{};
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr);
  std::size_t length = derived.size();
  const auto* info = reinterpret_cast<const unsigned char*>(purpose.data());
  TRIGGERD_ASSERT(
      context != nullptr && EVP_PKEY_derive_init(context) == 1 &&
      EVP_PKEY_CTX_set_hkdf_md(context, EVP_sha256()) == 1 &&
      EVP_PKEY_CTX_set1_hkdf_key(context, key_.data(), static_cast<int>(key_.size())) == 1 &&
      EVP_PKEY_CTX_add1_hkdf_info(context, info, static_cast<int>(purpose.size())) == 1 &&
      EVP_PKEY_derive(context, derived.data(), &length) == 1 && length == derived.size());
  EVP_PKEY_CTX_free(context);
  return derived;
}

std::string SecretBox::key_id() const {
  return hexadecimal({reinterpret_cast<const char*>(key_id_.data()), key_id_.size()});
}

base::Result<std::string> SecretBox::seal(std::string_view plaintext,
                                          std::string_view associated_data) const {
  TRIGGERD_ASSERT(plaintext.size() <= kPlaintextBytesMax);
  TRIGGERD_ASSERT(associated_data.size() <= kPlaintextBytesMax);
  std::string sealed(plaintext.size() + kOverheadBytes, '\0');
  unsigned char* const out = bytes_of(sealed);
  out[0] = kSealVersion;
  std::copy(key_id_.begin(), key_id_.end(), out + 1);
  unsigned char* const nonce = out + kHeaderBytes;
  unsigned char* const body = nonce + kNonceBytes;
  if (RAND_bytes(nonce, static_cast<int>(kNonceBytes)) != 1) {
    return internal("the system gives no random bytes");
  }
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int length = 0;
  const bool sealed_well =
      cipher != nullptr &&
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), nonce) == 1 &&
      authenticate(cipher.get(), std::string_view(sealed).substr(0, kHeaderBytes), associated_data,
                   EVP_EncryptUpdate) &&
      EVP_EncryptUpdate(cipher.get(), body, &length, bytes_of(plaintext),
                        static_cast<int>(plaintext.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), body + plaintext.size(), &length) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(kTagBytes),
                          body + plaintext.size()) == 1;
  if (!sealed_well) return internal("AES-256-GCM failed to seal");
  return sealed;
}

base::Result<std::string> SecretBox::open(std::string_view sealed,
                                          std::string_view associated_data) const {
  TRIGGERD_ASSERT(associated_data.size() <= kPlaintextBytesMax);
  const base::Error corrupt{base::ErrorCode::kCorrupt,
                            "a sealed secret was changed or stands in the wrong place"};
  if (sealed.size() < kOverheadBytes || sealed.size() > kPlaintextBytesMax) return corrupt;
  if (static_cast<std::uint8_t>(sealed[0]) != kSealVersion) return corrupt;
  const std::string_view sealed_under = sealed.substr(1, kKeyIdBytes);
  if (!std::equal(key_id_.begin(), key_id_.end(), bytes_of(sealed_under))) {
    return base::Error{base::ErrorCode::kInvalid,
                       "a secret was sealed under key " + hexadecimal(sealed_under) +
                           ", but the key file given holds key " + key_id() +
                           ": give the key file that belongs to this data folder"};
  }
  const std::string_view nonce = sealed.substr(kHeaderBytes, kNonceBytes);
  const std::string_view body =
      sealed.substr(kHeaderBytes + kNonceBytes, sealed.size() - kOverheadBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  std::string plaintext(body.size(), '\0');
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int length = 0;
  const bool opened =
      cipher != nullptr &&
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), bytes_of(nonce)) ==
          1 &&
      authenticate(cipher.get(), sealed.substr(0, kHeaderBytes), associated_data,
                   EVP_DecryptUpdate) &&
      EVP_DecryptUpdate(cipher.get(), bytes_of(plaintext), &length, bytes_of(body),
                        static_cast<int>(body.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(kTagBytes),
                          tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), bytes_of(plaintext) + plaintext.size(), &length) == 1;
  if (!opened) {
    OPENSSL_cleanse(plaintext.data(), plaintext.size());
    return corrupt;
  }
  return plaintext;
}

base::Result<SecretBox> load_or_create_key(const std::string& path) {
  const File present(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (present.is_open()) return load_key(present, path);
  if (errno != ENOENT) return system_error("cannot open", path, errno);

  // O_EXCL: of two processes that start at once, one makes the key and the other one fails, rather
  // than both going on with different keys.
  const File created(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!created.is_open()) return system_error("cannot create", path, errno);
  std::array<std::uint8_t, SecretBox::kKeyBytes> key{};
  if (RAND_bytes(key.data(), static_cast<int>(key.size())) != 1) {
    ::unlink(path.c_str());
    return internal("the system gives no random bytes");
  }
  base::Result<SecretBox> box = SecretBox::create(key);
  const bool written = write_fully(created.descriptor(), key) && ::fsync(created.descriptor()) == 0;
  const int error = errno;
  OPENSSL_cleanse(key.data(), key.size());
  if (!written) {
    // Nothing was sealed under it yet; a half-written key would be refused at the next start.
    ::unlink(path.c_str());
    return system_error("cannot write", path, error);
  }
  if (const base::Status synced = sync_folder_of(path); !synced.ok()) return synced.error();
  return box;
}

}  // namespace triggerd::store
