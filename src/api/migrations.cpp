#include <algorithm>

#include "definitions.h"

// Running cases to the version in force: a trial over all of them, then the migration itself.
namespace cw::api {
namespace {

struct MigrateIn {
  std::int64_t from = 0;
  std::optional<json::object> map;
  std::optional<std::int64_t> skip, limit;
};
BOOST_DESCRIBE_STRUCT(MigrateIn, (), (from, map, skip, limit))

struct MigrationGroupOut {
  std::string code, what;
  std::int64_t cases = 0;
};
BOOST_DESCRIBE_STRUCT(MigrationGroupOut, (), (code, what, cases))
struct MovedLimitOut {
  std::string name;
  std::optional<std::int64_t> old_budget_ms, new_budget_ms, old_due_at, new_due_at;
};
BOOST_DESCRIBE_STRUCT(MovedLimitOut, (),
                      (name, old_budget_ms, new_budget_ms, old_due_at, new_due_at))
struct MigrationCaseOut {
  CaseRef case_ref;
  std::string org, state;
  std::optional<std::string> to_state, code, what;
  std::optional<Text> why;
  bool moves = false, due_at_once = false;
  std::vector<std::string> opens, drops, unknown;
  std::vector<MovedLimitOut> limits;
};
BOOST_DESCRIBE_STRUCT(MigrationCaseOut, (),
                      (case_ref, org, state, to_state, code, what, why, moves, due_at_once, opens,
                       drops, unknown, limits))
struct MigrationPlanOut {
  std::string procedure;
  std::int64_t from = 0, to = 0, cases = 0, moves = 0, stays = 0, due_at_once = 0;
  std::vector<MigrationGroupOut> groups;
  std::vector<MigrationCaseOut> items;
};
BOOST_DESCRIBE_STRUCT(MigrationPlanOut, (),
                      (procedure, from, to, cases, moves, stays, due_at_once, groups, items))

struct MigrationStayedOut {
  CaseRef case_ref;
  std::string code, what;
};
BOOST_DESCRIBE_STRUCT(MigrationStayedOut, (), (case_ref, code, what))
struct MigrationOut {
  std::string id, procedure, phase;
  std::int64_t from = 0, to = 0, began_at = 0, seq = 0;
  std::optional<std::int64_t> ended_at;
  PersonRef by;
  json::object map;
  std::int64_t moved = 0, stays = 0, looked = 0, cases = 0;
  std::vector<MigrationStayedOut> stayed;
};
BOOST_DESCRIBE_STRUCT(MigrationOut, (),
                      (id, procedure, phase, from, to, began_at, seq, ended_at, by, map, moved,
                       stays, looked, cases, stayed))
struct MigrationWritten {
  std::int64_t seq = 0;
  std::string id;
};
BOOST_DESCRIBE_STRUCT(MigrationWritten, (), (seq, id))

// {"states": {"old": "new"}, …}; null or "" lets a name go.
Result<MigrationMap> map_in(const std::optional<json::object>& in) {
  json::object good;
  std::vector<FieldProblem> wrong;
  constexpr std::string_view known[] = {"states", "tasks", "clocks", "facts", "roles"};
  for (const auto& [map, names] : in.value_or(json::object{})) {
    const std::string at = wire_pointer("/map", map);
    if (std::find(std::begin(known), std::end(known), std::string_view(map)) == std::end(known)) {
      wire_wrong(wrong, at, {"没有这个字段", "There is no such field"});
      continue;
    }
    if (!names.is_object()) {
      wire_wrong_type(wrong, at, {"对象", "an object"});
      continue;
    }
    json::object out;
    for (const auto& [from, to] : names.as_object()) {
      if (to.is_null())
        out[from] = "";
      else if (to.is_string() && to.as_string().size() <= 200 && from.size() <= 200)
        out[from] = to;
      else
        wire_wrong_type(wrong, wire_pointer(at, from), {"名称或 null", "a name, or null"});
    }
    good[map] = std::move(out);
  }
  if (!wrong.empty())
    return problem(Refusal::invalid, "migration.map",
                   {"对应关系有误，没有写入任何内容", "The map is wrong; nothing was written"},
                   std::move(wrong));
  return migration_map(good);
}

Status check_procedure(Call& call, const MigrateIn& in) {
  auto of = definition_of(call);
  if (!of) return std::move(of).problem();
  if (of->kind != DefinitionKind::procedure)
    return no_such({"可迁移的案件：表单没有案件", "such a thing: forms have no cases"});
  if (in.from < 1 || in.from > 1'000'000)
    return invalid("migration.version", "/from", {"没有这个版本", "There is no such version"});
  return done();
}

std::optional<std::int64_t> some(std::int64_t n) {
  return n == 0 ? std::nullopt : std::optional(n);
}

std::optional<std::string> some(const std::string& s) {
  return s.empty() ? std::nullopt : std::optional(s);
}

MigrationCaseOut case_out(const MigrationOutcome& one) {
  MigrationCaseOut out{.case_ref = {one.case_id, one.number},
                       .org = one.org,
                       .state = one.state,
                       .to_state = some(one.to_state),
                       .code = some(one.code),
                       .what = some(one.what),
                       .why = {},
                       .moves = one.moves(),
                       .due_at_once = one.due_at_once,
                       .opens = one.opens,
                       .drops = one.drops,
                       .unknown = one.unknown};
  if (!one.moves()) out.why = one.why;
  for (const auto& l : one.limits)
    out.limits.push_back({l.name, some(l.old_budget_ms), some(l.new_budget_ms), some(l.old_due_ms),
                          some(l.new_due_ms)});
  return out;
}

Result<MigrationPlanOut> try_migration(Call& call, MigrateIn& in) {
  if (Status s = check_procedure(call, in); !s) return std::move(s).problem();
  auto map = map_in(in.map);
  if (!map) return std::move(map).problem();
  const std::int64_t skip = in.skip.value_or(0), limit = in.limit.value_or(100);
  if (skip < 0 || limit < 0 || limit > 500)
    return invalid("migration.page", "/limit", {"应为 0 到 500", "0 to 500"});
  auto planned = publishing(call).plan_migration(call.who, call.id(), static_cast<int>(in.from),
                                                 *map, static_cast<std::size_t>(skip),
                                                 static_cast<std::size_t>(limit));
  if (!planned) return std::move(planned).problem();
  MigrationPlanOut out{.procedure = planned->procedure,
                       .from = planned->from,
                       .to = planned->to,
                       .cases = static_cast<std::int64_t>(planned->cases),
                       .moves = static_cast<std::int64_t>(planned->moves),
                       .stays = static_cast<std::int64_t>(planned->stays),
                       .due_at_once = static_cast<std::int64_t>(planned->due_at_once)};
  for (const auto& g : planned->groups)
    out.groups.push_back({g.code, g.what, static_cast<std::int64_t>(g.cases)});
  call.s.journal.read([&] {  // a case that the caller may not read is counted, not named
    for (const auto& one : planned->items)
      if (sees_case(call.s, call.who, one.case_id)) out.items.push_back(case_out(one));
  });
  return out;
}

Result<MigrationWritten> migration_did(Result<Answer> answer) {
  if (!answer) return std::move(answer).problem();
  return MigrationWritten{written(*answer).seq, std::string(text_or(answer->body, "migration"))};
}

Result<MigrationWritten> begin_migration(Call& call, MigrateIn& in) {
  if (Status s = check_procedure(call, in); !s) return std::move(s).problem();
  auto map = map_in(in.map);
  if (!map) return std::move(map).problem();
  return migration_did(publishing(call).begin_migration(call.who, call.command, call.id(),
                                                        static_cast<int>(in.from), *map));
}

// Under the state lock.
MigrationOut migration_out(const Call& call, const MigrationRun& r, bool whole) {
  const Services& s = call.s;
  MigrationOut out{.id = r.id,
                   .procedure = r.procedure,
                   .phase = name_of(r.phase),
                   .from = r.from,
                   .to = r.to,
                   .began_at = r.began_ms,
                   .seq = static_cast<std::int64_t>(r.seq),
                   .ended_at = some(r.ended_ms),
                   .by = person_ref(s, r.actor),
                   .map = to_json(r.map),
                   .moved = static_cast<std::int64_t>(r.moved),
                   .stays = static_cast<std::int64_t>(r.left),
                   .looked = static_cast<std::int64_t>(r.next),
                   .cases = static_cast<std::int64_t>(s.engine.size())};
  if (!whole) return out;
  for (const auto& one : r.stayed) {
    auto view = s.engine.view(one.case_id, "");
    if (view && sees_case(s, call.who, one.case_id))
      out.stayed.push_back({{one.case_id, view->number}, one.code, one.what});
  }
  return out;
}

Result<Page<MigrationOut>> list_migrations(Call& call) {
  const std::string procedure = call.query("procedure");
  Page<MigrationOut> page;
  call.s.journal.read([&] {
    for (const MigrationRun* r : publishing(call).migrations())
      if ((procedure.empty() || r->procedure == procedure) && page.items.size() < 200)
        page.items.push_back(migration_out(call, *r, false));
  });
  return page;
}

Result<MigrationOut> one_migration(Call& call) {
  std::optional<MigrationOut> out;
  call.s.journal.read([&] {
    if (const MigrationRun* r = publishing(call).migration(call.id()))
      out = migration_out(call, *r, true);
  });
  if (!out) return no_such({"这次迁移", "such a migration"});
  return std::move(*out);
}

}  // namespace

void add_migrations(Table& t) {
  t.tag("migrations");
  t.post<MigrateIn, MigrationPlanOut>(
      "/definitions/{kind}/{id}/migration-plan",
      {"definitions.approve",
       "Try it on every open case of version `from`, against the version in force; nothing is "
       "changed. `map`: {states, tasks, clocks, facts, roles}, old → new, null lets it go"},
      try_migration);
  t.create<MigrateIn, MigrationWritten>(
      "/definitions/{kind}/{id}/migrations",
      {"definitions.approve", "Begin it: cases move in batches, those that cannot stay"},
      begin_migration);
  t.get<Page<MigrationOut>>(
      "/migrations",
      {"definitions.read", "Migrations, newest first", {{"procedure", "of this one"}}},
      list_migrations);
  t.get<MigrationOut>("/migrations/{id}",
                      {"definitions.read", "Its progress, and the cases that stayed (up to 1,000)"},
                      one_migration);
  t.post<Nothing, MigrationWritten>(
      "/migrations/{id}/stop", {"definitions.approve", "Stop it; what moved stays moved"},
      [](Call& call, Nothing&) {
        return migration_did(publishing(call).stop_migration(call.who, call.command, call.id()));
      });
}

}  // namespace cw::api
