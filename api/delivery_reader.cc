#include "api/delivery_reader.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

using model::Sent;

void refuse_unknown(std::string_view name, std::string_view known, FieldReader& reader) {
  reader.refuse(name.substr(0, model::kNameBytesMax),
                fmt::format("unknown field; known are {}", known));
}

// Takes one field: null, or what `read` makes of it (nothing: it named the fault).
template <class T, class Read>
void take(Sent<T>& into, dom::element value, const Read& read) {
  if (value.is_null()) {
    into.emplace(std::nullopt);
  } else if (std::optional<T> taken = read(value)) {
    into.emplace(std::move(taken));
  }
}

class DeliveryReader {
 public:
  explicit DeliveryReader(Faults& faults)
      : faults_(faults), fields_("delivery.", faults), rate_fields_("delivery.rate.", faults) {}

  model::DeliveryDraft read(dom::object object) {
    for (const dom::key_value_pair member : object) {
      if (!read_text_field(member) && !read_other_field(member) &&
          member.key != "disabled_reason") {
        refuse_unknown(member.key,
                       "format, signatures, schedule, max_in_flight, rate, ordering, on_failure, "
                       "state",
                       fields_);
      }
    }
    return std::move(draft_);
  }

 private:
  bool read_text_field(const dom::key_value_pair& member) {
    Sent<std::string>* into = member.key == "format"       ? &draft_.format
                              : member.key == "ordering"   ? &draft_.ordering
                              : member.key == "on_failure" ? &draft_.on_failure
                              : member.key == "state"      ? &draft_.state
                                                           : nullptr;
    if (into == nullptr) return false;
    take(*into, member.value, [&](dom::element value) {
      const std::optional<std::string_view> text = fields_.text(member.key, value);
      return text ? std::optional<std::string>(*text) : std::nullopt;
    });
    return true;
  }

  bool read_other_field(const dom::key_value_pair& member) {
    if (member.key == "signatures") {
      take(draft_.signatures, member.value, [this](dom::element value) {
        return texts("signatures", value, "a list of \"hmac\", \"ed25519\"");
      });
    } else if (member.key == "schedule") {
      take(draft_.schedule, member.value, [this](dom::element value) {
        return texts("schedule", value, "a list of durations such as \"5m\"");
      });
    } else if (member.key == "max_in_flight") {
      take(draft_.max_in_flight, member.value,
           [this](dom::element value) { return integer(fields_, "max_in_flight", value); });
    } else if (member.key == "rate") {
      take(draft_.rate, member.value, [this](dom::element value) { return rate(value); });
    } else {
      return false;
    }
    return true;
  }

  std::optional<std::vector<std::string>> texts(std::string_view field, dom::element value,
                                                std::string_view expected) {
    const std::optional<dom::array> list = fields_.list(field, value, expected);
    if (!list) return std::nullopt;
    std::vector<std::string> texts;
    std::size_t index = 0;
    bool all = true;
    for (const dom::element element : *list) {
      const std::string at = fmt::format("{}[{}]", field, index++);
      const std::optional<std::string_view> text = fields_.text(at, element);
      if (text) texts.emplace_back(*text);
      all = all && text.has_value();
      if (index > model::kScheduleEntriesMax) break;
    }
    // A list with a gap would be complained about at the wrong places.
    if (!all) return std::nullopt;
    return texts;
  }

  static std::optional<std::int64_t> integer(FieldReader& reader, std::string_view field,
                                             dom::element value) {
    const std::optional<std::int64_t> number = whole_number(value);
    if (!number) reader.refuse_type(field, "a whole number", value);
    return number;
  }

  std::optional<model::RateDraft> rate(dom::element value) {
    const std::optional<dom::object> object = fields_.object("rate", value);
    if (!object) return std::nullopt;
    const std::size_t before = faults_.size();
    model::RateDraft rate;
    for (const dom::key_value_pair member : *object) {
      if (member.key == "per_second") {
        double number = 0;
        if (member.value.get_double().get(number) == simdjson::SUCCESS) {
          rate.per_second = number;
        } else {
          rate_fields_.refuse_type("per_second", "a number", member.value);
        }
      } else if (member.key == "burst") {
        rate.burst = integer(rate_fields_, "burst", member.value);
      } else {
        refuse_unknown(member.key, "per_second, burst", rate_fields_);
      }
    }
    // What could not be read would be missed by the core.
    if (faults_.size() > before) return std::nullopt;
    return rate;
  }

  Faults& faults_;
  FieldReader fields_;
  FieldReader rate_fields_;
  model::DeliveryDraft draft_;
};

}  // namespace

model::DeliveryDraft read_delivery(dom::element value, Faults& faults) {
  if (value.is_null()) {
    model::DeliveryDraft reset;
    reset.reset = true;
    return reset;
  }
  dom::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    faults.push_back(wrong_type("delivery", "an object", value));
    return {};
  }
  return DeliveryReader(faults).read(object);
}

}  // namespace triggerd::api
