#include "roster.h"

// Plans in force, definitions to begin from, and a definition read without putting it in force.
namespace cw::api {
namespace {

struct DefinitionIn {
  std::string source;
};
BOOST_DESCRIBE_STRUCT(DefinitionIn, (), (source))

std::vector<DefinedLayerOut> defined_layers(const RosterInfo& info) {
  std::vector<DefinedLayerOut> out;
  for (const RosterLayer& l : info.layers) {
    DefinedLayerOut layer{l.id,
                          l.holds,
                          l.title,
                          static_cast<std::int64_t>(l.need),
                          static_cast<std::int64_t>(l.steps),
                          l.on_call,
                          l.even,
                          l.qualifications,
                          {}};
    for (const auto& [id, title] : l.shifts) layer.shifts.push_back({id, title});
    out.push_back(std::move(layer));
  }
  return out;
}

RosterPlanOut plan_out(const Call& call, const RosterInfo& r) {
  RosterPlanOut out;
  out.org = r.org;
  out.id = r.id;
  out.source = r.source;
  out.calendar = r.calendar;
  out.from_day = day_text(r.from_day);
  out.anchor_day = day_text(r.anchor_day);
  if (r.until_day != 0) out.until_day = day_text(r.until_day);
  out.version = r.version;
  out.title = r.title;
  out.defined = defined_layers(r);
  std::set<std::string> people;
  for (const RosterLayer& l : r.layers) {
    RosterLayerIo layer{l.id, {}};
    for (const RosterTeam& t : l.teams) {
      layer.teams.push_back({t.people, t.standby});
      people.insert(t.people.begin(), t.people.end());
      people.insert(t.standby.begin(), t.standby.end());
    }
    out.layers.push_back(std::move(layer));
  }
  for (const std::string& id : people) out.people.push_back(person_ref(call.s, id));
  out.may_manage = call.s.identity.may(call.who, Permission::roster_manage, r.org).ok();
  return out;
}

Result<Page<RosterPlanOut>> plan_list(Call& call) {
  return call.s.journal.read([&]() -> Result<Page<RosterPlanOut>> {
    auto days = asked_days(call, 1);
    if (!days) return std::move(days).problem();
    return page_of<RosterPlanOut>(call.s.roster.plans(days->org, days->from), "",
                                  [&](const RosterInfo& r) { return plan_out(call, r); });
  });
}

Result<RosterDefinitionOut> read_definition(Call&, DefinitionIn& in) {
  auto info = Roster::read(in.source);
  if (!info) return std::move(info).problem();
  return RosterDefinitionOut{info->id, info->calendar, info->version, info->title,
                             defined_layers(*info)};
}

}  // namespace

void add_plans(Table& t) {
  t.get<Page<RosterPlanOut>>("/roster/plans",
                             {"roster.read",
                              "Rosters with their teams, in force on a day or from a later one",
                              {{"org", "an organisation; absent: the nearest with a roster"},
                               {"from", "the day, 2026-11-23; absent: today"}}},
                             plan_list);
  t.get<Page<RosterTemplateOut>>(
      "/roster/templates", {"roster.manage", "Roster definitions to begin from"},
      [](Call& c) -> Result<Page<RosterTemplateOut>> {
        Page<RosterTemplateOut> out;
        for (const auto& [id, source] : c.s.roster.templates()) {
          auto info = Roster::read(source);
          out.items.push_back({id, source, info ? info->title : Text{id, id}});
        }
        return out;
      });
  t.post<DefinitionIn, RosterDefinitionOut>(
      "/roster/definition",
      {"roster.manage", "Reads a definition, or names its mistakes by line and column"},
      read_definition);
}

}  // namespace cw::api
