// Decoder: chooses the reader for a line and hands on the events.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "decode.h"
#include "watch.h"

namespace cw::watch {
namespace {

constexpr std::array<std::string_view, 8> kFormats{"auto", "syslog", "asterisk",  "freeswitch",
                                                   "sshd", "json",   "key-value", "plain"};

// Other names for the same thing, in key=value logs.
struct Alias {
  std::string_view from, to;
};
constexpr std::array<Alias, 14> kAliases{{
    {"src", "source.address"},
    {"srcip", "source.address"},
    {"src_ip", "source.address"},
    {"rhost", "source.address"},
    {"client", "source.address"},
    {"sport", "source.port"},
    {"src_port", "source.port"},
    {"dst", "destination.ip"},
    {"dstip", "destination.ip"},
    {"dst_ip", "destination.ip"},
    {"user", "account"},
    {"username", "account"},
    {"action", "event.action"},
    {"msg", "message"},
}};

bool is_key_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

std::string_view without_line_end(std::string_view s) {
  while (!s.empty() && (s.back() == '\n' || s.back() == '\r' || s.back() == '\0'))
    s.remove_suffix(1);
  return s;
}

}  // namespace

std::string_view to_string(Format format) { return kFormats[static_cast<std::size_t>(format)]; }

std::optional<Format> format_from(std::string_view text) {
  for (std::size_t i = 0; i < kFormats.size(); ++i) {
    if (kFormats[i] == text) return static_cast<Format>(i);
  }
  return std::nullopt;
}

// ---- Reading
// -------------------------------------------------------------------------------------

void Reading::clear() {
  logsource = {};
  time.reset();
  fields.clear();
  kept.clear();
}

void Reading::set(std::string_view name, std::string_view value) {
  auto found =
      std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.first == name; });
  if (value.empty()) {
    if (found != fields.end()) fields.erase(found);
  } else if (found != fields.end()) {
    found->second = value;
  } else {
    fields.emplace_back(name, value);
  }
}

std::string_view Reading::get(std::string_view name) const {
  for (const auto& [n, value] : fields) {
    if (n == name) return value;
  }
  return {};
}

std::string_view Reading::keep(std::string text) { return kept.emplace_back(std::move(text)); }

void Reading::take(const Captures& captures) {
  for (const Capture& c : captures) set(c.name, c.value);
}

void Reading::event(std::string_view category, std::string_view action, std::string_view outcome) {
  set("event.category", category);
  set("event.action", action);
  set("event.outcome", outcome);
}

bool read_key_value(std::string_view line, Reading& r) {
  std::string_view s = line;
  std::size_t pairs = 0;
  while (!s.empty() && pairs < 256) {
    while (s.starts_with(' ') || s.starts_with('\t') || s.starts_with(',')) s.remove_prefix(1);
    std::size_t n = 0;
    while (n < s.size() && n <= 64 && is_key_char(s[n])) ++n;
    bool pair = n > 0 && n <= 64 && n < s.size() && s[n] == '=';
    if (!pair) {
      if (pairs == 0) return false;
      std::size_t space = s.find(' ');
      if (space == std::string_view::npos) break;
      s.remove_prefix(space + 1);
      continue;
    }
    std::string_view key = s.substr(0, n), value;
    s.remove_prefix(n + 1);
    if (s.starts_with('"')) {
      std::string text;
      std::size_t i = 1;
      for (; i < s.size() && s[i] != '"'; ++i) {
        if (s[i] == '\\' && i + 1 < s.size()) ++i;
        text += s[i];
      }
      value = r.keep(std::move(text));
      s.remove_prefix(std::min(i + 1, s.size()));
    } else {
      std::size_t end = std::min(s.find(' '), s.size());
      value = s.substr(0, end);
      s.remove_prefix(end);
    }
    auto alias = std::find_if(kAliases.begin(), kAliases.end(),
                              [&](const Alias& a) { return a.from == key; });
    r.set(alias == kAliases.end() ? key : alias->to, value);
    ++pairs;
  }
  return pairs >= 2;
}

// ---- Decoder
// -------------------------------------------------------------------------------------

struct Decoder::Impl {
  DecoderOptions options;
  SshdReader sshd;
  detect::EventBuilder builder;
  Reading now, settled;
  Stats stats;

  explicit Impl(DecoderOptions o) : options(std::move(o)), sshd(options.connections_max) {}

  std::size_t emit(const Reading& r, const RawLine& line,
                   const std::function<void(const detect::Event&)>& each) {
    builder.clear();
    for (const auto& [name, value] : r.fields) builder.add(name, value);
    if (!line.sender.empty()) builder.add("sender", line.sender);
    each(builder.event(options.source, r.logsource, r.time ? r.time->ms : line.received_ms));
    ++stats.events;
    return 1;
  }

  std::size_t plain(std::string_view text, const RawLine& line,
                    const std::function<void(const detect::Event&)>& each) {
    now.set("message", text);
    if (now.logsource.product.empty() && options.format != Format::plain) ++stats.plain;
    return emit(now, line, each);
  }

  bool read_json(std::string_view text, const RawLine& line,
                 const std::function<void(const detect::Event&)>& each) {
    Result<detect::Event> e = builder.read(text);
    if (!e) {
      ++stats.deviant;
      return false;
    }
    detect::Event event = *e;
    event.source = options.source;
    if (event.time_ms == 0) event.time_ms = line.received_ms;
    each(event);
    ++stats.events;
    return true;
  }

  // By program, when a syslog header named it.
  bool by_program(const Syslog& h, const StampContext& stamp, bool* has_settled) {
    if (h.program.starts_with("sshd")) {
      return sshd.read(h.host, h.pid, h.message, now, settled, has_settled);
    }
    if (h.program == "asterisk") return read_asterisk(h.message, stamp, now);
    if (h.program == "freeswitch") return read_freeswitch(h.message, stamp, now);
    return false;
  }

  std::size_t decode(std::string_view text, const RawLine& line,
                     const std::function<void(const detect::Event&)>& each) {
    StampContext stamp{line.received_ms, options.utc_offset_min};
    now.clear();
    Format f = options.format;
    if (f == Format::plain) return plain(text, line, each);
    bool any = f == Format::automatic;
    if ((any || f == Format::json) && text.starts_with('{') && read_json(text, line, each))
      return 1;
    if ((any || f == Format::freeswitch) && read_freeswitch(text, stamp, now)) {
      return emit(now, line, each);
    }
    if ((any || f == Format::asterisk) && read_asterisk(text, stamp, now)) {
      return emit(now, line, each);
    }
    now.clear();
    Syslog h{.message = text};
    bool header = read_rfc5424(text, now, h);
    if (!header) {
      if (text.starts_with('<')) ++stats.deviant;
      now.clear();
      h = {.message = text};
      header = read_rfc3164(text, stamp, now, h);
      if (!header) h = {.message = text};
    } else if (h.deviant) {
      ++stats.deviant;
    }
    bool has_settled = false;
    if (header && by_program(h, stamp, &has_settled)) {
      std::size_t n = 0;
      if (has_settled) {
        settled.time = now.time;
        n += emit(settled, line, each);
      }
      return n + emit(now, line, each);
    }
    if (f == Format::sshd && sshd.read(h.host, h.pid, h.message, now, settled, &has_settled)) {
      return emit(now, line, each);
    }
    if (header && h.message.starts_with('{')) {
      std::string_view body = h.message;
      if (read_json(body, line, each)) return 1;
    }
    bool generic = any || f == Format::key_value || f == Format::syslog;
    if (generic && read_key_value(h.message, now)) {
      if (now.get("message").empty()) now.set("message", h.message);
      return emit(now, line, each);
    }
    return plain(h.message, line, each);
  }
};

Decoder::Decoder(DecoderOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
const Decoder::Stats& Decoder::stats() const { return impl_->stats; }

std::size_t Decoder::decode(const RawLine& line,
                            const std::function<void(const detect::Event&)>& each) {
  ++impl_->stats.lines;
  std::string_view text = line.text;
  if (text.size() > impl_->options.line_max) {
    text = text.substr(0, impl_->options.line_max);
    ++impl_->stats.cut;
  }
  text = without_line_end(text);
  if (trim(text).empty()) return 0;
  return impl_->decode(text, line, each);
}

}  // namespace cw::watch
