// Reading an organisation's file: every name is known, every level has one head, the call tree
// reaches whoever is in it from one root.
#include <algorithm>
#include <map>

#include "base/content.h"
#include "calendar/calendar.h"
#include "organisation.h"

namespace cw {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kUnitsMax = 2'000, kPeopleMax = 20'000;

class OrganisationReader {
 public:
  OrganisationReader(const std::string& file, const FindOrganisation& find,
                     std::vector<Mistake>& mistakes)
      : reader_(file, mistakes), find_(find) {
    out_.file = file;
  }

  std::shared_ptr<const Organisation> read(const YamlNode& root) {
    if (!reader_.map(root)) return nullptr;
    reader_.keys(root, {"organisation", "version", "title", "uses", "posts", "groups", "call_tree",
                        "orgs", "people"});
    if (const YamlNode* id = reader_.need(root, "organisation")) out_.id = reader_.name(*id);
    if (const YamlNode* version = reader_.need(root, "version"))
      out_.version = static_cast<int>(reader_.integer(*version, 1, 1'000'000));
    if (const YamlNode* title = reader_.need(root, "title")) out_.title = reader_.text(*title);
    if (const YamlNode* uses = root.find("uses")) use(*uses);
    if (const YamlNode* posts = root.find("posts")) each(*posts, &OrganisationReader::post);
    if (const YamlNode* groups = root.find("groups")) each(*groups, &OrganisationReader::group);
    if (const YamlNode* tree = root.find("call_tree")) call_tree(*tree);
    out_.units.push_back({.key = "root", .kind = "hq", .under = {}, .title = {}, .holders = {}});
    if (const YamlNode* people = root.find("people")) each(*people, &OrganisationReader::person);
    if (const YamlNode* orgs = root.find("orgs")) units(*orgs);
    for (const auto& [node, key] : named_units_) unit_of(*node, key);
    if (out_.people.size() > kPeopleMax || out_.units.size() > kUnitsMax)
      wrong(root, "单位最多 2,000 个，人员最多 20,000 名",
            "at most 2,000 organisations and 20,000 people");
    reader_.sort();
    return reader_.clean() ? std::make_shared<const Organisation>(std::move(out_)) : nullptr;
  }

 private:
  using Each = void (OrganisationReader::*)(const YamlNode& key, const YamlNode& body);

  void wrong(const YamlNode& at, std::string zh, std::string en) {
    reader_.mistake(at, "organisation.wrong", {std::move(zh), std::move(en)});
  }
  void each(const YamlNode& map, Each f) {
    if (!reader_.map(map)) return;
    for (const YamlEntry& e : map.entries) {
      reader_.name(e.key);
      if (reader_.map(e.value)) (this->*f)(e.key, e.value);
    }
  }
  std::vector<std::string> names(const YamlNode& body, std::string_view key) {
    std::vector<std::string> out;
    const YamlNode* list = body.find(key);
    if (list == nullptr || !reader_.list(*list)) return out;
    for (const YamlNode& item : list->items) {
      out.push_back(reader_.name(item));
      if (std::count(out.begin(), out.end(), out.back()) > 1)
        wrong(item, "“" + out.back() + "”重复", "'" + out.back() + "' stands here twice");
    }
    return out;
  }
  Text text(const YamlNode& body, std::string_view key) {
    const YamlNode* node = reader_.need(body, key);
    return node ? reader_.text(*node) : Text{};
  }
  std::string one(const YamlNode& body, std::string_view key, bool needed = false) {
    const YamlNode* node = needed ? reader_.need(body, key) : body.find(key);
    return node ? reader_.string(*node) : std::string();
  }

  void use(const YamlNode& node) {
    const std::string id = reader_.name(node);
    const auto found = id.empty() || !find_ ? nullptr : find_(id);
    if (!found) return wrong(node, "没有组织模板“" + id + "”", "no organisation '" + id + "'");
    out_.posts = found->posts;
    out_.groups = found->groups;
    out_.call_tree = found->call_tree;
    for (const auto& p : out_.posts)
      for (const auto& level : p.heads) heads_[level] = p.id;
  }

  const Organisation::Duty* post_named(std::string_view id) const {
    for (const auto& p : out_.posts)
      if (p.id == id) return &p;
    return nullptr;
  }
  bool known_post(const YamlNode& at, const std::string& id) {
    if (post_named(id)) return true;
    wrong(at, "没有岗位“" + id + "”", "no post '" + id + "'");
    return false;
  }
  bool is_team(std::string_view id) const {
    return std::any_of(out_.groups.begin(), out_.groups.end(),
                       [&](const auto& g) { return g.team == id; });
  }

  // A post of the same id as one of the file that is used takes its place.
  void post(const YamlNode& key, const YamlNode& body) {
    reader_.keys(body, {"title", "heads", "deputies", "duty"});
    std::erase_if(out_.posts, [&](const auto& p) { return p.id == key.text; });
    std::erase_if(heads_, [&](const auto& h) { return h.second == key.text; });
    Organisation::Duty out{key.text, text(body, "title"), text(body, "duty"), names(body, "heads")};
    if (const YamlNode* n = body.find("deputies")) out.deputies = reader_.integer(*n, 0, 8);
    for (const std::string& level : out.heads)
      if (auto [at, fresh] = heads_.emplace(level, out.id); !fresh)
        wrong(*body.find("heads"), "“" + level + "”级已由“" + at->second + "”指挥",
              "level '" + level + "' is headed by '" + at->second + "' already");
    out_.posts.push_back(std::move(out));
  }

  void group(const YamlNode& key, const YamlNode& body) {
    reader_.keys(body, {"title", "head", "posts", "team", "duty"});
    std::erase_if(out_.groups, [&](const auto& g) { return g.id == key.text; });
    Organisation::Group out;
    out.id = key.text;
    out.title = text(body, "title");
    out.duty = text(body, "duty");
    if (const YamlNode* head = reader_.need(body, "head")) {
      out.head = reader_.name(*head);
      known_post(*head, out.head);
    }
    out.posts = names(body, "posts");
    if (const YamlNode* posts = body.find("posts"); posts && posts->is_list())
      for (const YamlNode& item : posts->items) known_post(item, item.text);
    if (const YamlNode* team = body.find("team")) {
      out.team = reader_.name(*team);
      if (!out.posts.empty())
        wrong(*team, "posts 与 team 只能写一个", "a group has posts or a team, not both");
    }
    out_.groups.push_back(std::move(out));
  }

  void call_tree(const YamlNode& node) {
    if (!reader_.map(node)) return;
    out_.call_tree.clear();
    std::map<std::string, std::string> above;
    for (const YamlEntry& e : node.entries) {
      if (!known_post(e.key, e.key.text) || !reader_.map(e.value)) continue;
      reader_.keys(e.value, {"within", "calls"});
      Organisation::Call out{e.key.text, 0, names(e.value, "calls")};
      if (const YamlNode* within = reader_.need(e.value, "within")) {
        const auto span = parse_span(within->text);
        if (!span || span->unit == Unit::workday)
          wrong(*within, "这里应为时长，例如 5m、1h", "expected a span such as 5m or 1h");
        else
          out.within_ms = span->amount * 60'000 *
                          (span->unit == Unit::minute ? 1
                           : span->unit == Unit::hour ? 60
                                                      : 1440);
      }
      if (const YamlNode* calls = reader_.need(e.value, "calls"); calls && calls->is_list())
        for (const YamlNode& item : calls->items) {
          if (!is_team(item.text) && !known_post(item, item.text)) continue;
          if (auto [at, fresh] = above.emplace(item.text, out.post); !fresh)
            wrong(item, "“" + item.text + "”已由“" + at->second + "”呼叫",
                  "'" + item.text + "' is called by '" + at->second + "' already");
        }
      out_.call_tree.push_back(std::move(out));
    }
    std::size_t roots = 0;
    for (const auto& call : out_.call_tree) {
      roots += above.contains(call.post) ? 0 : 1;
      std::string at = call.post;
      for (std::size_t steps = 0; above.contains(at); at = above[at])
        if (++steps > above.size()) {
          wrong(node, "呼叫树绕回“" + call.post + "”",
                "the call tree leads back to '" + call.post + "'");
          return;
        }
    }
    if (roots != 1) wrong(node, "呼叫树应只有一个起点", "a call tree has one root");
  }

  void person(const YamlNode& key, const YamlNode& body) {
    reader_.keys(body, {"name", "staff_no", "org", "role", "reach", "email", "phone", "lang"});
    Organisation::Member out;
    out.at = {key.line, key.column};
    out.login = key.text;
    out.name = one(body, "name", true);
    out.staff_no = one(body, "staff_no", true);
    out.org = body.find("org") ? one(body, "org") : "root";
    out.role = one(body, "role");
    out.reach = body.find("reach") ? one(body, "reach") : out.org;
    out.email = one(body, "email");
    out.phone = one(body, "phone");
    out.lang = body.find("lang") ? one(body, "lang") : "zh";
    named_units_.emplace_back(&body, out.org);
    named_units_.emplace_back(&body, out.reach);
    out_.people.push_back(std::move(out));
  }

  Organisation::Unit* unit_named(std::string_view key) {
    for (auto& u : out_.units)
      if (u.key == key) return &u;
    return nullptr;
  }
  void unit_of(const YamlNode& at, const std::string& key) {
    if (!unit_named(key)) wrong(at, "没有单位“" + key + "”", "no organisation '" + key + "'");
  }

  void units(const YamlNode& node) {
    if (!reader_.map(node)) return;
    for (const YamlEntry& e : node.entries) {
      reader_.name(e.key);
      if (!reader_.map(e.value)) continue;
      reader_.keys(e.value, {"title", "kind", "under", "holders", "members", "queues"});
      Organisation::Unit fresh{
          .key = e.key.text, .kind = {}, .under = {}, .title = {}, .holders = {}};
      Organisation::Unit& out = e.key.text == "root" ? out_.units.front() : fresh;
      out.at = {e.key.line, e.key.column};
      if (e.key.text != "root") {
        out.title = text(e.value, "title");
        out.kind = one(e.value, "kind", true);
        out.under = e.value.find("under") ? one(e.value, "under") : "root";
        if (out.kind != "hq" && out.kind != "province" && out.kind != "centre")
          wrong(e.value, "kind 应为 hq、province 或 centre", "kind is hq, province or centre");
        unit_of(e.value, out.under);  // parents stand before their children
      } else if (e.value.find("title")) {
        out.title = text(e.value, "title");
      }
      holdings(e.value, out);
      listed(e.value, "members", out.members);
      listed(e.value, "queues", out.queues);
      if (e.key.text != "root") out_.units.push_back(std::move(fresh));
    }
  }

  void holdings(const YamlNode& body, Organisation::Unit& out) {
    const YamlNode* node = body.find("holders");
    if (node == nullptr || !reader_.map(*node)) return;
    for (const YamlEntry& e : node->entries) {
      if (!known_post(e.key, e.key.text) || !reader_.map(e.value)) continue;
      reader_.keys(e.value, {"holder", "deputies"});
      out.holders.push_back({e.key.text,
                             one(e.value, "holder"),
                             names(e.value, "deputies"),
                             {e.key.line, e.key.column}});
    }
  }

  // members: {team: [login…]}; queues: {procedure: {people: […], teams: […]}}.
  void listed(const YamlNode& body, std::string_view key, std::vector<Organisation::Listed>& out) {
    const YamlNode* node = body.find(key);
    if (node == nullptr || !reader_.map(*node)) return;
    for (const YamlEntry& e : node->entries) {
      Organisation::Listed one{e.key.text, {}, {}, {e.key.line, e.key.column}};
      if (key == "queues") {
        if (!reader_.map(e.value)) continue;
        reader_.keys(e.value, {"people", "teams"});
        one.people = names(e.value, "people");
        one.teams = names(e.value, "teams");
      } else {
        if (!is_team(e.key.text))
          wrong(e.key, "没有班组“" + e.key.text + "”", "no team '" + e.key.text + "'");
        if (!reader_.list(e.value)) continue;
        for (const YamlNode& item : e.value.items) one.people.push_back(reader_.name(item));
      }
      out.push_back(std::move(one));
    }
  }

  YamlReader reader_;
  const FindOrganisation& find_;
  Organisation out_;
  std::map<std::string, std::string> heads_;                          // level → post
  std::vector<std::pair<const YamlNode*, std::string>> named_units_;  // by people
};

// Files may use others, so many deep.
FindOrganisation in_folder(const fs::path& content, int deep) {
  return [content, deep](std::string_view id) -> std::shared_ptr<const Organisation> {
    const fs::path path = content / "organisation" / (std::string(id) + ".yaml");
    const auto text = deep > 0 ? content_text(path) : std::nullopt;
    std::vector<Mistake> ignored;
    if (!text) return nullptr;
    return read_organisation(*text, path.string(), in_folder(content, deep - 1), ignored);
  };
}

}  // namespace

std::shared_ptr<const Organisation> read_organisation(std::string_view text,
                                                      const std::string& file,
                                                      const FindOrganisation& find,
                                                      std::vector<Mistake>& mistakes) {
  const std::size_t before = mistakes.size();
  const YamlTree tree = parse_yaml(text, file, mistakes);
  if (mistakes.size() != before) return nullptr;
  return OrganisationReader(file, find, mistakes).read(tree.root);
}

FindOrganisation templates_in(const fs::path& content) { return in_folder(content, 3); }

int organisation_check_main(std::span<const std::string> args, const fs::path& content,
                            std::ostream& out, std::ostream& err) {
  std::vector<std::string> files;
  std::string lang;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (!args[i].starts_with("--")) {
      files.push_back(args[i]);
    } else if (args[i] == "--lang" && i + 1 < args.size()) {
      lang = args[++i];
    } else {
      files.clear();
      break;
    }
  }
  if (files.empty() || (!lang.empty() && lang != "zh" && lang != "en")) {
    err << "usage: callwarden organisation check [--lang zh|en] FILE...\n";
    return 2;
  }
  std::vector<Mistake> mistakes;
  for (const std::string& file : files) {
    const auto text = content_text(file);
    if (!text) {
      err << file << ": 无法读取 / cannot be read\n";
      return 2;
    }
    read_organisation(*text, file, templates_in(content), mistakes);
  }
  for (const Mistake& m : mistakes) {
    out << describe(m, lang.empty() ? "zh" : lang);
    if (lang.empty()) out << " / " << m.text.en;
    out << "\n";
  }
  return mistakes.empty() ? 0 : 1;
}

}  // namespace cw
