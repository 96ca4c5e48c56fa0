// Syslog headers: RFC 5424 to the letter, RFC 3164 as it is really sent.
#include <array>

#include "base/text.h"
#include "decode.h"

namespace cw::watch {
namespace {

constexpr std::array<std::string_view, 24> kFacility{
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};
constexpr std::array<std::string_view, 8> kSeverity{"emergency", "alert",  "critical", "error",
                                                    "warning",   "notice", "info",     "debug"};
constexpr std::size_t kParamsMax = 64;

// "<0>" … "<191>", no leading zeros.
std::optional<int> take_priority(std::string_view& s) {
  std::size_t close = s.substr(0, 5).find('>');
  if (s.empty() || s[0] != '<' || close == std::string_view::npos) return std::nullopt;
  std::string_view digits = s.substr(1, close - 1);
  if (digits.size() > 1 && digits[0] == '0') return std::nullopt;
  std::optional<int> value = to_int<int>(digits);
  if (!value || *value < 0 || *value > 191) return std::nullopt;
  s.remove_prefix(close + 1);
  return value;
}

void set_priority(int priority, Reading& r) {
  r.set("log.facility", kFacility[static_cast<std::size_t>(priority / 8)]);
  r.set("log.severity", kSeverity[static_cast<std::size_t>(priority % 8)]);
}

// One header field: printable ASCII without space, at most `size_max`; "-" is nil.
std::optional<std::string_view> take_header(std::string_view& s, std::size_t size_max) {
  std::size_t n = 0;
  while (n < s.size() && s[n] > 32 && s[n] < 127) ++n;
  if (n == 0 || n > size_max || n == s.size() || s[n] != ' ') return std::nullopt;
  std::string_view out = s.substr(0, n);
  s.remove_prefix(n + 1);
  return out == "-" ? std::string_view{} : out;
}

bool is_sd_name(char c) { return c > 32 && c < 127 && c != '=' && c != ']' && c != '"'; }

std::string_view take_sd_name(std::string_view& s) {
  std::size_t n = 0;
  while (n < s.size() && n < 33 && is_sd_name(s[n])) ++n;
  std::string_view out = s.substr(0, n);
  s.remove_prefix(n);
  return n > 32 ? std::string_view{} : out;
}

// A quoted value; only \" \\ \] are escapes, any other backslash stands for itself (RFC
// 5424 6.3.3).
std::optional<std::string> take_sd_value(std::string_view& s, bool& deviant) {
  if (s.empty() || s[0] != '"') return std::nullopt;
  std::string out;
  for (std::size_t i = 1; i < s.size(); ++i) {
    char c = s[i];
    if (c == '"') {
      s.remove_prefix(i + 1);
      return out;
    }
    if (c == ']') deviant = true;
    if (c == '\\' && i + 1 < s.size() && (s[i + 1] == '"' || s[i + 1] == '\\' || s[i + 1] == ']')) {
      c = s[++i];
    }
    out += c;
  }
  return std::nullopt;
}

bool take_structured_data(std::string_view& s, Reading& r, bool& deviant) {
  if (s.starts_with('-')) {
    s.remove_prefix(1);
    return s.empty() || s[0] == ' ';
  }
  if (!s.starts_with('[')) return false;
  std::size_t params = 0;
  while (s.starts_with('[')) {
    s.remove_prefix(1);
    std::string_view id = take_sd_name(s);
    if (id.empty()) return false;
    while (s.starts_with(' ')) {
      s.remove_prefix(1);
      std::string_view name = take_sd_name(s);
      if (name.empty() || !s.starts_with('=')) return false;
      s.remove_prefix(1);
      std::optional<std::string> value = take_sd_value(s, deviant);
      if (!value || ++params > kParamsMax) return false;
      r.set(r.keep("sd." + std::string(id) + "." + std::string(name)), r.keep(std::move(*value)));
    }
    if (!s.starts_with(']')) return false;
    s.remove_prefix(1);
  }
  return s.empty() || s[0] == ' ';
}

bool is_tag_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == '/';
}

// "sshd[123]: ", "su: ", "[sshd]: ", "[sshd] "; fills program and pid. `sure` if it had a pid or []
bool take_tag(std::string_view& s, Syslog& out, bool& sure) {
  std::string_view t = s;
  bool bracketed = t.starts_with('[');
  if (bracketed) t.remove_prefix(1);
  std::size_t n = 0;
  while (n < t.size() && n < 49 && is_tag_char(t[n])) ++n;
  if (n == 0 || n > 48) return false;
  std::string_view program = t.substr(0, n), pid;
  t.remove_prefix(n);
  sure = bracketed;
  if (bracketed) {
    if (!t.starts_with(']')) return false;
    t.remove_prefix(1);
    if (t.starts_with(':')) t.remove_prefix(1);
  } else {
    if (t.starts_with('[')) {
      std::size_t close = t.find(']');
      if (close == std::string_view::npos || close > 128) return false;
      pid = t.substr(1, close - 1);
      t.remove_prefix(close + 1);
      sure = true;
    }
    if (!t.starts_with(':')) return false;
    t.remove_prefix(1);
  }
  if (!t.empty() && t[0] != ' ') return false;
  while (t.starts_with(' ')) t.remove_prefix(1);
  out.program = program.substr(program.rfind('/') + 1);
  out.pid = pid;
  s = t;
  return true;
}

void set_header(const Syslog& h, Reading& r) {
  r.set("host.name", h.host);
  r.set("process.name", h.program);
  r.set("process.pid", h.pid);
}

}  // namespace

bool read_rfc5424(std::string_view line, Reading& r, Syslog& out) {
  std::string_view s = line;
  std::optional<int> priority = take_priority(s);
  if (!priority || !s.starts_with("1 ")) return false;
  s.remove_prefix(2);
  std::optional<std::string_view> time = take_header(s, 48);
  std::optional<std::string_view> host = time ? take_header(s, 255) : std::nullopt;
  std::optional<std::string_view> app = host ? take_header(s, 48) : std::nullopt;
  std::optional<std::string_view> pid = app ? take_header(s, 128) : std::nullopt;
  std::optional<std::string_view> message_id = pid ? take_header(s, 32) : std::nullopt;
  if (!message_id) return false;
  std::optional<Stamp> stamp;
  if (!time->empty()) {
    if (time->size() < 20 || (*time)[10] != 'T') return false;
    std::string_view t = *time;
    stamp = take_time(t, {});
    if (!stamp || !stamp->zone || !t.empty()) return false;
  }
  bool deviant = false;
  if (!take_structured_data(s, r, deviant)) return false;
  if (s.starts_with(' ')) s.remove_prefix(1);
  if (s.starts_with("\xEF\xBB\xBF")) s.remove_prefix(3);
  set_priority(*priority, r);
  r.time = stamp;
  r.set("log.message_id", *message_id);
  out = {deviant, *app, *pid, *host, s};
  set_header(out, r);
  return true;
}

bool read_rfc3164(std::string_view line, const StampContext& stamp, Reading& r, Syslog& out) {
  std::string_view s = line;
  std::optional<int> priority = take_priority(s);
  if (priority && s.starts_with("1 ")) s.remove_prefix(2);  // meant as RFC 5424
  std::string_view after = s;
  std::optional<Stamp> time = take_time(after, stamp);
  if (time && (after.starts_with(' ') || after.starts_with(": "))) {
    after.remove_prefix(after.find(' '));
    while (after.starts_with(' ')) after.remove_prefix(1);
    s = after;
  } else {
    time.reset();
  }
  out = {};
  bool sure = false;
  if (!take_tag(s, out, sure)) {
    std::size_t n = s.find(' ');
    std::string_view rest = n == std::string_view::npos ? std::string_view{} : s.substr(n + 1);
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    std::string_view host = s.substr(0, n);
    bool host_like = !host.empty() && host.size() <= 255 && host[0] != '[' && host[0] != '{' &&
                     host.find('=') == std::string_view::npos;
    bool tagged = host_like && take_tag(rest, out, sure);
    if (tagged || (time && priority && host_like)) {
      out.host = host;
      s = rest;
    }
  }
  // Without a priority only a time and a tag, or a tag with a pid, make a header.
  if (!priority && !(time && !out.program.empty()) && !(sure && !out.pid.empty())) return false;
  if (s.starts_with("[ID ")) {  // Solaris: "[ID 800047 auth.info] "
    std::size_t close = s.find("] ");
    if (close < 64) s.remove_prefix(close + 2);
  }
  out.message = s;
  if (priority) set_priority(*priority, r);
  r.time = time;
  set_header(out, r);
  return true;
}

}  // namespace cw::watch
