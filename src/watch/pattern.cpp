#include "pattern.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/text.h"

namespace cw::watch {
namespace {

constexpr std::size_t kAnyMax = 256;
constexpr std::size_t kStepsMax = 65'536;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_host_char(char c) {
  return is_alnum(c) || c == '.' || c == ':' || c == '-' || c == '_' || c == '%';
}

bool is_ip(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof buffer) return false;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = 0;
  in6_addr ignored;
  return inet_pton(AF_INET, buffer, &ignored) == 1 || inet_pton(AF_INET6, buffer, &ignored) == 1;
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
}

}  // namespace

bool parse_endpoint(std::string_view s, Endpoint& out) {
  for (std::string_view transport : {"UDP:", "TCP:", "TLS:", "WS:", "WSS:"}) {
    if (s.starts_with(transport)) {
      s.remove_prefix(transport.size());
      break;
    }
  }
  out = {};
  if (!s.empty() && s.front() == '[') {
    std::size_t close = s.find(']');
    if (close == std::string_view::npos) return false;
    out.address = s.substr(1, close - 1);
    std::string_view after = s.substr(close + 1);
    if (!after.empty()) {
      if (after.front() != ':' || !is_port(after.substr(1))) return false;
      out.port = after.substr(1);
    }
  } else {
    std::size_t colon = s.find(':');
    bool one = colon != std::string_view::npos && s.find(':', colon + 1) == std::string_view::npos;
    if (one) {
      if (!is_port(s.substr(colon + 1))) return false;
      out.port = s.substr(colon + 1);
      s = s.substr(0, colon);
    }
    out.address = s;
  }
  constexpr std::string_view mapped = "::ffff:";
  if (out.address.size() > mapped.size() &&
      equals_ignore_case(out.address.substr(0, mapped.size()), mapped) &&
      is_ip(out.address.substr(mapped.size()))) {
    out.address.remove_prefix(mapped.size());
  }
  if (out.address.empty() || out.address.size() > 253) return false;
  out.ip = is_ip(out.address);
  if (out.ip) return true;
  if (!is_alnum(out.address.front())) return false;
  return std::all_of(out.address.begin(), out.address.end(),
                     [](char c) { return is_alnum(c) || c == '.' || c == '-' || c == '_'; });
}

Template::Template(std::string_view text) {
  std::size_t at = 0;
  parse(text, at, false);
  CW_CHECK(at == text.size());
}

void Template::parse(std::string_view text, std::size_t& at, bool inside) {
  std::string literal;
  auto flush = [&] {
    if (!literal.empty()) tokens_.push_back({Type::literal, std::move(literal), {}, {}, {}});
    literal.clear();
  };
  for (; at < text.size(); ++at) {
    char c = text[at];
    if (c == '{') {
      flush();
      std::size_t close = text.find('}', at);
      std::size_t colon = text.find(':', at);
      CW_CHECK(close != std::string_view::npos && colon < close);
      std::string name(text.substr(at + 1, colon - at - 1));
      std::string_view kind = text.substr(colon + 1, close - colon - 1);
      Token t{Type::any, name == "-" ? "" : name, {}, {}, {}};
      if (kind == "word")
        t.type = Type::word;
      else if (kind == "num")
        t.type = Type::num;
      else if (kind == "host") {
        t.type = Type::host;
        t.address = name + ".address";
        t.ip = name + ".ip";
        t.port = name + ".port";
      } else {
        CW_CHECK(kind == "any");
      }
      tokens_.push_back(std::move(t));
      at = close;
    } else if (c == '<') {
      flush();
      std::size_t option = tokens_.size();
      tokens_.push_back({Type::option, {}, {}, {}, {}});
      parse(text, ++at, true);
      tokens_[option].end = tokens_.size();
    } else if (c == '>' && inside) {
      flush();
      return;
    } else if (c == '*' && (at + 1 == text.size() || (inside && text[at + 1] == '>'))) {
      flush();
      tokens_.push_back({Type::rest, {}, {}, {}, {}});
    } else {
      literal += c;
    }
  }
  CW_CHECK(!inside);
  flush();
}

struct Template::Walk {
  std::string_view line;
  Captures& out;
  std::size_t steps = 0;

  void take(std::string_view name, std::string_view value) {
    if (!name.empty()) out.push_back({name, value});
  }
};

bool Template::match(std::string_view line, Captures& out) const {
  out.clear();
  Walk w{line, out};
  return walk(w, 0, 0);
}

bool Template::walk_host(Walk& w, std::size_t token, std::size_t at) const {
  std::string_view rest = w.line.substr(at);
  std::size_t n = 0;
  for (std::string_view transport : {"UDP:", "TCP:", "TLS:", "WS:", "WSS:"}) {
    if (rest.starts_with(transport)) {
      n = transport.size();
      break;
    }
  }
  if (n < rest.size() && rest[n] == '[') {
    n = rest.find(']', n);
    if (n == std::string_view::npos) return false;
    ++n;
  }
  while (n < rest.size() && n < 300 && is_host_char(rest[n])) ++n;
  // What follows an address in prose (a colon, a full stop) is not part of it.
  Endpoint e;
  while (n > 0 && !parse_endpoint(rest.substr(0, n), e)) {
    if (rest[n - 1] != ':' && rest[n - 1] != '.') return false;
    --n;
  }
  if (n == 0) return false;
  const Token& t = tokens_[token];
  std::size_t mark = w.out.size();
  if (!t.text.empty()) {
    w.take(t.address, e.address);
    if (e.ip) w.take(t.ip, e.address);
    if (!e.port.empty()) w.take(t.port, e.port);
  }
  if (walk(w, token + 1, at + n)) return true;
  w.out.resize(mark);
  // "192.0.2.1:3: Auth fail": the digits after the colon were not a port.
  if (e.port.empty() || rest[0] == '[') return false;
  std::size_t shorter = static_cast<std::size_t>(e.port.data() - rest.data()) - 1;
  if (!t.text.empty()) {
    w.take(t.address, e.address);
    if (e.ip) w.take(t.ip, e.address);
  }
  if (walk(w, token + 1, at + shorter)) return true;
  w.out.resize(mark);
  return false;
}

bool Template::walk(Walk& w, std::size_t token, std::size_t at) const {
  if (++w.steps > kStepsMax) return false;
  if (token == tokens_.size()) return at == w.line.size();
  const Token& t = tokens_[token];
  std::string_view rest = w.line.substr(at);
  std::size_t mark = w.out.size();
  switch (t.type) {
    case Type::literal:
      return rest.starts_with(t.text) && walk(w, token + 1, at + t.text.size());
    case Type::rest:
      return true;
    case Type::host:
      return walk_host(w, token, at);
    case Type::num: {
      std::size_t n = 0;
      while (n < rest.size() && n < 10 && is_digit(rest[n])) ++n;
      if (n == 0) return false;
      w.take(t.text, rest.substr(0, n));
      if (walk(w, token + 1, at + n)) return true;
      w.out.resize(mark);
      return false;
    }
    case Type::option:
      if (walk(w, token + 1, at)) return true;
      w.out.resize(mark);
      return walk(w, t.end, at);
    case Type::any:
    case Type::word: {
      std::size_t least = t.type == Type::word ? 1 : 0;
      const Token* next = token + 1 < tokens_.size() ? &tokens_[token + 1] : nullptr;
      for (std::size_t n = 0; n <= rest.size() && n <= kAnyMax; ++n) {
        if (n > 0 && t.type == Type::word && rest[n - 1] == ' ') return false;
        if (n < least) continue;
        if (next && next->type == Type::literal && !rest.substr(n).starts_with(next->text))
          continue;
        w.take(t.text, rest.substr(0, n));
        if (walk(w, token + 1, at + n)) return true;
        w.out.resize(mark);
      }
      return false;
    }
  }
  return false;
}

}  // namespace cw::watch
