// JSON requests against RapidJSON, which the readers do not use.
//
// 1. Every reader gives the same verdict on a document, and it is that of RapidJSON and of the
//    contract's further rules (depth, names, sizes of numbers), kept here by a handler of its
//    events.
// 2. A refusal of the grammar has a place: find_json_fault() finds it, and nothing in what is
// taken.
// 3. Content comes out byte for byte as it stands in the request, and what is built around it is
//    JSON.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <rapidjson/error/error.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include "api/event_reader.h"
#include "api/json_reader.h"
#include "api/trigger_reader.h"
#include "engine/base/assert.h"
#include "engine/base/random.h"
#include "engine/json/json_text.h"
#include "engine/model/limits.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

namespace api = triggerd::api;
namespace base = triggerd::base;
namespace json = triggerd::json;
namespace model = triggerd::model;

// Is it an integer beyond 64 bits, or a fraction beyond a double?
bool is_too_large(const std::string& number) {
  if (number.find_first_of(".eE") != std::string::npos) {
    return !std::isfinite(std::strtod(number.c_str(), nullptr));
  }
  const bool negative = number.front() == '-';
  const std::string digits = number.substr(negative ? 1 : 0);  // without leading zeros: JSON
  const std::string most = negative ? "9223372036854775808" : "18446744073709551615";
  return digits.size() > most.size() || (digits.size() == most.size() && digits > most);
}

// Hears RapidJSON read a document, and notes what the contract asks beyond RFC 8259.
class DocumentRules {
 public:
  DocumentRules(std::string_view text, const rapidjson::MemoryStream& stream)
      : text_(text), stream_(stream) {}

  // Of each object that may be an event (the document, or in a list in its place): `content`, if
  // it is an object.
  [[nodiscard]] const std::vector<std::optional<std::string_view>>& contents() const {
    return contents_;
  }
  [[nodiscard]] bool too_deep() const { return too_deep_; }
  [[nodiscard]] bool number_too_large() const { return number_too_large_; }
  [[nodiscard]] bool name_twice() const { return name_twice_; }

  // The names are RapidJSON's.
  bool Null() { return true; }                                        // NOLINT
  bool Bool(bool) { return true; }                                    // NOLINT
  bool Int(int) { return true; }                                      // NOLINT
  bool Uint(unsigned) { return true; }                                // NOLINT
  bool Int64(std::int64_t) { return true; }                           // NOLINT
  bool Uint64(std::uint64_t) { return true; }                         // NOLINT
  bool Double(double) { return true; }                                // NOLINT
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {  // NOLINT
    number_too_large_ = number_too_large_ || is_too_large(std::string(text, size));
    return true;
  }
  bool String(const char*, rapidjson::SizeType, bool) { return true; }  // NOLINT
  bool Key(const char* text, rapidjson::SizeType size, bool) {          // NOLINT
    std::string name(text, size);
    open_.back().last_name = name;
    if (!open_.back().names.insert(std::move(name)).second) name_twice_ = true;
    return true;
  }
  bool StartObject() {  // NOLINT
    if (is_event_place()) contents_.emplace_back();
    return open(true);
  }
  bool StartArray() { return open(false); }  // NOLINT
  bool EndObject(rapidjson::SizeType) {      // NOLINT
    const std::size_t begin = open_.back().begin;
    open_.pop_back();
    if (is_content_place()) contents_.back() = text_.substr(begin, stream_.Tell() - begin);
    return true;
  }
  bool EndArray(rapidjson::SizeType) {  // NOLINT
    open_.pop_back();
    return true;
  }

 private:
  struct Container {
    bool is_object = false;
    std::size_t begin = 0;
    std::set<std::string> names;
    std::string last_name;
  };

  // The stream stands behind the bracket that has just been read.
  bool open(bool is_object) {
    if (open_.size() == model::kJsonDepthMax) {
      too_deep_ = true;
      return false;
    }
    open_.push_back({is_object, stream_.Tell() - 1, {}, {}});
    return true;
  }
  [[nodiscard]] bool is_event_place() const {
    return open_.empty() || (open_.size() == 1 && !open_[0].is_object);
  }
  [[nodiscard]] bool is_content_place() const {
    if (open_.empty() || open_.size() > 2) return false;
    if (open_.size() == 2 && open_[0].is_object) return false;
    return open_.back().is_object && open_.back().last_name == "content";
  }

  std::string_view text_;
  const rapidjson::MemoryStream& stream_;
  std::vector<Container> open_;
  std::vector<std::optional<std::string_view>> contents_;
  bool too_deep_ = false;
  bool number_too_large_ = false;
  bool name_twice_ = false;
};

enum class Grammar { kGood, kBad, kUnknown };

// RapidJSON counts some zeros with large exponents as too big, and takes the second half of a
// surrogate pair without the first: on those it has no say.
Grammar read_by_rapidjson(rapidjson::MemoryStream& stream, std::size_t size, DocumentRules& rules) {
  constexpr unsigned flags = rapidjson::kParseValidateEncodingFlag |
                             rapidjson::kParseNumbersAsStringsFlag |
                             rapidjson::kParseStopWhenDoneFlag;
  rapidjson::Reader reader;
  const rapidjson::ParseResult result = reader.Parse<flags>(stream, rules);
  if (result.Code() == rapidjson::kParseErrorNumberTooBig) return Grammar::kUnknown;
  if (result.IsError()) return Grammar::kBad;
  while (stream.Tell() < size &&
         std::string_view(" \t\r\n").find(stream.Peek()) != std::string_view::npos) {
    stream.Take();
  }
  return stream.Tell() == size ? Grammar::kGood : Grammar::kBad;
}

// What a reader says of the document, whatever it says of the fields.
enum class Verdict { kTaken, kMalformed, kTooDeep, kNameTwice };

Verdict verdict_of(const api::Faults& faults) {
  if (faults.empty()) return Verdict::kTaken;
  const std::string_view message = faults.front().message;
  if (message.starts_with("malformed JSON")) return Verdict::kMalformed;
  if (message.starts_with("JSON: nested")) return Verdict::kTooDeep;
  if (message.starts_with("JSON: the name")) return Verdict::kNameTwice;
  return Verdict::kTaken;
}

// From memory of its own, so that no reader sees spare bytes that another one left.
template <class Request>
Verdict verdict_of_reader(std::string_view text,
                          api::Faults (*read)(std::string& body, Request& request)) {
  std::string body(text);
  Request request;
  return verdict_of(read(body, request));
}

void check_verdict(std::string_view text, Verdict verdict, Grammar grammar,
                   const DocumentRules& rules) {
  const auto fault = json::find_json_fault(text, model::kJsonDepthMax);
  switch (verdict) {
    case Verdict::kTaken:
      TRIGGERD_ASSERT(!fault);
      TRIGGERD_ASSERT(!rules.too_deep() && !rules.number_too_large() && !rules.name_twice());
      TRIGGERD_ASSERT(grammar != Grammar::kBad);
      break;
    case Verdict::kNameTwice:
      TRIGGERD_ASSERT(!fault);
      TRIGGERD_ASSERT(rules.name_twice() || grammar == Grammar::kUnknown);
      TRIGGERD_ASSERT(grammar != Grammar::kBad);
      break;
    case Verdict::kMalformed:
    case Verdict::kTooDeep:
      TRIGGERD_ASSERT(fault);
      TRIGGERD_ASSERT(fault->offset <= text.size());
      TRIGGERD_ASSERT(grammar != Grammar::kGood || rules.number_too_large() ||
                      fault->what == "half of a surrogate pair");
      break;
  }
}

// What stands between the braces, empty when nothing but blanks does.
std::string_view inside_of(std::string_view object) {
  const std::string_view inside = object.substr(1, object.size() - 2);
  return inside.find_first_not_of(" \t\r\n") == std::string_view::npos ? std::string_view()
                                                                       : inside;
}

void check_content(const model::NewEvent& event, const std::optional<std::string_view>& sent) {
  const std::string_view content = event.content;
  TRIGGERD_ASSERT(event.own_members_at < content.size());
  const std::string_view own =
      content.substr(event.own_members_at, content.size() - 1 - event.own_members_at);
  TRIGGERD_ASSERT(own == (sent ? inside_of(*sent) : std::string_view()));
  TRIGGERD_ASSERT(content.starts_with("{\"event_metadata\":{"));
  // One level deeper than the content alone is not more than the event was.
  TRIGGERD_ASSERT(!json::find_json_fault(content, model::kJsonDepthMax));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text = triggerd::fuzz::Input(bytes, size).rest();
  rapidjson::MemoryStream stream(text.data(), text.size());
  DocumentRules rules(text, stream);
  const Grammar grammar = read_by_rapidjson(stream, text.size(), rules);

  base::SeededRandom random(1);
  std::vector<model::NewEvent> events;
  std::string body(text);
  body.shrink_to_fit();
  api::Faults faults = api::read_events(
      body, api::EventDefaults{model::OrgId(), base::WallTime(), random, {}}, events);
  const api::Faults of_entries = api::faults_of_entries(events);
  faults.insert(faults.end(), of_entries.begin(), of_entries.end());
  const Verdict verdict = verdict_of(faults);
  check_verdict(text, verdict, grammar, rules);
  TRIGGERD_ASSERT(verdict == verdict_of_reader(text, &api::read_webhook));
  TRIGGERD_ASSERT(verdict == verdict_of_reader(text, &api::read_trigger));
  TRIGGERD_ASSERT(verdict == verdict_of_reader(text, &api::read_organization));
  TRIGGERD_ASSERT(verdict == verdict_of_reader(text, &api::read_api_key));

  if (!faults.empty() || grammar != Grammar::kGood) return 0;
  TRIGGERD_ASSERT(events.size() == rules.contents().size());
  for (std::size_t i = 0; i < events.size(); ++i) check_content(events[i], rules.contents()[i]);
  return 0;
}
