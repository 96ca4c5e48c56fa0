// What differs between two definitions, part by part: over the console's JSON, so that a new
// construct of the language shows up without a change here.
#include <map>

#include "base/text.h"
#include "publish/difference.h"

namespace cw {
namespace {

constexpr std::size_t kMemberMax = 2'000;  // bytes of one value told
constexpr std::size_t kPartsMax = 2'000;

using Parts = std::map<std::pair<std::string, std::string>, json::object>;  // kind, id → itself

void add_list(Parts& out, const json::object& o, const char* member, const char* kind) {
  const json::value* list = o.if_contains(member);
  if (!list || !list->is_array()) return;
  for (const json::value& v : list->as_array())
    if (v.is_object()) out[{kind, std::string(text_or(v.as_object(), "id"))}] = v.as_object();
}

// Takes a definition apart. What belongs to no part is the head.
Parts parts_of(const json::object& o) {
  Parts out;
  if (o.empty()) return out;
  json::object head = o;
  for (const auto& [member, kind] : {std::pair{"roles", "role"},
                                     {"facts", "fact"},
                                     {"levels", "level"},
                                     {"flags", "flag"},
                                     {"clocks", "clock"}}) {
    add_list(out, o, member, kind);
    head.erase(member);
  }
  if (const json::value* states = o.if_contains("states"); states && states->is_array()) {
    for (const json::value& v : states->as_array()) {
      json::object state = v.as_object();
      const std::string id(text_or(state, "id"));
      for (const auto& [member, kind] : {std::pair{"tasks", "task"}, {"actions", "action"}}) {
        const json::value* list = state.if_contains(member);
        if (list && list->is_array())
          for (const json::value& part : list->as_array())
            out[{kind, id + "." + std::string(text_or(part.as_object(), "id"))}] = part.as_object();
        state.erase(member);
      }
      out[{"state", id}] = std::move(state);
    }
    head.erase("states");
  }
  if (const json::value* forms = o.if_contains("forms"); forms && forms->is_object()) {
    for (const auto& [id, form] : forms->as_object())
      out[{"form", std::string(id)}] = {{"version", form.at("version")},
                                        {"title", form.at("title")}};
    head.erase("forms");
  }
  if (const json::value* fields = o.if_contains("properties"); fields && fields->is_object()) {
    for (const auto& [name, field] : fields->as_object())
      out[{"field", std::string(name)}] = field.as_object();
    head.erase("properties");
  }
  head.erase("version");  // always another
  out[{"head", ""}] = std::move(head);
  return out;
}

Text title_of(const json::object& part) {
  const json::value* title = part.if_contains("title");
  if (!title || !title->is_object()) return {};
  return {std::string(text_or(title->as_object(), "zh")),
          std::string(text_or(title->as_object(), "en"))};
}

std::string told(const json::value* v) {
  if (v == nullptr || v->is_null()) return {};
  std::string out = v->is_string() ? std::string(v->as_string()) : json::serialize(*v);
  if (out.size() > kMemberMax) {
    out.resize(kMemberMax);
    while (!out.empty() && !is_utf8(out)) out.pop_back();
    out += "…";
  }
  return out;
}

PartChange change_of(PartChange::Op op, const std::pair<std::string, std::string>& key,
                     const json::object& part) {
  return {.op = op, .kind = key.first, .id = key.second, .title = title_of(part), .members = {}};
}

void compare(const json::object& before, const json::object& after, PartChange& out) {
  for (const auto& [name, value] : before)
    if (const json::value* now = after.if_contains(name); !now || *now != value)
      out.members.push_back({std::string(name), told(&value), told(now)});
  for (const auto& [name, value] : after)
    if (!before.contains(name)) out.members.push_back({std::string(name), "", told(&value)});
}

}  // namespace

std::vector<PartChange> part_changes(const json::object& before, const json::object& after) {
  const Parts was = parts_of(before), is = parts_of(after);
  std::vector<PartChange> out;
  auto room = [&] { return out.size() < kPartsMax; };
  for (const auto& [key, part] : was)
    if (!is.contains(key) && room()) out.push_back(change_of(PartChange::Op::removed, key, part));
  for (const auto& [key, part] : is) {
    if (!room()) break;
    auto old = was.find(key);
    if (old == was.end()) {
      out.push_back(change_of(PartChange::Op::added, key, part));
    } else if (old->second != part) {
      out.push_back(change_of(PartChange::Op::changed, key, part));
      compare(old->second, part, out.back());
    }
  }
  return out;
}

}  // namespace cw
