// The decoders behind Decoder: each reads one kind of line into a Reading. Private to the module.
// A reader belongs to one thread.
//
//   Reading r;  r.clear();
//   if (read_freeswitch(line, stamp, r)) emit(r);
#pragma once

#include <deque>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "detect/detect.h"
#include "pattern.h"
#include "stamp.h"

namespace cw::watch {

// What one event says so far. Views point into the line, into tables, or into `kept`.
struct Reading {
  detect::LogSource logsource;
  std::optional<Stamp> time;
  std::vector<std::pair<std::string_view, std::string_view>> fields;
  std::deque<std::string> kept;

  void clear();
  void set(std::string_view name, std::string_view value);  // replaces; an empty value removes
  std::string_view get(std::string_view name) const;
  std::string_view keep(std::string text);  // alive until clear()
  void take(const Captures& captures);      // account, source.…, every capture
  void event(std::string_view category, std::string_view action, std::string_view outcome);
};

// ---- syslog
// --------------------------------------------------------------------------------------

struct Syslog {
  bool deviant = false;      // taken although a "]" in a value was not escaped
  std::string_view program;  // app-name or tag, "" if none
  std::string_view pid;
  std::string_view host;
  std::string_view message;
};
// RFC 5424, strictly: a header or structured data that breaks its grammar is not taken, but for a
// bare "]" inside a quoted value, which is common and not ambiguous.
bool read_rfc5424(std::string_view line, Reading& r, Syslog& out);
// RFC 3164 and what is sent in its name: no priority, no host, no tag, ISO times, a year, [tag].
// With `need_tag` a line without priority and time must have "host tag[pid]:" or "tag[pid]:".
bool read_rfc3164(std::string_view line, const StampContext& stamp, Reading& r, Syslog& out);

// ---- programs
// ------------------------------------------------------------------------------------

// Messages log and security log, with or without the time in front. False: not Asterisk's shape.
bool read_asterisk(std::string_view line, const StampContext& stamp, Reading& r);
bool read_freeswitch(std::string_view line, const StampContext& stamp, Reading& r);

// sshd names the address once and decides late, so this one remembers connections by host and pid.
class SshdReader {
 public:
  explicit SshdReader(std::size_t connections_max) : connections_max_(connections_max) {}
  // Fills `r`; true. When the line also settles a failure that waited, fills `settled` and sets
  // *has_settled: that event comes first.
  bool read(std::string_view host, std::string_view pid, std::string_view message, Reading& r,
            Reading& settled, bool* has_settled);

 private:
  struct Connection {
    std::string key, address, port, account;
    int deferred = 0;    // failures that a later success would forgive
    int nameless = 0;    // failures whose address is not known yet
    bool probe = false;  // the nameless one is a probe, not a logon
  };
  using Order = std::list<Connection>;
  Connection& connection(std::string_view host, std::string_view pid);
  void locate(Connection& c, Reading& r) const;
  void fail(Connection& c, Reading& r, std::string_view action) const;
  bool settle(Connection& c, Reading& r) const;
  void accepted(Connection& c, Reading& r, Reading& settled, bool* has_settled) const;
  void deferred(Connection& c, Reading& r) const;
  void closed(Connection& c, Reading& r, bool preauth) const;

  std::size_t connections_max_;
  Order order_;  // most recent first
  std::unordered_map<std::string, Order::iterator> by_key_;
};

// key=value and key="quoted value", at least two; the first token must be one.
bool read_key_value(std::string_view line, Reading& r);

}  // namespace cw::watch
