#include <algorithm>

#include "simulate/setting.h"

namespace cw {
namespace {

constexpr std::int64_t kCountMax = 500;

// What a definition's roles need held. The heads of all its levels, where one decides.
std::set<std::string> named_by(const Definition& d, const Directory& directory,
                               std::string_view org) {
  std::set<std::string> out;
  for (const RoleDef& r : d.roles) {
    if (r.kind == RoleDef::Kind::post) out.insert("post:" + r.name);
    if (r.kind == RoleDef::Kind::team) out.insert("team:" + r.name);
    if (r.kind == RoleDef::Kind::queue) out.insert("queue:" + d.id);
  }
  for (const std::string& level : d.levels)
    if (std::string post = directory.chief_post(level, org); !post.empty())
      out.insert("post:" + post);
  return out;
}

const std::vector<std::string>& nobody() {
  static const std::vector<std::string> none;
  return none;
}

}  // namespace

void Staffing::add(const std::string& person, const std::string& what) {
  if (std::find(people_.begin(), people_.end(), person) == people_.end()) people_.push_back(person);
  std::vector<std::string>& list = what.empty() ? staff_ : holders_[what];
  if (std::find(list.begin(), list.end(), person) == list.end()) list.push_back(person);
}

std::shared_ptr<const Staffing> Staffing::read(std::string_view text, const std::string& file,
                                               std::vector<Mistake>& mistakes) {
  const YamlTree tree = parse_yaml(text, file, mistakes);
  YamlReader reader(file, mistakes);
  auto out = std::make_shared<Staffing>();
  if (!reader.map(tree.root)) return nullptr;
  reader.keys(tree.root, {"roster", "title", "chiefs", "people"});
  if (const YamlNode* id = reader.need(tree.root, "roster")) reader.name(*id);
  if (const YamlNode* title = tree.root.find("title")) reader.text(*title);
  if (const YamlNode* chiefs = tree.root.find("chiefs"); chiefs && reader.map(*chiefs))
    for (const auto& [level, post] : chiefs->entries) out->chiefs_[level.text] = reader.name(post);
  if (const YamlNode* people = reader.need(tree.root, "people"); people && reader.map(*people))
    for (const auto& [name, body] : people->entries) {
      if (!reader.map(body)) continue;
      reader.keys(body, {"holds", "count"});
      const YamlNode* count = body.find("count");
      const std::int64_t n = count ? reader.integer(*count, 1, kCountMax) : 1;
      const YamlNode* holds = body.find("holds");
      for (std::int64_t i = 1; i <= n; ++i) {
        const std::string person = n == 1 ? name.text : name.text + "-" + std::to_string(i);
        if (!holds)
          out->add(person, "");
        else if (reader.list(*holds))
          for (const YamlNode& what : holds->items) {
            const std::string held = reader.string(what);
            const bool known = held.starts_with("post:") || held.starts_with("team:") ||
                               held.starts_with("queue:");
            if (!known && i == 1)
              reader.mistake(what, "roster.holds",
                             {"应为 post:…、team:… 或 queue:…", "write post:…, team:… or queue:…"});
            out->add(person, held);
          }
      }
    }
  if (!reader.clean()) return nullptr;
  return out;
}

Staffing Staffing::of(const Directory& directory, std::string_view org,
                      const Definitions& definitions) {
  Staffing out;
  for (const auto& d : definitions) {
    for (const std::string& level : d->levels)
      out.chiefs_[level] = directory.chief_post(level, org);
    for (const std::string& what : named_by(*d, directory, org)) {
      const std::string name = what.substr(what.find(':') + 1);
      const std::vector<std::string> held = what[0] == 'p'   ? directory.post_people(name, org)
                                            : what[0] == 't' ? directory.team_people(name, org)
                                                             : directory.queue_people(name, org);
      for (const std::string& person : held) out.add(person, what);
    }
  }
  return out;
}

Staffing Staffing::filled(const Definitions& definitions) const {
  Staffing out = *this;
  for (const auto& d : definitions)
    for (const std::string& what : named_by(*d, out, "")) {
      if (!out.holders(what).empty()) continue;
      const int count = what[0] == 'p' ? 1 : what[0] == 't' ? 4 : 5;
      for (int i = 1; i <= count; ++i)
        out.add(what.substr(what.find(':') + 1) + (count == 1 ? "" : "-" + std::to_string(i)),
                what);
      out.assumed_.insert(what);
    }
  if (out.staff_.empty())
    for (int i = 1; i <= 12; ++i) out.add("staff-" + std::to_string(i), "");
  return out;
}

const std::vector<std::string>& Staffing::holders(const std::string& what) const {
  auto it = holders_.find(what);
  return it == holders_.end() ? nobody() : it->second;
}

std::string Staffing::basis(std::string_view person, std::string what) const {
  const std::vector<std::string>& held = holders(what);
  return std::find(held.begin(), held.end(), person) == held.end() ? std::string() : what;
}

std::string Staffing::post_basis(std::string_view person, std::string_view post,
                                 std::string_view) const {
  return basis(person, "post:" + std::string(post));
}
std::string Staffing::team_basis(std::string_view person, std::string_view team,
                                 std::string_view) const {
  return basis(person, "team:" + std::string(team));
}
std::string Staffing::queue_basis(std::string_view person, std::string_view procedure,
                                  std::string_view) const {
  return basis(person, "queue:" + std::string(procedure));
}
// A level that the roster does not speak of is headed by a post of its own name.
std::string Staffing::chief_post(std::string_view level, std::string_view) const {
  auto it = chiefs_.find(level);
  return it == chiefs_.end() ? std::string(level) : it->second;
}
std::vector<std::string> Staffing::post_people(std::string_view post, std::string_view) const {
  return holders("post:" + std::string(post));
}
std::vector<std::string> Staffing::team_people(std::string_view team, std::string_view) const {
  return holders("team:" + std::string(team));
}
std::vector<std::string> Staffing::queue_people(std::string_view procedure,
                                                std::string_view) const {
  return holders("queue:" + std::string(procedure));
}

}  // namespace cw
