// OpenSSH's server. It names the address on one line and the failure on another, and a failed key
// is only a failure if no success follows, so lines are read in the light of their connection.
#include "base/text.h"
#include "decode.h"

namespace cw::watch {
namespace {

enum class Effect {
  fail,
  unknown,
  refused,
  probe,  // with an address in the line
  defer,  // a failure unless a success of the same account follows
  nameless_fail,
  nameless_probe,  // the address is the connection's, known or to come
  accept,
  learn,
  close,
  silent,
};

struct SshRow {
  Template line;
  Effect effect;
};

#define CW_TAIL "< port {source.port:num}>< ssh{-:num}><: *>"

const std::vector<SshRow>& ssh_rows() {
  static const std::vector<SshRow> rows = [] {
    std::vector<SshRow> t;
    auto row = [&](Effect effect, std::string_view line) { t.push_back({Template(line), effect}); };
    using enum Effect;
    row(unknown, "Failed {method:word} for invalid user {account:any} from {source:host}" CW_TAIL);
    row(defer, "Failed publickey for {account:any} from {source:host}" CW_TAIL);
    row(defer, "Failed none for {account:any} from {source:host}" CW_TAIL);
    row(fail, "Failed {method:word} for {account:any} from {source:host}" CW_TAIL);
    row(accept, "Accepted {method:word} for {account:any} from {source:host}" CW_TAIL);
    row(unknown, "Invalid user {account:any} from {source:host}< port {source.port:num}>");
    row(fail,
        "maximum authentication attempts exceeded for< invalid user> {account:any} from "
        "{source:host}" CW_TAIL);
    row(fail, "ROOT LOGIN REFUSED FROM {source:host}< port {source.port:num}>");
    row(unknown,
        "PAM: User not known to the underlying authentication module for< illegal user> "
        "{account:any} from {source:host}< via {-:host}>");
    for (std::string_view what : {"Authentication failure", "authentication failure",
                                  "Authentication error", "authentication error"}) {
      row(fail, "PAM: " + std::string(what) +
                    " for< illegal user> {account:any} from {source:host}< via {-:host}>");
    }
    row(refused, "User {account:any} from {source:host} not allowed because *");
    row(nameless_fail, "User {account:any} not allowed because account is locked");
    row(refused, "refused connect from {-:any} ({source:host})");
    row(defer,
        "pam_unix(sshd:auth): authentication failure; {-:any}rhost={source:host}<  "
        "user={account:any}>");
    row(silent,
        "Disconnecting< invalid user> {account:any} {source:host} port {source.port:num}: "
        "Too many authentication failures");
    row(fail,
        "Disconnecting< invalid user> {account:any} {source:host} port {source.port:num}: "
        "Change of username or service not allowed: *");
    row(nameless_fail, "Disconnecting: Too many authentication failures< for {account:any}>");
    row(fail,
        "Received disconnect from {source:host}< port {source.port:num}>:< >3: {-:any}: Auth fail");
    row(probe,
        "Received disconnect from {source:host}< port {source.port:num}>:< >14: No< supported> "
        "authentication methods available");
    row(close, "Received disconnect from {source:host}< port {source.port:num}>:*");

    row(probe, "Did not receive identification string from {source:host}< port {source.port:num}>");
    row(probe,
        "Bad protocol version identification '{-:any}' from {source:host}< port "
        "{source.port:num}>");
    row(probe, "banner exchange: Connection from {source:host} port {source.port:num}: *");
    row(probe, "ssh_dispatch_run_fatal: Connection from {source:host} port {source.port:num}: *");
    row(probe, "Timeout before authentication for {source:host}< port {source.port:num}>");
    row(probe,
        "Timeout before authentication for connection from {source:host} to {-:host}, pid = "
        "{-:num}");
    row(probe, "Unable to negotiate with {source:host}< port {source.port:num}>: no matching *");
    row(nameless_probe, "Unable to negotiate a key exchange method");
    row(nameless_probe, "no matching {-:word} found: *");
    row(nameless_probe, "Read from socket failed: Connection reset by peer");
    row(nameless_probe, "kex_exchange_identification: *");

    row(learn, "Connection from {source:host} port {source.port:num}*");
    row(learn, "Connection from {source:host}");
    row(learn, "SSH: Server;Ltype: {-:word};Remote: {source.address:any}-{source.port:num};*");
    for (std::string_view verb :
         {"Connection closed by", "Connection reset by", "Disconnected from"}) {
      std::string v(verb);
      row(close, v + " invalid user {account:any} {source:host} port {source.port:num}");
      row(close, v + " authenticating user {account:any} {source:host} port {source.port:num}");
      row(close, v + " {source:host}< port {source.port:num}>");
    }
    return t;
  }();
  return rows;
}
#undef CW_TAIL

}  // namespace

SshdReader::Connection& SshdReader::connection(std::string_view host, std::string_view pid) {
  std::string key = std::string(host.substr(0, 255)) + '/' + std::string(pid.substr(0, 32));
  auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    order_.splice(order_.begin(), order_, found->second);
    return order_.front();
  }
  if (order_.size() >= connections_max_) {
    by_key_.erase(order_.back().key);
    order_.pop_back();
  }
  order_.push_front({});
  order_.front().key = key;
  by_key_.emplace(std::move(key), order_.begin());
  return order_.front();
}

// The line's address is the connection's from now on; a line without one takes the connection's.
void SshdReader::locate(Connection& c, Reading& r) const {
  std::string_view address = r.get("source.address");
  if (!address.empty()) {
    Endpoint e;
    if (parse_endpoint(address, e) && e.ip) r.set("source.ip", address);
    c.address = address;
    c.port = r.get("source.port");
    return;
  }
  if (c.address.empty()) return;
  std::string_view kept = r.keep(c.address);
  Endpoint e;
  if (parse_endpoint(kept, e) && e.ip) r.set("source.ip", kept);
  r.set("source.address", kept);
  r.set("source.port", r.keep(c.port));
}

void SshdReader::fail(Connection& c, Reading& r, std::string_view action) const {
  int attempts = 1 + c.deferred + c.nameless;
  if (attempts > 1) r.set("event.attempts", r.keep(std::to_string(attempts)));
  c.deferred = c.nameless = 0;
  bool probe = action == "probe";
  r.event(probe ? "network" : "authentication", action, "failure");
}

// What waited for an address, or for a success that did not come, is a failure after all.
bool SshdReader::settle(Connection& c, Reading& r) const {
  if (c.address.empty() || c.deferred + c.nameless == 0) return false;
  bool probe = c.probe && c.deferred == 0;
  int attempts = c.deferred + c.nameless;
  c.deferred = c.nameless = 0;
  c.probe = false;
  if (attempts > 1) r.set("event.attempts", r.keep(std::to_string(attempts)));
  if (r.get("account").empty()) r.set("account", r.keep(c.account));
  r.event(probe ? "network" : "authentication", probe ? "probe" : "logon-failed", "failure");
  return true;
}

void SshdReader::accepted(Connection& c, Reading& r, Reading& settled, bool* has_settled) const {
  // A success of another account does not forgive what was tried before on this connection.
  if (!c.account.empty() && c.account != r.get("account")) {
    settled = r;
    settled.set("account", settled.keep(c.account));
    int attempts = c.deferred > 0 ? c.deferred : 1;
    settled.set("event.attempts", attempts > 1 ? settled.keep(std::to_string(attempts)) : "");
    settled.event("authentication", "logon-failed", "failure");
    *has_settled = true;
  }
  c.deferred = c.nameless = 0;
  c.account.clear();
  r.event("authentication", "logon-ok", "success");
}

void SshdReader::deferred(Connection& c, Reading& r) const {
  std::string_view account = r.get("account");
  bool changed = !c.account.empty() && !account.empty() && c.account != account;
  if (changed) {
    fail(c, r, "logon-failed");
  } else {
    ++c.deferred;
    r.event("authentication", "logon-attempt", "unknown");
  }
  if (!account.empty()) c.account = account;
}

void SshdReader::closed(Connection& c, Reading& r, bool preauth) const {
  if (c.nameless > 0 || (preauth && c.deferred > 0)) {
    settle(c, r);
  } else if (preauth && !r.get("message").starts_with("Received disconnect")) {
    r.event("network", "probe", "failure");
  } else {
    r.event("network", "disconnect", "unknown");
  }
  c.deferred = 0;
  c.account.clear();
}

bool SshdReader::read(std::string_view host, std::string_view pid, std::string_view message,
                      Reading& r, Reading& settled, bool* has_settled) {
  *has_settled = false;
  r.logsource = {"linux", "sshd", ""};
  r.set("service", "SSH");
  r.set("message", message);
  std::string_view s = trim(message);
  bool preauth = s.ends_with(" [preauth]");
  if (preauth) s.remove_suffix(10);
  for (std::string_view prefix : {"error: ", "fatal: "}) {
    if (s.starts_with(prefix)) s.remove_prefix(prefix.size());
  }
  Connection& c = connection(host, pid);
  Captures captures;
  for (const SshRow& row : ssh_rows()) {
    if (!row.line.match(s, captures)) continue;
    r.take(captures);
    if (s.starts_with("pam_unix") && r.get("account").empty()) {
      std::size_t at = s.find(" ruser=");
      if (at != std::string_view::npos) {
        std::string_view ruser = s.substr(at + 7);
        r.set("account", ruser.substr(0, ruser.find(' ')));
      }
    }
    if (row.effect == Effect::learn) c.deferred = c.nameless = 0, c.account.clear();
    locate(c, r);
    bool located = !c.address.empty();
    switch (row.effect) {
      case Effect::fail:
        fail(c, r, "logon-failed");
        break;
      case Effect::unknown:
        fail(c, r, "account-unknown");
        break;
      case Effect::refused:
        fail(c, r, "acl-rejected");
        break;
      case Effect::probe:
        fail(c, r, "probe");
        break;
      case Effect::defer:
        deferred(c, r);
        break;
      case Effect::nameless_fail:
      case Effect::nameless_probe: {
        bool probe = row.effect == Effect::nameless_probe;
        if (located) {
          fail(c, r, probe ? "probe" : "logon-failed");
        } else {
          ++c.nameless;
          c.probe = probe;
          if (!r.get("account").empty()) c.account = r.get("account");
          r.event("network", "connection", "unknown");
        }
        break;
      }
      case Effect::accept:
        accepted(c, r, settled, has_settled);
        break;
      case Effect::learn:
        r.event("network", "connection", "unknown");
        break;
      case Effect::close:
        closed(c, r, preauth);
        break;
      case Effect::silent:
        r.event("authentication", "other", "unknown");
        break;
    }
    return true;
  }
  return true;
}

}  // namespace cw::watch
