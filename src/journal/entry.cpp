#include <fmt/format.h>

#include <algorithm>

#include "journal.h"

namespace cw {
namespace {

constexpr std::size_t kEntryMax = 65'535;  // a length in an entry tile has 16 bits

void member(std::string& out, std::string_view key, const std::string& value) {
  if (value.empty()) return;
  if (out.size() > 1) out += ',';
  out += '"';
  out += key;
  out += "\":";
  canonical_string(value, out);
}

// The body without a copy of it: a body's keys are plain ASCII, whose byte order is RFC 8785's.
void write_body(const json::object& body, std::string& out) {
  constexpr std::size_t kFew = 24;
  const json::key_value_pair* members[kFew];
  std::size_t count = 0;
  auto plain = [](std::string_view key) {
    return std::all_of(key.begin(), key.end(), [](unsigned char c) { return c < 0x80; });
  };
  for (const auto& m : body) {
    if (count == kFew || !plain(m.key())) return canonical_to(body, out);
    members[count++] = &m;
  }
  std::sort(members, members + count, [](auto* a, auto* b) { return a->key() < b->key(); });
  for (std::size_t i = 0; i < count; ++i) {
    out += i == 0 ? '{' : ',';
    canonical_string(members[i]->key(), out);
    out += ':';
    canonical_to(members[i]->value(), out);
  }
  out += '}';
}

Problem not_an_entry() {
  return problem(Refusal::malformed, "journal.not-an-entry",
                 {"不是有效的日志条目", "This is not a journal entry"});
}

}  // namespace

// The members are written in the order that RFC 8785 demands, so no sorting is needed here.
std::string Entry::canonical() const {
  std::string out = "{";
  out.reserve(512);
  member(out, "actor", actor);
  if (out.size() > 1) out += ',';
  fmt::format_to(std::back_inserter(out), "\"at\":{}", at_ms);
  member(out, "basis", basis);
  if (!body.empty()) {
    out += ",\"body\":";
    write_body(body, out);
  }
  member(out, "case", case_id);
  member(out, "command", command);
  member(out, "content", content);
  member(out, "kind", kind);
  member(out, "name", name);
  member(out, "procedure", procedure);
  fmt::format_to(std::back_inserter(out), ",\"seq\":{}}}", seq);
  if (out.size() > kEntryMax) throw std::length_error("journal: an entry is over 65,535 bytes");
  return out;
}

Result<Entry> Entry::parse(std::string_view canonical) {
  auto value = parse_json(canonical, {.size_max = kEntryMax, .depth_max = 32});
  if (!value) return std::move(value).problem();
  auto* object = value->if_object();
  if (!object) return not_an_entry();
  Entry e;
  for (auto& [key, v] : *object) {
    std::string* text = key == "actor"       ? &e.actor
                        : key == "basis"     ? &e.basis
                        : key == "case"      ? &e.case_id
                        : key == "command"   ? &e.command
                        : key == "content"   ? &e.content
                        : key == "kind"      ? &e.kind
                        : key == "name"      ? &e.name
                        : key == "procedure" ? &e.procedure
                                             : nullptr;
    if (text && v.is_string())
      *text = v.get_string();
    else if (key == "at" && v.is_int64())
      e.at_ms = v.get_int64();
    else if (key == "seq" && v.is_int64() && v.get_int64() >= 0)
      e.seq = static_cast<std::uint64_t>(v.get_int64());
    else if (key == "body" && v.is_object())
      e.body = std::move(v.get_object());
    else
      return not_an_entry();
  }
  if (e.kind.empty()) return not_an_entry();
  return e;
}

}  // namespace cw
