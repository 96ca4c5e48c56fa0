// Signals that come by HTTP: our own form, and Prometheus Alertmanager's webhook. Both become
// alerts on the same path as a rule's firing. Also sources from configuration.
#include <algorithm>

#include "base/text.h"
#include "watch_impl.h"

namespace cw::watch {
namespace {

constexpr std::size_t kEntitiesMax = 16;
constexpr std::size_t kValueMax = 512;
constexpr std::int64_t kQuietMost = 7 * 86'400;                  // seconds
constexpr std::int64_t kAlertmanagerQuietMs = 12ll * 3'600'000;  // it repeats every few hours

bool is_name(std::string_view s) {
  return !s.empty() && s.size() <= 40 && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

// Reads members of one object and collects what is wrong with them.
class SignalReader {
 public:
  explicit SignalReader(const json::object& o) : o_(o) {}

  std::string text(std::string_view name, std::size_t points_max, bool needed = false) {
    const json::value* v = o_.if_contains(name);
    if (v == nullptr) {
      if (needed) wrong(name, {"必填。", "This is needed."});
      return "";
    }
    if (!v->is_string() || (needed && v->get_string().empty()) ||
        code_points(std::string_view(v->get_string())) > points_max) {
      std::string most = std::to_string(points_max);
      wrong(name,
            {"应为最多 " + most + " 字的文字。", "A text of at most " + most + " characters."});
      return "";
    }
    return std::string(v->get_string());
  }

  Text title(std::string_view name) {
    const json::value* v = o_.if_contains(name);
    if (v && v->is_object()) {
      SignalReader both(v->get_object());
      Text t{both.text("zh", 200), both.text("en", 200)};
      if (both.fields_.empty() && !(t.zh.empty() && t.en.empty())) {
        if (t.zh.empty()) t.zh = t.en;
        if (t.en.empty()) t.en = t.zh;
        return t;
      }
      wrong(name, {"应含 zh 和 en 两段文字。", "Give the texts zh and en."});
      return {};
    }
    std::string one = text(name, 200, true);
    return {one, one};
  }

  template <typename T>
  T word(std::string_view name, T fallback, std::optional<T> (*from)(std::string_view), Text text) {
    const json::value* v = o_.if_contains(name);
    if (v == nullptr) return fallback;
    std::optional<T> found =
        v->is_string() ? from(std::string_view(v->get_string())) : std::nullopt;
    if (!found) wrong(name, std::move(text));
    return found.value_or(fallback);
  }

  std::int64_t integer(std::string_view name, std::int64_t fallback, std::int64_t least,
                       std::int64_t most) {
    const json::value* v = o_.if_contains(name);
    if (v == nullptr) return fallback;
    std::int64_t n = v->is_int64() ? v->get_int64() : least - 1;
    if (n >= least && n <= most) return n;
    std::string range = std::to_string(least) + "–" + std::to_string(most);
    wrong(name, {"应为整数 " + range + "。", "An integer " + range + "."});
    return fallback;
  }

  bool boolean(std::string_view name, bool fallback) {
    const json::value* v = o_.if_contains(name);
    if (v == nullptr) return fallback;
    if (!v->is_bool()) wrong(name, {"应为 true 或 false。", "true or false."});
    return v->is_bool() ? v->get_bool() : fallback;
  }

  Entities entities(std::string_view name) {
    Entities out;
    const json::value* v = o_.if_contains(name);
    if (v == nullptr) return out;
    bool good = v->is_object() && v->get_object().size() <= kEntitiesMax;
    if (good) {
      for (const auto& [key, value] : v->get_object()) {
        good = good && value.is_string() && !value.get_string().empty() &&
               value.get_string().size() <= kValueMax && key.size() <= 64;
        if (good) out.emplace_back(key, value.get_string());
      }
    }
    if (!good) {
      wrong(name,
            {"应为最多 16 个「字段: 文字」的对象。", "An object of at most 16 texts by field."});
    }
    return out;
  }

  void only(std::initializer_list<std::string_view> known) {
    for (const auto& [key, value] : o_) {
      if (std::find(known.begin(), known.end(), std::string_view(key)) == known.end()) {
        wrong(key, {"不认识这一项。", "This member is not known."});
      }
    }
  }

  void wrong(std::string_view name, Text text) {
    fields_.push_back({"/" + std::string(name), std::move(text)});
  }
  std::optional<Problem> problem_if(std::string code, Text text) {
    if (fields_.empty()) return std::nullopt;
    return problem(Refusal::invalid, std::move(code), std::move(text), std::move(fields_));
  }

 private:
  const json::object& o_;
  std::vector<FieldProblem> fields_;
};

Problem not_an_object() {
  return problem(Refusal::malformed, "signal.shape",
                 {"信号应为一个 JSON 对象。", "A signal is one JSON object."});
}

std::optional<bool> status_from(std::string_view s) {
  if (s == "firing") return true;
  if (s == "resolved") return false;
  return std::nullopt;
}

Found signal_found(const SignalSender& sender, std::string_view key) {
  Found f;
  f.rule = "signal." + sender.name;
  f.actor = "signal:" + sender.name;
  f.source = sender.name;
  f.org = sender.org;
  f.key = {{"signal.key", std::string(key)}};
  return f;
}

Sample signal_sample(const Found& f, const json::value& body) {
  std::string line = json::serialize(body);
  if (line.size() > 2048) line = std::string(clip(line, 500));
  return {f.time_ms, f.source, line, f.entities, {}};
}

// Prometheus has no fixed severities; these are the words in use.
Level prometheus_level(std::string_view severity) {
  static constexpr std::pair<std::string_view, Level> words[] = {
      {"critical", Level::critical},  {"page", Level::critical},
      {"emergency", Level::critical}, {"error", Level::high},
      {"high", Level::high},          {"major", Level::high},
      {"warning", Level::medium},     {"medium", Level::medium},
      {"minor", Level::low},          {"low", Level::low},
      {"info", Level::informational}, {"none", Level::informational}};
  for (const auto& [word, level] : words) {
    if (equals_ignore_case(severity, word)) return level;
  }
  return Level::medium;
}

std::string_view member(const json::object& o, std::string_view part, std::string_view name) {
  const json::value* v = o.if_contains(part);
  return v && v->is_object() ? text_or(v->get_object(), name) : std::string_view{};
}

}  // namespace

Result<SignalAnswer> Watch::signal(const SignalSender& sender, const json::value& body) {
  CW_CHECK(is_name(sender.name));
  if (!body.is_object()) return not_an_object();
  SignalReader r(body.get_object());
  r.only({"key", "status", "severity", "warning", "title", "summary", "entities", "at", "quiet_s"});
  std::string key = r.text("key", 256, true);
  bool firing = r.word<bool>("status", true, status_from,
                             {"应为 firing 或 resolved。", "firing or resolved."});
  Found f = signal_found(sender, key);
  f.level = r.word<Level>("severity", Level::medium, level_from,
                          {"应为 informational、low、medium、high、critical 之一。",
                           "One of informational, low, medium, high, critical."});
  f.warning = r.word<Warning>(
      "warning", Warning::none, warning_from,
      {"应为 none、blue、yellow、orange、red 之一。", "One of none, blue, yellow, orange, red."});
  if (firing) f.title = r.title("title");
  f.summary = r.text("summary", 4000);
  f.entities = r.entities("entities");
  f.quiet_ms = r.integer("quiet_s", impl_->options.limits.quiet_ms / 1000, 60, kQuietMost) * 1000;
  f.time_ms = f.first_ms = impl_->clock.now_ms();
  if (std::string at = r.text("at", 40); !at.empty()) {
    std::optional<std::int64_t> ms = from_rfc3339(at);
    if (!ms)
      r.wrong("at", {"应为 RFC 3339 时间。", "An RFC 3339 time."});
    else
      f.time_ms = f.first_ms = std::min(*ms, f.time_ms);
  }
  if (auto p = r.problem_if("signal.invalid",
                            {"信号有不合格的字段,没有接收。",
                             "The signal has members that are wrong; it was not taken."})) {
    return *p;
  }
  if (!firing) {
    auto alert =
        impl_->repeats.resolve(f.org, f.rule, f.key, impl_->options.limits.resolve_hold_ms);
    return SignalAnswer{alert.value_or(""), alert ? "resolved" : "unknown"};
  }
  return impl_->repeats.found_now(f, {signal_sample(f, body)});
}

Result<std::vector<SignalAnswer>> Watch::alertmanager(const SignalSender& sender,
                                                      const json::value& body) {
  CW_CHECK(is_name(sender.name));
  if (!body.is_object()) return not_an_object();
  const json::object& o = body.get_object();
  const json::value* list = o.if_contains("alerts");
  if (text_or(o, "version") != "4" || !list || !list->is_array() ||
      list->get_array().size() > 1000) {
    return problem(
        Refusal::invalid, "signal.alertmanager",
        {"不是 Alertmanager 第 4 版的消息,或一次超过 1000 条。",
         "Not a message of Alertmanager's version 4, or more than 1,000 alerts at once."},
        {{"/alerts", {"应为告警数组。", "An array of alerts."}}});
  }
  std::vector<SignalAnswer> out;
  std::size_t index = 0;
  for (const json::value& v : list->get_array()) {
    std::string pointer = "/alerts/" + std::to_string(index++);
    std::optional<bool> firing =
        v.is_object() ? status_from(text_or(v.get_object(), "status")) : std::nullopt;
    const json::value* labels = v.is_object() ? v.get_object().if_contains("labels") : nullptr;
    if (!firing || !labels || !labels->is_object()) {
      return invalid("signal.alertmanager", pointer,
                     {"应含 status(firing 或 resolved)和 labels。",
                      "Give status (firing or resolved) and labels."});
    }
    const json::object& a = v.get_object();
    std::string print(text_or(a, "fingerprint"));
    if (print.empty()) print = json::serialize(*labels);
    // The same labels in two groups are two notifications of one condition, so the group is left
    // out.
    Found f = signal_found(sender, "alertmanager " + print.substr(0, kValueMax));
    for (const auto& [name, value] : labels->get_object()) {
      if (f.entities.size() >= kEntitiesMax || !value.is_string()) continue;
      f.entities.emplace_back(name, clip(std::string_view(value.get_string()), 200));
    }
    f.level = prometheus_level(member(a, "labels", "severity"));
    std::string_view title = member(a, "annotations", "summary");
    if (title.empty()) title = member(a, "labels", "alertname");
    f.title.zh = f.title.en = clip(title, 200);
    f.summary = clip(member(a, "annotations", "description"), 4000);
    f.quiet_ms = kAlertmanagerQuietMs;
    f.time_ms = impl_->clock.now_ms();
    f.first_ms = std::min(from_rfc3339(text_or(a, "startsAt")).value_or(f.time_ms), f.time_ms);
    if (*firing) {
      Result<SignalAnswer> one = impl_->repeats.found_now(f, {signal_sample(f, v)});
      if (!one) return one.problem();  // sending the whole again does no harm
      out.push_back(std::move(*one));
    } else {
      auto alert =
          impl_->repeats.resolve(f.org, f.rule, f.key, impl_->options.limits.resolve_hold_ms);
      out.push_back({alert.value_or(""), alert ? "resolved" : "unknown"});
    }
  }
  return out;
}

namespace {

std::optional<SourceConfig::Kind> kind_from(std::string_view s) {
  using enum SourceConfig::Kind;
  if (s == "syslog-udp") return syslog_udp;
  if (s == "syslog-tcp") return syslog_tcp;
  if (s == "file") return file;
  if (s == "push") return push;
  return std::nullopt;
}

}  // namespace

Result<SourceConfig> source_from_json(const json::object& o) {
  SignalReader r(o);
  r.only({"id", "kind", "org", "owner", "format", "utc_offset_min", "bind", "port", "path",
          "from_start", "connections_max", "line_max", "idle_s", "silent_floor_s",
          "expected_gap_s"});
  SourceConfig s;
  s.id = r.text("id", 40, true);
  if (!is_name(s.id)) r.wrong("id", {"只用小写字母、数字和 -。", "Only a–z, 0–9 and -."});
  s.kind = r.word<SourceConfig::Kind>("kind", s.kind, kind_from,
                                      {"应为 syslog-udp、syslog-tcp、file、push 之一。",
                                       "One of syslog-udp, syslog-tcp, file, push."});
  s.org = r.text("org", 64);
  s.owner = r.text("owner", 64);
  s.format = r.word<Format>("format", s.format, format_from,
                            {"不认识这种格式。", "This format is not known."});
  s.utc_offset_min = static_cast<int>(r.integer("utc_offset_min", s.utc_offset_min, -720, 840));
  if (o.contains("bind")) s.bind = r.text("bind", 64);
  s.port = static_cast<std::uint16_t>(r.integer("port", 0, 0, 65535));
  s.path = r.text("path", 4096, s.kind == SourceConfig::Kind::file);
  s.from_start = r.boolean("from_start", s.from_start);
  s.connections_max = static_cast<std::size_t>(r.integer("connections_max", 256, 1, 10'000));
  s.line_max = static_cast<std::size_t>(r.integer("line_max", 64 * 1024, 256, 1 << 20));
  s.idle_ms = r.integer("idle_s", s.idle_ms / 1000, 1, 86'400) * 1000;
  s.silent_floor_ms = r.integer("silent_floor_s", s.silent_floor_ms / 1000, 1, 7 * 86'400) * 1000;
  s.expected_gap_ms = r.integer("expected_gap_s", 0, 0, 86'400) * 1000;
  if (auto p = r.problem_if("source.invalid",
                            {"来源配置有误。", "The source's configuration is wrong."})) {
    return *p;
  }
  return s;
}

}  // namespace cw::watch
