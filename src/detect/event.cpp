#include <simdjson.h>

#include <algorithm>
#include <cmath>

#include "arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "detect/detect.h"
#include "windows.h"

namespace cw::detect {
namespace {

using simdjson::ondemand::json_type;

// `text` with every byte that is not part of valid UTF-8 replaced by U+FFFD.
std::string_view to_valid_utf8(std::string_view text, Arena& arena) {
  if (simdjson::validate_utf8(text.data(), text.size())) return arena.copy(text);
  char* out = arena.take(text.size() * 3);
  std::size_t n = 0;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t length = 1;
    auto lead = static_cast<unsigned char>(text[i]);
    if (lead >= 0xc2 && lead <= 0xf4) length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (i + length <= text.size() && is_utf8(text.substr(i, length))) {
      std::memcpy(out + n, text.data() + i, length);
      n += length;
      i += length;
    } else {
      std::memcpy(out + n, "\xef\xbf\xbd", 3);
      n += 3;
      ++i;
    }
  }
  return {out, n};
}

bool is_json_number(std::string_view s) {
  std::size_t i = 0;
  auto digits = [&] {
    std::size_t from = i;
    while (i < s.size() && s[i] >= '0' && s[i] <= '9') ++i;
    return i - from;
  };
  if (i < s.size() && s[i] == '-') ++i;
  bool zero = i < s.size() && s[i] == '0';
  std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (i < s.size() && s[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
    ++i;
    if (i < s.size() && (s[i] == '+' || s[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == s.size();
}

Problem malformed_event(std::size_t offset) {
  return problem(
      Refusal::malformed, "event.json",
      {"事件不是有效的 JSON 对象（第 " + std::to_string(offset) + " 字节附近）",
       "the event is not a valid JSON object (near byte " + std::to_string(offset) + ")"});
}

// Date and time as logs write it: RFC 3339 (a space for the T, no zone = UTC), or seconds or
// milliseconds since 1970.
std::optional<std::int64_t> read_time(std::string_view text) {
  text = trim(text);
  if (text.size() >= 19 && text.size() < 48 && text[4] == '-' &&
      (text[10] == ' ' || text[10] == 'T')) {
    std::string copy(text);
    copy[10] = 'T';
    bool zoned = copy.back() == 'Z' || copy.back() == 'z' ||
                 copy.find_first_of("+-", 19) != std::string::npos;
    if (!zoned) copy += 'Z';
    return from_rfc3339(copy);
  }
  if (text.empty() || text.size() > 20 || !is_json_number(text)) return std::nullopt;
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (number < 1e8 || number > 2.5e14) return std::nullopt;
  return static_cast<std::int64_t>(std::llround(number > 1e11 ? number : number * 1000));
}

constexpr std::string_view kTimeFields[] = {
    "@timestamp", "TimeCreated_SystemTime", "SystemTime", "UtcTime", "EventTime", "timestamp",
    "time"};

}  // namespace

std::string_view Event::value(std::string_view name) const {
  for (const Field& f : fields) {
    if (f.name == name) return f.value;
  }
  return {};
}

struct EventBuilder::Impl {
  EventLimits limits;
  Arena arena;
  std::vector<Field> fields;
  std::size_t dropped = 0;
  simdjson::ondemand::parser parser;
  std::vector<char> padded;

  void push(std::string_view name, std::string_view value, Kind kind) {
    if (fields.size() >= limits.fields_max) {
      ++dropped;
    } else {
      fields.push_back({name, value, kind});
    }
  }

  // Both walk() overloads return a simdjson error; DEPTH_ERROR is ours.
  simdjson::error_code walk(simdjson::ondemand::value value, std::string_view path,
                            std::size_t depth) {
    json_type type;
    if (auto e = value.type().get(type)) return e;
    switch (type) {
      case json_type::object: {
        simdjson::ondemand::object object;
        if (auto e = value.get_object().get(object)) return e;
        return walk(object, path, depth + 1);
      }
      case json_type::array: {
        if (depth >= limits.depth_max) return simdjson::DEPTH_ERROR;
        simdjson::ondemand::array array;
        if (auto e = value.get_array().get(array)) return e;
        for (auto element : array) {
          simdjson::ondemand::value inner;
          if (auto e = element.get(inner)) return e;
          if (auto e = walk(inner, path, depth + 1)) return e;
        }
        return simdjson::SUCCESS;
      }
      case json_type::string: {
        std::string_view text;
        if (auto e = value.get_string().get(text)) return e;
        push(path, arena.copy(text), Kind::text);
        return simdjson::SUCCESS;
      }
      default:
        return walk_scalar(value, path, type);
    }
  }

  simdjson::error_code walk_scalar(simdjson::ondemand::value value, std::string_view path,
                                   json_type type) {
    std::string_view token = trim(value.raw_json_token());
    if (type == json_type::number) {
      if (!is_json_number(token)) return simdjson::NUMBER_ERROR;
      push(path, arena.copy(token), Kind::number);
    } else if (type == json_type::boolean) {
      bool ignored;
      if (auto e = value.get_bool().get(ignored)) return e;
      push(path, ignored ? "true" : "false", Kind::boolean);
    } else {
      if (token != "null") return simdjson::N_ATOM_ERROR;
      push(path, {}, Kind::null);
    }
    return simdjson::SUCCESS;
  }

  simdjson::error_code walk(simdjson::ondemand::object object, std::string_view path,
                            std::size_t depth) {
    if (depth > limits.depth_max) return simdjson::DEPTH_ERROR;
    for (auto member : object) {
      std::string_view key;
      if (auto e = member.unescaped_key().get(key)) return e;
      std::string_view name = path.empty() ? arena.copy(key) : arena.join(path, '.', key);
      simdjson::ondemand::value value;
      if (auto e = member.value().get(value)) return e;
      if (auto e = walk(value, name, depth)) return e;
    }
    return simdjson::SUCCESS;
  }
};

EventBuilder::EventBuilder(EventLimits limits) : impl_(std::make_unique<Impl>()) {
  impl_->limits = limits;
  impl_->fields.reserve(64);
}
EventBuilder::~EventBuilder() = default;
EventBuilder::EventBuilder(EventBuilder&&) noexcept = default;
EventBuilder& EventBuilder::operator=(EventBuilder&&) noexcept = default;

void EventBuilder::clear() {
  impl_->arena.reset();
  impl_->fields.clear();
  impl_->dropped = 0;
}

void EventBuilder::add(std::string_view name, std::string_view value, Kind kind) {
  impl_->push(to_valid_utf8(name, impl_->arena), to_valid_utf8(value, impl_->arena), kind);
}

void EventBuilder::add(std::span<const std::pair<std::string, std::string>> fields) {
  for (const auto& [name, value] : fields) add(name, value);
}

std::size_t EventBuilder::dropped() const { return impl_->dropped; }

Status EventBuilder::add_json(std::string_view text) {
  Impl& self = *impl_;
  if (text.size() > self.limits.size_max) {
    return problem(Refusal::too_large, "event.size",
                   {"事件超过 " + std::to_string(self.limits.size_max) + " 字节",
                    "the event is larger than " + std::to_string(self.limits.size_max) + " bytes"});
  }
  self.padded.resize(text.size() + simdjson::SIMDJSON_PADDING);
  if (!text.empty()) std::memcpy(self.padded.data(), text.data(), text.size());
  std::memset(self.padded.data() + text.size(), 0, simdjson::SIMDJSON_PADDING);

  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  auto error =
      self.parser.iterate(self.padded.data(), text.size(), self.padded.size()).get(document);
  bool opened = !error;
  if (!error) error = document.get_object().get(object);
  if (!error) error = self.walk(object, {}, 1);
  if (!error) {
    const char* after = nullptr;  // only the end of the text has no location
    if (!document.current_location().get(after)) error = simdjson::TAPE_ERROR;
  }
  if (error == simdjson::DEPTH_ERROR) {
    return problem(Refusal::malformed, "event.depth",
                   {"事件嵌套超过 " + std::to_string(self.limits.depth_max) + " 层",
                    "the event is nested deeper than " + std::to_string(self.limits.depth_max)});
  }
  if (error) {
    const char* at = nullptr;
    bool located = opened && !document.current_location().get(at) && at >= self.padded.data() &&
                   at <= self.padded.data() + text.size();
    return malformed_event(located ? static_cast<std::size_t>(at - self.padded.data()) : 0);
  }
  return done();
}

Event EventBuilder::event(std::string_view source, LogSource logsource,
                          std::int64_t time_ms) const {
  return {source, logsource, time_ms, impl_->fields};
}

Result<Event> EventBuilder::read(std::string_view json_text) {
  clear();
  if (auto status = add_json(json_text); !status) return status.problem();
  Impl& self = *impl_;
  LogSource logsource;
  bool windows = lift_windows(self.fields, self.arena, logsource);
  Event out{{}, {}, 0, self.fields};
  if (!windows) {
    logsource = {out.value("logsource.product"), out.value("logsource.service"),
                 out.value("logsource.category")};
  }
  out.logsource = logsource;
  out.source = out.value("source");
  for (std::string_view name : kTimeFields) {
    std::string_view text = out.value(name);
    if (text.empty()) continue;
    if (auto time = read_time(text)) {
      out.time_ms = *time;
      break;
    }
  }
  return out;
}

}  // namespace cw::detect
