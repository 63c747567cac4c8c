// Writing JSON text: what answers are made of (json_writer, delivery_log_writer,
// operations_handlers).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "engine/base/log.h"
#include "engine/base/time.h"

namespace triggerd::api {

// RapidJSON's writer with the types of ours, and strings that are safe whatever bytes they hold.
class Json {
 public:
  Json() : writer_(buffer_) {}

  void begin_object() { writer_.StartObject(); }
  void end_object() { writer_.EndObject(); }
  void begin_list() { writer_.StartArray(); }
  void end_list() { writer_.EndArray(); }
  // The writer escapes it; json_reader has seen to it that names from clients are UTF-8.
  void key(std::string_view name) {
    writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  }
  void text(std::string_view value) {
    escaped_ = '"';
    base::append_json_escaped(escaped_, value);
    escaped_ += '"';
    writer_.RawValue(escaped_.data(), escaped_.size(), rapidjson::kStringType);
  }
  void number(std::int64_t value) { writer_.Int64(value); }
  void boolean(bool value) { writer_.Bool(value); }
  // Requires: `value` is one whole JSON value.
  void raw(std::string_view value, rapidjson::Type type) {
    writer_.RawValue(value.data(), value.size(), type);
  }

  void text_member(std::string_view name, std::string_view value) {
    key(name);
    text(value);
  }
  void number_member(std::string_view name, std::int64_t value) {
    key(name);
    number(value);
  }
  void time_member(std::string_view name, base::WallTime value) {
    text_member(name, base::to_rfc3339(value));
  }

  [[nodiscard]] std::string take() { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_;
  std::string escaped_;
};

// {"result":…} around what `write` writes.
template <class Write>
std::string in_envelope(const Write& write) {
  Json json;
  json.begin_object();
  json.key("result");
  write(json);
  json.end_object();
  return json.take();
}

template <class List, class WriteOne>
void write_list(Json& json, const List& list, const WriteOne& write_one) {
  json.begin_list();
  for (const auto& element : list) write_one(json, element);
  json.end_list();
}

}  // namespace triggerd::api
