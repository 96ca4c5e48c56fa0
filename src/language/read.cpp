// The head of a procedure: names, levels, roles, facts.
#include "read.h"

#include <algorithm>

#include "names.h"

namespace cw {
namespace {

constexpr std::int64_t whole_number_max = 9'007'199'254'740'991;
constexpr std::size_t parts_max = 200;  // states, roles, facts, clocks, of each

void each_entry(const YamlNode* map, YamlReader& reader, const auto& use) {
  if (map == nullptr || !reader.map(*map)) return;
  if (map->entries.size() > parts_max) {
    reader.mistake(*map, "procedure.size", {"数量太多", "too many of these"});
    return;
  }
  for (const auto& [key, body] : map->entries) {
    if (key.is_scalar()) use(key, body);
  }
}

}  // namespace

void DefinitionReader::read(Definition& definition) {
  d_ = &definition;
  const YamlNode& root = tree_.root;
  if (!reader_.map(root)) return;
  reader_.keys(root,
               {"procedure", "version", "title", "basis", "calendar", "levels", "roles", "data",
                "flags", "start", "schedule", "states", "clocks", "amend", "readers"});
  head(root);
  if (const YamlNode* node = root.find("levels")) levels(*node);
  declare(root);
  each_entry(root.find("data"), reader_,
             [&](const auto& key, const auto& body) { fact(key, body); });
  if (const YamlNode* data = root.find("data"); data != nullptr && data->is_map()) {
    if (const YamlNode* level = data->find("level")) level_map(*level);
  }
  if (const YamlNode* node = reader_.need(root, "roles")) roles(*node);
  if (const YamlNode* node = root.find("readers")) readers(*node);
  if (const YamlNode* node = root.find("flags")) flags(*node);
  if (const YamlNode* node = reader_.need(root, "start")) start(*node);
  if (const YamlNode* node = root.find("schedule")) schedule(*node);
  if (const YamlNode* node = reader_.need(root, "states")) states(*node);
  if (const YamlNode* node = root.find("clocks")) clocks(*node);
  if (const YamlNode* node = root.find("amend")) amend(*node);
  for (ActionDef& action : d_->actions) {  // which acts are worth doing more than once
    bool changes = !action.set.empty() || action.to >= 0;
    if (action.form >= 0) {
      for (const int fact : d_->forms[action.form].facts) changes = changes || fact >= 0;
    }
    for (const Effect& effect : action.effects) changes = changes || !effect.set.empty();
    action.once = !changes && !action.repeat;
  }
  if (d_->flags.size() > 64) {
    reader_.mistake(root, "procedure.size",
                    {"一个流程最多 64 个标记", "a procedure has at most 64 flags"});
  }
  for (StateDef& state : d_->states) decide(state);
  words_from_forms();
  amend_actions();
  flow();
  reader_.sort();
}

void DefinitionReader::decide(StateDef& state) {
  const auto leaves = [&](int i) { return d_->actions[i].to >= 0; };
  const bool by_itself = std::any_of(state.actions.begin(), state.actions.end(), [&](int i) {
    return leaves(i) && d_->actions[i].kind != ActionDef::Kind::person;
  });
  for (int i : state.actions) {
    const ActionDef& a = d_->actions[i];
    const bool waits = a.guard.source().find("tasks.done") != std::string::npos;
    if (!leaves(i) || a.kind != ActionDef::Kind::person || (by_itself && !waits)) continue;
    for (int role : a.by) {
      const RoleDef::Kind kind = d_->roles[role].kind;
      if (kind != RoleDef::Kind::post && kind != RoleDef::Kind::team &&
          kind != RoleDef::Kind::level_chief)
        continue;
      if (std::find(state.deciders.begin(), state.deciders.end(), role) == state.deciders.end())
        state.deciders.push_back(role);
    }
  }
}

void DefinitionReader::head(const YamlNode& root) {
  if (const YamlNode* id = reader_.need(root, "procedure")) d_->id = reader_.name(*id);
  if (const YamlNode* version = reader_.need(root, "version")) {
    d_->version = static_cast<int>(reader_.integer(*version, 1, 1'000'000));
  }
  if (const YamlNode* title = reader_.need(root, "title")) d_->title = reader_.text(*title);
  if (const YamlNode* basis = root.find("basis"); basis != nullptr && reader_.list(*basis)) {
    for (const YamlNode& item : basis->items) d_->basis.push_back(reader_.name(item));
  }
  if (const YamlNode* node = reader_.need(root, "calendar")) d_->calendar = calendar(*node);
}

// [duty, command, leadership], or with titles {duty: {zh: 值班, en: Duty}, …}; least first.
void DefinitionReader::levels(const YamlNode& node) {
  if (node.is_map()) {
    for (const auto& [key, title] : node.entries) {
      d_->levels.push_back(reader_.name(key));
      d_->level_titles.push_back(reader_.text(title));
    }
  } else {
    d_->levels = read_values(node, reader_);
    for (const std::string& level : d_->levels) d_->level_titles.push_back({level, level});
  }
  if (d_->levels.empty() && reader_.clean()) {
    reader_.mistake(node, "procedure.level", {"至少需要一个级别", "at least one level is needed"});
  }
  if (d_->levels.empty()) return;
  FactDef level;
  level.id = "level";
  level.title = {"级别", "Level"};
  level.type = FieldType::enumeration;
  level.values = d_->levels;
  level.words = d_->level_titles;
  d_->facts.push_back(std::move(level));
  fact_names_.push_back("level");
}

// Names of states, tasks, actions and clocks, so that bodies may refer forwards.
void DefinitionReader::declare(const YamlNode& root) {
  each_entry(root.find("roles"), reader_, [&](const YamlNode& key, const YamlNode&) {
    RoleDef role;
    role.id = reader_.name(key);
    role_names_.push_back(role.id);
    d_->roles.push_back(std::move(role));
  });
  each_entry(root.find("states"), reader_, [&](const YamlNode& key, const YamlNode& body) {
    StateDef state;
    state.id = reader_.name(key);
    const int index = static_cast<int>(d_->states.size());
    each_entry(body.find("tasks"), reader_, [&](const YamlNode& name, const YamlNode& task) {
      TaskDef out;
      out.id = reader_.name(name);
      out.state = index;
      state.tasks.push_back(static_cast<int>(d_->tasks.size()));
      d_->tasks.push_back(std::move(out));
      task_bodies_.push_back(&task);
    });
    if (state.tasks.size() > 64) {
      reader_.mistake(key, "procedure.size",
                      {"一个状态最多 64 个任务", "a state has at most 64 tasks"});
    }
    each_entry(body.find("actions"), reader_, [&](const YamlNode& name, const YamlNode& action) {
      ActionDef out;
      out.id = reader_.name(name);
      out.state = index;
      state.actions.push_back(static_cast<int>(d_->actions.size()));
      d_->actions.push_back(std::move(out));
      action_keys_.push_back(&name);
      action_bodies_.push_back(&action);
    });
    if (state.actions.size() > 64) {
      reader_.mistake(key, "procedure.size",
                      {"一个状态最多 64 个操作", "a state has at most 64 actions"});
    }
    state_names_.push_back(state.id);
    state_keys_.push_back(&key);
    d_->states.push_back(std::move(state));
  });
  each_entry(root.find("clocks"), reader_, [&](const YamlNode& key, const YamlNode& body) {
    ClockDef clock;
    clock.id = reader_.name(key);
    d_->clocks.push_back(std::move(clock));
    clock_bodies_.push_back(&body);
  });
  way_unknown_.assign(d_->states.size(), false);
}

void DefinitionReader::roles(const YamlNode& node) {
  if (!node.is_map()) return;  // reported while the names were declared
  std::size_t i = 0;
  for (const auto& [key, body] : node.entries) {
    if (key.is_scalar() && i < d_->roles.size()) role(body, d_->roles[i++]);
  }
}

// Exactly one of any, post, team, queue, field, subject; and `not` for separation of duties.
void DefinitionReader::role(const YamlNode& body, RoleDef& out) {
  out.title = {out.id, out.id};
  if (!reader_.map(body)) return;
  reader_.keys(body, {"any", "post", "team", "queue", "field", "subject", "not", "title"});
  out.title = title_of(body, out.id);
  int kinds = 0;
  for (const char* flag : {"any", "queue", "subject"}) {
    const YamlNode* found = body.find(flag);
    if (found == nullptr) continue;
    ++kinds;
    if (!reader_.boolean(*found)) {
      reader_.mistake(*found, "procedure.role", {"这里只能是 true", "only true makes sense here"});
    }
    out.kind = flag[0] == 'a'   ? RoleDef::Kind::any
               : flag[0] == 'q' ? RoleDef::Kind::queue
                                : RoleDef::Kind::subject;
  }
  if (const YamlNode* post = body.find("post")) {
    ++kinds;
    out.name = reader_.name(*post);
    out.kind = out.name == "level.chief" ? RoleDef::Kind::level_chief : RoleDef::Kind::post;
    if (out.kind == RoleDef::Kind::level_chief && d_->levels.empty()) {
      reader_.mistake(*post, "procedure.level",
                      {"没有定义 levels，不能使用 level.chief", "level.chief needs levels"});
    }
  }
  if (const YamlNode* team = body.find("team")) {
    ++kinds;
    out.kind = RoleDef::Kind::team;
    out.name = reader_.name(*team);
  }
  if (const YamlNode* field = body.find("field")) {
    ++kinds;
    out.kind = RoleDef::Kind::field;
    out.fact = fact_index(*field);
    if (out.fact >= 0 && d_->facts[out.fact].ref != "person") {
      reader_.mistake(*field, "procedure.role",
                      {"这里应为引用人员（ref: person）的事实",
                       "expected a fact that refers to a person (ref: person)"});
    }
  }
  if (kinds != 1) {
    reader_.mistake(body, "procedure.role",
                    {"角色须且只须写明 any、post、team、queue、field、subject 之一",
                     "a role says exactly one of any, post, team, queue, field, subject"});
  }
  if (const YamlNode* apart = body.find("not")) out.apart = role_list(*apart);
}

void DefinitionReader::fact(const YamlNode& key, const YamlNode& body) {
  if (key.text == "level") return;  // after all facts: see level_map
  FactDef out;
  out.id = key.text;
  if (!is_identifier(key.text)) {
    reader_.mistake(
        key, "procedure.fact",
        {"事实名应由字母、数字和下划线组成，且不是保留字",
         "a fact's name is made of letters, digits and '_', and is not a reserved word"});
  }
  if (reader_.map(body)) {
    reader_.keys(body, {"type", "format", "minimum", "maximum", "enum", "words", "ref", "title"});
    if (const YamlNode* title = body.find("title")) out.title = reader_.text(*title);
    const YamlNode* type = body.find("type");
    const YamlNode* format = body.find("format");
    const std::string_view name = type != nullptr ? std::string_view(type->text) : "";
    if (const YamlNode* values = body.find("enum")) {
      out.type = FieldType::enumeration;
      out.values = read_values(*values, reader_);
      if (const YamlNode* words = body.find("words"))
        out.words = read_words(*words, out.values, reader_);
    } else if (const YamlNode* ref = body.find("ref")) {
      out.type = FieldType::reference;
      out.ref = reader_.string(*ref);
      if (!known_ref(out.ref)) {
        reader_.mistake(*ref, "procedure.fact", {"未知的引用种类", "unknown kind of reference"});
      }
    } else if (name == "integer") {
      out.type = FieldType::integer;
      out.minimum = -whole_number_max;
      out.maximum = whole_number_max;
      if (const YamlNode* low = body.find("minimum")) {
        out.minimum = reader_.integer(*low, -whole_number_max, whole_number_max);
      }
      if (const YamlNode* high = body.find("maximum")) {
        out.maximum = reader_.integer(*high, out.minimum, whole_number_max);
      }
    } else if (name == "boolean") {
      out.type = FieldType::boolean;
    } else if (name == "string" && format != nullptr && format->text == "date-time") {
      out.type = FieldType::time;
    } else {
      reader_.mistake(type != nullptr ? *type : body, "procedure.fact",
                      {"事实只能是 integer、boolean、enum、ref，或 string 加 format: date-time；"
                       "自由文字放在表单里",
                       "a fact is an integer, boolean, enum, ref, or string with format: "
                       "date-time; free text belongs in a form"});
    }
  }
  fact_names_.push_back(out.id);
  d_->facts.push_back(std::move(out));
}

// level: {map: {III: duty, II: command}, key: severity} — the least level for each value.
void DefinitionReader::level_map(const YamlNode& node) {
  if (!reader_.map(node)) return;
  reader_.keys(node, {"map", "key", "title"});
  if (d_->levels.empty()) {
    reader_.mistake(node, "procedure.level", {"没有定义 levels", "there are no levels to map to"});
    return;
  }
  if (const YamlNode* title = node.find("title")) d_->facts[0].title = reader_.text(*title);
  const YamlNode* key = reader_.need(node, "key");
  const YamlNode* map = reader_.need(node, "map");
  if (key == nullptr || map == nullptr || !reader_.map(*map)) return;
  const int fact = fact_index(*key);
  if (fact < 0) return;
  const FactDef& by = d_->facts[fact];
  if (by.type != FieldType::enumeration || fact == 0) {
    reader_.mistake(*key, "procedure.level", {"key 应为枚举事实", "key must be an enum fact"});
    return;
  }
  d_->floor_key = fact;
  d_->floor.assign(by.values.size(), 0);
  for (const auto& [value, level] : map->entries) {
    const int ordinal = by.ordinal(value.text);
    if (ordinal < 0) {
      reader_.mistake(value, "procedure.level",
                      {"“" + by.id + "”没有这个值", "'" + by.id + "' has no such value"});
      continue;
    }
    d_->floor[ordinal] = std::max(0, find(level, d_->levels, "procedure.level", {"级别", "level"}));
  }
  for (const std::string& value : by.values) {
    if (map->find(value) != nullptr) continue;
    reader_.mistake(*map, "procedure.level",
                    {"缺少值“" + value + "”的级别", "no level is given for '" + value + "'"});
  }
}

// Titles of flags: {late-urgent: {zh: 迟报, en: Reported late}}.
void DefinitionReader::flags(const YamlNode& node) {
  each_entry(&node, reader_, [&](const YamlNode& key, const YamlNode& title) {
    d_->flags.push_back(reader_.name(key));
    d_->flag_titles.push_back(reader_.text(title));
  });
}

// {roles: [ROLE…], by: [ROLE…]}: who always reads a case, and who lets others in.
void DefinitionReader::readers(const YamlNode& node) {
  if (!reader_.map(node)) return;
  reader_.keys(node, {"roles", "by"});
  auto closed = [&](const char* key) {
    const YamlNode* list = reader_.need(node, key);
    if (list == nullptr) return std::vector<int>{};
    std::vector<int> out = role_list(*list);
    for (const int role : out) {
      if (d_->roles[role].kind != RoleDef::Kind::any) continue;
      reader_.mistake(*list, "procedure.readers",
                      {"“" + d_->roles[role].id + "”是任何人，不能限定谁可查看",
                       "'" + d_->roles[role].id + "' is anybody and restricts nothing"});
    }
    return out;
  };
  d_->readers.roles = closed("roles");
  d_->readers.by = closed("by");
}

void DefinitionReader::start(const YamlNode& node) {
  if (!reader_.map(node)) return;
  reader_.keys(node, {"by", "form", "to", "set"});
  if (const YamlNode* by = reader_.need(node, "by")) d_->start_by = role_list(*by);
  if (const YamlNode* form = node.find("form")) d_->start_form = form_index(*form);
  if (const YamlNode* to = reader_.need(node, "to")) d_->start_state = state_index(*to);
  if (const YamlNode* set = node.find("set")) d_->start_set = assignments(*set, d_->start_form);
}

}  // namespace cw
