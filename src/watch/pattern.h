// Line templates: how the decoders' tables say what a log line looks like. Private to the module.
//
//   Failed {-:word} for< invalid user> {account:any} from {source:host}< port {source.port:num}>*
//
// {name:type} captures: `any` (0–256 bytes, shortest first), `word` (1–256 without space), `num`
// (1–10 digits), `host` (an address or host name, with its port if it has one: "[::1]:5060",
// "UDP:192.0.2.1:5060"; fills name.address, name.ip and name.port). `-` captures nothing.
// <…> may be absent; * at the end, or before a >, takes whatever follows; else the line must end
// there. Matching backtracks; at most 65,536 steps a line, then it is taken as no match.
//
// Thread-safety: immutable after construction.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cw::watch {

struct Endpoint {
  std::string_view address;  // without brackets, and without ::ffff: before an IPv4 address
  std::string_view port;     // digits, or ""
  bool ip = false;           // a valid IPv4 or IPv6 address
};
// Reads "192.0.2.1", "192.0.2.1:5060", "2001:db8::1", "[2001:db8::1]:5060", "UDP:…", "host.name".
// False when it is none of these.
bool parse_endpoint(std::string_view text, Endpoint& out);

struct Capture {
  std::string_view name;   // of the template, alive as long as it
  std::string_view value;  // part of the line
};
using Captures = std::vector<Capture>;

class Template {
 public:
  explicit Template(std::string_view text);
  // Fills `out` (cleared first) if the whole of `line` matches.
  bool match(std::string_view line, Captures& out) const;

 private:
  enum class Type : std::uint8_t { literal, any, word, num, host, option, rest };
  struct Token {
    Type type;
    std::string text;               // literal, or the capture's name
    std::string address, ip, port;  // names of a host's parts
    std::size_t end = 0;            // option: the token after it
  };
  struct Walk;
  bool walk(Walk& w, std::size_t token, std::size_t at) const;
  bool walk_host(Walk& w, std::size_t token, std::size_t at) const;
  void parse(std::string_view text, std::size_t& at, bool inside);

  std::vector<Token> tokens_;
};

}  // namespace cw::watch
