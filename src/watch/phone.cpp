// Asterisk (messages log, security log) and FreeSWITCH.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "decode.h"

namespace cw::watch {
namespace {

struct PhoneRow {
  Template line;
  std::string_view category, action;  // action "": by the reason
};

const std::vector<PhoneRow>& asterisk_rows() {
  static const std::vector<PhoneRow> rows = [] {
    std::vector<PhoneRow> t;
    auto row = [&](std::string_view line, std::string_view category, std::string_view action) {
      t.push_back({Template(line), category, action});
    };
    row("Registration from '{from:any}' failed for '{source:host}' - {reason:any}",
        "authentication", "");
    row("Request< '{method:word}'> from '{from:any}' failed for '{source:host}' "
        "(callid: {call.id:word}) - {reason:any}",
        "authentication", "");
    row("Host {source:host} failed to authenticate as '{account:any}'", "authentication",
        "logon-failed");
    row("Host {source:host} failed MD5 authentication for '{account:any}' ({-:any})",
        "authentication", "logon-failed");
    row("No registration for peer '{account:any}' (from {source:host})", "authentication",
        "account-unknown");
    row("{source:host} failed to authenticate as '{account:any}'", "authentication",
        "logon-failed");
    row("{source:host} tried to authenticate with nonexistent user '{account:any}'",
        "authentication", "account-unknown");
    row("Call< from '{account:any}'> ({source:host}) to extension '{destination.number:any}' "
        "rejected because extension not found in context '{context:any}'<.>",
        "call", "call-rejected");
    row("hacking attempt detected '{source:host}'", "network", "probe");
    row("<\">Rejecting unknown SIP connection from {source:host}<\">", "call", "call-rejected");
    row("<\">Friendly Scanner from {source:host}<\">", "network", "probe");
    return t;
  }();
  return rows;
}

// Why a registration or request failed, as chan_sip and res_pjsip say it.
struct Reason {
  std::string_view starts, action;
};
constexpr std::array<Reason, 15> kReasons{{
    {"Wrong password", "logon-failed"},
    {"Failed to authenticate", "logon-failed"},
    {"Error to authenticate", "logon-failed"},
    {"Username/auth name mismatch", "logon-failed"},
    {"No matching peer found", "account-unknown"},
    {"No matching endpoint found", "account-unknown"},
    {"Peer is not supposed to register", "account-unknown"},
    {"Not a local domain", "account-unknown"},
    {"Device does not match ACL", "acl-rejected"},
    {"ACL error (permit/deny)", "acl-rejected"},
    {"Not match Endpoint ACL", "acl-rejected"},
    {"Not match Endpoint Contact ACL", "acl-rejected"},
    {"Registration from", "logon-failed"},
    {"Bad password", "logon-failed"},
    {"Too many", "logon-failed"},
}};

struct SecurityAction {
  std::string_view event, category, action, outcome;
};
constexpr std::array<SecurityAction, 16> kSecurity{{
    {"InvalidAccountID", "authentication", "account-unknown", "failure"},
    {"InvalidPassword", "authentication", "logon-failed", "failure"},
    {"ChallengeResponseFailed", "authentication", "logon-failed", "failure"},
    {"FailedACL", "authentication", "acl-rejected", "failure"},
    {"UnexpectedAddress", "authentication", "acl-rejected", "failure"},
    {"AuthMethodNotAllowed", "authentication", "logon-failed", "failure"},
    {"InvalidTransport", "authentication", "acl-rejected", "failure"},
    {"RequestNotAllowed", "authentication", "request-refused", "failure"},
    {"RequestNotSupported", "network", "request-refused", "failure"},
    {"RequestBadFormat", "network", "request-refused", "failure"},
    {"SessionLimit", "availability", "limit-reached", "failure"},
    {"MemoryLimit", "availability", "limit-reached", "failure"},
    {"LoadAverageLimit", "availability", "limit-reached", "failure"},
    {"SuccessfulAuth", "authentication", "logon-ok", "success"},
    {"ChallengeSent", "authentication", "challenge", "unknown"},
    {"HAProxy", "network", "challenge", "unknown"},
}};

constexpr std::array<std::string_view, 7> kAsteriskLevels{"NOTICE",  "SECURITY", "WARNING", "ERROR",
                                                          "VERBOSE", "DEBUG",    "DTMF"};
constexpr std::array<std::string_view, 9> kFreeSwitchLevels{
    "DEBUG", "INFO", "NOTICE", "WARNING", "WARN", "ERR", "CRIT", "ALERT", "CONSOLE"};

// The user of "\"100\"<sip:100@host:5060>" or "sip:bob@host"; "" when there is none.
std::string_view sip_user(std::string_view from) {
  for (std::string_view scheme : {"sip:", "sips:"}) {
    std::size_t at = from.rfind(scheme);
    if (at == std::string_view::npos) continue;
    std::string_view rest = from.substr(at + scheme.size());
    std::size_t end = rest.rfind('@');
    return end == std::string_view::npos ? std::string_view{} : rest.substr(0, end);
  }
  return {};
}

std::string_view take_quoted(std::string_view line, std::string_view name, std::string_view until) {
  std::string start = std::string(name) + "=\"";
  std::size_t at = line.find(start);
  if (at == std::string_view::npos) return {};
  std::string_view rest = line.substr(at + start.size());
  std::size_t end = rest.find(until);
  return end == std::string_view::npos ? std::string_view{} : rest.substr(0, end);
}

// "IPV4/UDP/192.0.2.1/5060"
void set_address(std::string_view text, std::string_view ip, std::string_view address,
                 std::string_view port, Reading& r) {
  std::vector<std::string_view> parts = split(text, '/');
  if (parts.size() != 4 || !parts[0].starts_with("IPV")) return;
  Endpoint e;
  if (!parse_endpoint(parts[2], e)) return;
  if (!address.empty()) r.set(address, e.address);
  if (e.ip) r.set(ip, e.address);
  r.set(port, parts[3]);
  r.set("transport", parts[1]);
}

// SessionID is whatever the caller sent, quotes included, so the addresses are the last ones.
bool read_security_event(std::string_view line, const StampContext& stamp, Reading& r) {
  std::string_view event = take_quoted(line, "SecurityEvent", "\"");
  if (event.empty()) return false;
  r.logsource = {"asterisk", "security", ""};
  r.set("asterisk.event", event);
  r.set("service", take_quoted(line, "Service", "\""));
  std::string_view account = take_quoted(line, "AccountID", "\",SessionID=\"");
  if (account.empty()) account = take_quoted(line, "AccountID", "\"");
  if (account != "<unknown>") r.set("account", account);

  std::size_t local = line.rfind("LocalAddress=\"");
  std::size_t remote = line.rfind("RemoteAddress=\"");
  if (remote != std::string_view::npos) {
    if (local < remote) {
      std::string_view session = take_quoted(line.substr(0, local), "SessionID", "\",");
      r.set("asterisk.session", session.substr(0, 256));
      set_address(take_quoted(line.substr(local), "LocalAddress", "\""), "destination.ip", "",
                  "destination.port", r);
    }
    set_address(take_quoted(line.substr(remote), "RemoteAddress", "\""), "source.ip",
                "source.address", "source.port", r);
  }
  // The event's own time is absolute: better than a log line that lacks its year or zone.
  std::string_view own = take_quoted(line, "EventTV", "\"");
  if (std::optional<Stamp> t = take_time(own, stamp); t && t->zone && !(r.time && r.time->zone)) {
    r.time = t;
  }
  for (const SecurityAction& a : kSecurity) {
    if (a.event == event) {
      r.event(a.category, a.action, a.outcome);
      return true;
    }
  }
  r.event("other", "other", "unknown");
  return true;
}

// "NOTICE[1638][C-0000001d]: " in any of its spellings.
bool take_asterisk_level(std::string_view& s, Reading& r) {
  std::string_view t = s;
  std::string_view level;
  for (std::string_view name : kAsteriskLevels) {
    if (t.starts_with(name)) level = name;
  }
  if (level.empty()) return false;
  t.remove_prefix(level.size());
  if (t.starts_with(' ')) t.remove_prefix(1);
  if (!t.starts_with('[')) return false;
  for (int groups = 0; groups < 2 && t.starts_with('['); ++groups) {
    std::size_t close = t.find(']');
    if (close == std::string_view::npos || close > 32) return false;
    if (groups == 1) r.set("asterisk.call", t.substr(1, close - 1));
    t.remove_prefix(close + 1);
  }
  if (t.starts_with(':')) t.remove_prefix(1);
  if (!t.starts_with(' ')) return false;
  while (t.starts_with(' ')) t.remove_prefix(1);
  r.set("log.level", level);
  s = t;
  return true;
}

bool match_row(const std::vector<PhoneRow>& rows, std::string_view message, Reading& r) {
  Captures captures;
  for (const PhoneRow& row : rows) {
    if (!row.line.match(message, captures)) continue;
    r.take(captures);
    std::string_view action = row.action;
    if (action.empty()) {
      std::string_view reason = r.get("reason");
      auto found = std::find_if(kReasons.begin(), kReasons.end(),
                                [&](const Reason& x) { return reason.starts_with(x.starts); });
      if (found == kReasons.end()) return false;
      action = found->action;
    }
    r.event(row.category, action, "failure");
    return true;
  }
  return false;
}

}  // namespace

bool read_asterisk(std::string_view line, const StampContext& stamp, Reading& r) {
  std::string_view s = line;
  if (s.starts_with('[')) {
    std::string_view inside = s.substr(1);
    std::optional<Stamp> time = take_time(inside, stamp);
    if (!time || !inside.starts_with(']')) return false;
    s = inside.substr(1);
    while (s.starts_with(' ')) s.remove_prefix(1);
    if (!r.time) r.time = time;  // a syslog header said it already
  }
  if (!take_asterisk_level(s, r)) return false;
  r.logsource = {"asterisk", "messages", ""};
  r.set("message", s);
  if (s.find("SecurityEvent=\"") != std::string_view::npos && read_security_event(s, stamp, r)) {
    return true;
  }
  // "chan_sip.c:23417 in handle_request_register: ", "Ext. s:6 in @ from-sip-external: ": what is
  // before the message differs by version, so each step past a ": " is tried; three are enough.
  for (int step = 0; step < 3; ++step) {
    if (match_row(asterisk_rows(), s, r)) {
      std::string_view user = sip_user(r.get("from"));
      if (!user.empty()) r.set("account", user);
      r.set("service", r.get("message").starts_with("chan_iax2") ? "IAX2"
                       : r.get("message").starts_with("manager") ? "AMI"
                                                                 : "SIP");
      return true;
    }
    std::size_t next = s.find(": ");
    if (next == std::string_view::npos || next > 96) break;
    s = s.substr(next + 2);
    while (s.starts_with(' ')) s.remove_prefix(1);
  }
  return true;
}

bool read_freeswitch(std::string_view line, const StampContext& stamp, Reading& r) {
  struct Row {
    Template line;
    std::string_view category, action, outcome;
  };
  static const std::vector<Row> rows = [] {
    std::vector<Row> t;
    auto row = [&](std::string_view text, std::string_view category, std::string_view action,
                   std::string_view outcome) {
      t.push_back({Template(text), category, action, outcome});
    };
    row("SIP auth failure ({method:word}) on sofia profile '{profile:any}' for [{account:any}] "
        "from ip {source:host}",
        "authentication", "logon-failed", "failure");
    row("SIP auth challenge ({method:word}) on sofia profile '{profile:any}' for [{account:any}] "
        "from ip {source:host}",
        "authentication", "challenge", "unknown");
    row("Can't find user [{account:any}] from {source:host}", "authentication", "account-unknown",
        "failure");
    row("IP {source:host} Rejected by register acl< \"{acl:any}\">", "authentication",
        "acl-rejected", "failure");
    row("IP {source:host} Rejected by acl \"{acl:any}\"", "authentication", "acl-rejected",
        "failure");
    return t;
  }();
  std::string_view s = line;
  std::optional<Stamp> time = take_time(s, stamp);
  while (s.starts_with(' ')) s.remove_prefix(1);
  if (std::size_t percent = s.substr(0, 9).find("% "); percent != std::string_view::npos) {
    s.remove_prefix(percent + 2);
  }
  std::size_t close = s.substr(0, 10).find(']');
  if (!s.starts_with('[') || close == std::string_view::npos) return false;
  std::string_view level = s.substr(1, close - 1);
  if (std::find(kFreeSwitchLevels.begin(), kFreeSwitchLevels.end(), level) ==
      kFreeSwitchLevels.end()) {
    return false;
  }
  s.remove_prefix(close + 1);
  if (!s.starts_with(' ')) return false;
  if (!r.time) r.time = time;
  r.logsource = {"freeswitch", "sofia", ""};
  r.set("log.level", level);
  while (s.starts_with(' ')) s.remove_prefix(1);
  while (s.starts_with('[') && s.find("] ") < 64) s.remove_prefix(s.find("] ") + 2);
  r.set("message", s);
  if (std::size_t space = s.find(' '); space < 64 && s.substr(0, space).find(".c:") < space) {
    s.remove_prefix(space + 1);
    r.set("message", s);
  }
  Captures captures;
  for (const Row& row : rows) {
    if (!row.line.match(s, captures)) continue;
    r.take(captures);
    if (std::string_view account = r.get("account"); !account.empty()) {
      r.set("account", account.substr(0, account.rfind('@')));
    }
    r.set("service", "SIP");
    r.event(row.category, row.action, row.outcome);
    break;
  }
  return true;
}

}  // namespace cw::watch
