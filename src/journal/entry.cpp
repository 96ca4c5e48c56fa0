#include <charconv>
#include <utility>

#include "block.h"

namespace cw {
namespace {

Problem not_an_entry() {
  return problem(Refusal::malformed, "journal.not-an-entry",
                 {"不是有效的日志条目", "This is not a journal entry"});
}

}  // namespace

std::string Entry::canonical() const {
  std::string out;
  canonical_to(out);
  return out;
}

// The members are written in the order that RFC 8785 demands, so no sorting is needed here.
void Entry::canonical_to(std::string& out) const {
  std::size_t begin = out.size();
  bool first = true;
  auto key = [&](std::string_view member) {
    out += std::exchange(first, false) ? "{\"" : ",\"";
    out += member;
    out += "\":";
  };
  auto text = [&](std::string_view member, const std::string& value) {
    if (value.empty()) return;
    key(member);
    canonical_string(value, out);
  };
  auto number = [&](std::string_view member, auto value) {
    key(member);
    char digits[24];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  };
  text("actor", actor);
  number("at", at_ms);
  text("basis", basis);
  if (!body.empty()) {
    key("body");
    cw::canonical_to(body, out);
  }
  text("case", case_id);
  text("command", command);
  text("content", content);
  text("kind", kind);
  text("name", name);
  text("procedure", procedure);
  number("seq", seq);
  out += '}';
  if (out.size() - begin > kEntryMax)
    throw std::length_error("journal: an entry is over 65,535 bytes");
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
