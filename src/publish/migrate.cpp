// Running cases to the version in force: tried on all of them first, then done batch by batch.
#include <algorithm>

#include "base/id.h"
#include "base/log.h"
#include "publish/publish.h"

namespace cw {
namespace {

constexpr std::size_t kCasesAtOnce = 100;  // cases in one commit
constexpr int kBatchesAtOnce = 20;         // then clocks have their turn
constexpr std::size_t kPlanBatch = 200;
constexpr std::size_t kGroupsMax = 500;

Problem unknown_name(const char* map, const std::string& name) {
  return invalid("migration.name", std::string("/map/") + map + "/" + pointer_token(name),
                 {"没有这个名称", "There is no such name"});
}

std::string task_key(const Definition& d, const TaskDef& t) {
  return d.states[t.state].id + "." + t.id;
}

template <typename Parts, typename Key>
std::set<std::string> names_of(const Parts& parts, Key key) {
  std::set<std::string> out;
  for (const auto& part : parts) out.insert(key(part));
  return out;
}

// Every name of the map is there, and no two facts or clocks become one.
Status check_map(const Definition& from, const Definition& to, const MigrationMap& map) {
  auto id = [](const auto& part) { return part.id; };
  struct Side {
    const char* name;
    const std::map<std::string, std::string>& map;
    std::set<std::string> before, after;
    bool apart;  // must stay different
  };
  const Side sides[] = {
      {"states", map.states, names_of(from.states, id), names_of(to.states, id), false},
      {"tasks", map.tasks, names_of(from.tasks, [&](auto& t) { return task_key(from, t); }),
       names_of(to.tasks, [&](auto& t) { return task_key(to, t); }), false},
      {"clocks", map.clocks, names_of(from.clocks, id), names_of(to.clocks, id), true},
      {"facts", map.facts, names_of(from.facts, id), names_of(to.facts, id), true},
      {"roles", map.roles, names_of(from.roles, id), names_of(to.roles, id), false}};
  std::size_t sum = 0;
  for (const Side& s : sides) {
    sum += s.map.size();
    std::set<std::string> taken;
    for (const std::string& name : s.before) {
      auto given = s.map.find(name);
      const std::string& goes = given == s.map.end() ? name : given->second;
      if (s.apart && s.after.contains(goes) && !taken.insert(goes).second)
        return invalid("migration.twice", std::string("/map/") + s.name + "/" + pointer_token(name),
                       {"两个不能并成一个", "Two cannot become one"});
    }
    for (const auto& [old_name, new_name] : s.map)
      if (!s.before.contains(old_name) || (!new_name.empty() && !s.after.contains(new_name)))
        return unknown_name(s.name, old_name);
  }
  if (sum > Publish::map_max)
    return invalid("migration.size", "/map",
                   {"对应关系最多 500 条", "A map has at most 500 names"});
  return done();
}

}  // namespace

Result<Migration> Publish::migration_of(const std::string& procedure, int from,
                                        const MigrationMap& map, int& to) const {
  const std::shared_ptr<const Definition> target = p_.engine.library().procedure(procedure);
  const std::shared_ptr<const Definition> old_one =
      p_.engine.definition(procedure + "@" + std::to_string(from));
  if (!target || !old_one)
    return problem(Refusal::not_found, "migration.version",
                   {"没有案件运行在这个版本上", "No case runs on this version"});
  if (Status s = check_map(*old_one, *target, map); !s) return std::move(s).problem();
  to = target->version;
  return Migration{.from = from,
                   .name = procedure + "@" + std::to_string(to),
                   .digest = digest_of(*target),
                   .map = map};
}

Result<MigrationPlan> Publish::plan_migration(const Principal& who, const std::string& procedure,
                                              int from, const MigrationMap& map, std::size_t skip,
                                              std::size_t limit) {
  auto basis = p_.journal.read([&] { return p_.may(who, Permission::definitions_approve); });
  if (!basis) return std::move(basis).problem();
  MigrationPlan out{.procedure = procedure, .from = from};
  Result<Migration> migration = migration_of(procedure, from, map, out.to);
  if (!migration) return std::move(migration).problem();
  std::map<std::pair<std::string, std::string>, std::size_t> groups;
  auto count = [&](const std::string& code, const std::string& what) {
    if (groups.size() < kGroupsMax || groups.contains({code, what})) ++groups[{code, what}];
  };
  for (std::size_t at = 0, end = 0; end == 0;) {
    MigrationBatch batch;
    auto answer = p_.journal.run({}, p_.engine.plan_migration(*migration, at, kPlanBatch, batch));
    if (!answer) return std::move(answer).problem();
    for (MigrationOutcome& one : batch.outcomes) {
      const std::size_t n = out.cases++;
      ++(one.moves() ? out.moves : out.stays);
      out.due_at_once += one.due_at_once ? 1 : 0;
      if (!one.moves()) count(one.code, one.what);
      for (const std::string& name : one.drops) count("drops", name);
      for (const std::string& name : one.unknown) count("unknown", name);
      if (n >= skip && out.items.size() < std::min<std::size_t>(limit, 500))
        out.items.push_back(std::move(one));
    }
    at = batch.next;
    end = batch.end ? 1 : 0;
  }
  for (const auto& [group, cases] : groups)
    out.groups.push_back({group.first, group.second, cases});
  return out;
}

Result<Answer> Publish::begin_migration(const Principal& who, Command command,
                                        const std::string& procedure, int from,
                                        const MigrationMap& map) {
  int to = 0;
  Result<Migration> migration = migration_of(procedure, from, map, to);
  if (!migration) return std::move(migration).problem();
  const std::shared_ptr<const Definition> target = p_.engine.library().procedure(procedure);
  const std::string id = new_id("mig", p_.clock.now_ms(), p_.random);
  return p_.journal.run(std::move(command), [&](Draft& draft) -> Result<json::object> {
    auto basis = p_.may(who, Permission::definitions_approve);
    if (!basis) return std::move(basis).problem();
    for (const auto& [other, run] : migrations_)
      if (run.procedure == procedure && run.phase == MigrationRun::Phase::running)
        return problem(Refusal::conflict, "migration.running",
                       {"这个流程正在迁移，请等它完成或先停止",
                        "This procedure is being migrated; wait for it or stop it first"});
    const auto now = p_.engine.library().procedure(procedure);
    if (!target || !now || digest_of(*now) != migration->digest)
      return problem(Refusal::conflict, "definition.moved",
                     {"其间有新版本生效，请重新试算",
                      "Another version came into force meanwhile; plan it again"});
    CW_CHECK(p_.engine.keep(target)(draft).ok());
    Entry e{.actor = who.actor,
            .basis = *basis,
            .kind = "definition.migration-began",
            .procedure = migration->name,
            .body = {}};
    e.body["migration"] = id;
    e.body["procedure"] = procedure;
    e.body["from"] = from;
    e.body["to"] = to;
    e.body["digest"] = migration->digest;
    e.body["map"] = to_json(map);
    draft.append(std::move(e));
    return json::object{{"migration", id}};
  });
}

Result<Answer> Publish::stop_migration(const Principal& who, Command command,
                                       const std::string& id) {
  return p_.journal.run(std::move(command), [&](Draft& draft) -> Result<json::object> {
    const MigrationRun* run = migration(id);
    if (!run)
      return problem(Refusal::not_found, "migration.unknown",
                     {"没有这次迁移", "There is no such migration"});
    auto basis = p_.may(who, Permission::definitions_approve);
    if (!basis) return std::move(basis).problem();
    if (run->phase != MigrationRun::Phase::running)
      return problem(Refusal::conflict, "migration.over",
                     {"这次迁移已经结束", "This migration is over"});
    Entry e{
        .actor = who.actor, .basis = *basis, .kind = "definition.migration-stopped", .body = {}};
    e.body["migration"] = id;
    draft.append(std::move(e));
    return json::object{{"migration", id}};
  });
}

// One batch in one commit: the cases' entries, and where the next begins.
bool Publish::run_batch(const std::string& id) {
  bool more = false;
  auto answer = p_.journal.run({}, [&](Draft& draft) -> Result<json::object> {
    const MigrationRun* run = migration(id);
    if (!run || run->phase != MigrationRun::Phase::running) return json::object{};
    MigrationBatch batch;
    const Migration m{.from = run->from,
                      .name = run->procedure + "@" + std::to_string(run->to),
                      .digest = run->digest,
                      .map = run->map};
    auto done = p_.engine.migrate(m, run->actor, run->basis, run->next, kCasesAtOnce, batch)(draft);
    CW_CHECK(done.ok());
    Entry e{.actor = "system", .kind = "definition.migration-batch", .body = {}};
    e.body["migration"] = id;
    e.body["next"] = static_cast<std::int64_t>(batch.next);
    json::array stayed;
    std::int64_t moved = 0;
    for (const MigrationOutcome& one : batch.outcomes) {
      if (one.moves())
        ++moved;
      else
        stayed.push_back(
            json::object{{"case", one.case_id}, {"code", one.code}, {"what", one.what}});
    }
    e.body["moved"] = moved;
    e.body["stayed"] = std::move(stayed);
    if (batch.end) e.body["done"] = true;
    more = !batch.end;
    draft.append(std::move(e));
    return json::object{};
  });
  if (!answer) log_warn("publish", "{} waits: {}", id, answer.problem().code);
  return answer.ok() && more;
}

void Publish::run_migrations() {
  std::vector<std::string> running;
  p_.journal.read([&] {
    for (const auto& [id, run] : migrations_)
      if (run.phase == MigrationRun::Phase::running) running.push_back(id);
  });
  for (const std::string& id : running)
    for (int i = 0; i < kBatchesAtOnce && run_batch(id); ++i) {
    }
}

const MigrationRun* Publish::migration(std::string_view id) const {
  auto it = migrations_.find(id);
  return it == migrations_.end() ? nullptr : &it->second;
}

std::vector<const MigrationRun*> Publish::migrations() const {
  std::vector<const MigrationRun*> out;
  for (const auto& [id, run] : migrations_) out.push_back(&run);
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace cw
