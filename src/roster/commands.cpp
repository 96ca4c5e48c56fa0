// Plans, assignments, leave, qualifications, reachability: judged here, on the writer thread.
#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "state.h"

namespace cw {
namespace {

constexpr std::size_t people_max = 600;  // in one plan, so that its entry stays below 65,535 bytes
constexpr std::size_t teams_max = 60;
constexpr std::size_t leaves_max = 200;  // open ones of a person
constexpr std::int64_t leave_ms_max = 370 * duty_day_ms;
constexpr std::string_view leave_kinds[] = {"annual", "sick", "official", "other"};

Problem no_person(std::string_view pointer) {
  return invalid("roster.person", std::string(pointer),
                 {"没有这个人，或账号已停用", "There is no such active person"});
}

Status check_team(const Identity& identity, const RosterTeam& team, const std::string& at,
                  std::size_t& count) {
  std::set<std::string_view> once;
  for (const auto* list : {&team.people, &team.standby}) {
    const std::string where = at + (list == &team.people ? "/people/" : "/standby/");
    for (std::size_t i = 0; i < list->size(); ++i, ++count) {
      if (!identity.is_active_person((*list)[i])) return no_person(where + std::to_string(i));
      if (!once.insert((*list)[i]).second)
        return invalid("roster.twice", where + std::to_string(i),
                       {"同一个人在一个班组中出现两次", "The same person is in one team twice"});
    }
  }
  return done();
}

Status check_layers(const Identity& identity, const RosterDef& d, const RosterInput& in) {
  std::size_t count = 0;
  for (const auto& [id, teams] : in.layers) {
    const std::string at = "/layers/" + id;
    const LayerDef* layer = d.layer(id);
    if (layer == nullptr)
      return invalid("roster.layer", at, {"排班表里没有这一层", "The roster has no such layer"});
    if (teams.empty() || teams.size() > teams_max)
      return invalid("roster.teams", at, {"每层须有 1–60 个班组", "A layer has 1–60 teams"});
    const auto steps = static_cast<std::int64_t>(layer->pattern.size());
    const auto size = static_cast<std::int64_t>(teams.size());
    if (steps != 0 && layer->lag == 0 && (size > steps || steps % size != 0))
      return invalid(
          "roster.rhythm", at,
          {"轮换步数须能被班组数整除，或在排班表中写明 lag",
           "The pattern's steps divide by the number of teams, or the roster says `lag`"});
    for (std::size_t i = 0; i < teams.size(); ++i)
      if (Status s = check_team(identity, teams[i], at + "/" + std::to_string(i), count); !s)
        return s;
  }
  for (const LayerDef& layer : d.layers)
    if (!in.layers.contains(layer.id))
      return invalid("roster.layer", "/layers/" + layer.id,
                     {"这一层还没有班组", "This layer has no teams yet"});
  if (count > people_max)
    return invalid("roster.people", "/layers",
                   {"一份排班最多 600 人次", "A plan has at most 600 people"});
  return done();
}

// Every post and team that a layer holds is one of `org` or of what it belongs to.
Status check_holds(const Identity& identity, const RosterDef& d, const std::string& org) {
  std::set<std::string> known;
  for (std::string at = org; !at.empty();) {
    for (const Post& post : identity.posts(at)) known.insert("post:" + post.id);
    for (const Team& team : identity.teams(at)) known.insert("team:" + team.id);
    const auto found = identity.org(at);
    at = found ? found->parent : std::string();
  }
  for (const LayerDef& layer : d.layers)
    if (!layer.holds.empty() && !known.contains(layer.holds))
      return invalid("roster.holds", "/source",
                     {"“" + layer.id + "”层对应的“" + layer.holds + "”在该组织中不存在",
                      "Layer '" + layer.id + "' holds '" + layer.holds +
                          "', which the organisation does not have"});
  return done();
}

json::array names_array(const std::vector<std::string>& list) {
  json::array out;
  for (const auto& s : list) out.emplace_back(s);
  return out;
}

json::object layers_body(const RosterInput& in) {
  json::object out;
  for (const auto& [id, teams] : in.layers) {
    json::array list;
    for (const RosterTeam& t : teams)
      list.push_back(
          json::object{{"people", names_array(t.people)}, {"standby", names_array(t.standby)}});
    out[id] = std::move(list);
  }
  return out;
}

}  // namespace

Roster::Roster(RosterParts parts, Calendars calendars, std::map<std::string, std::string> templates)
    : impl_(std::make_unique<Impl>(std::move(parts), std::move(calendars), std::move(templates))) {}
const std::map<std::string, std::string>& Roster::templates() const { return impl_->templates; }
Roster::~Roster() = default;

Entry duty_entry(const Principal& who, std::string basis, std::string_view verb, std::string name,
                 json::object body) {
  Entry e;
  e.actor = who.actor;
  e.basis = std::move(basis);
  e.kind = "roster." + std::string(verb);
  e.name = std::move(name);
  e.body = std::move(body);
  return e;
}

Problem no_shift(std::string_view pointer) {
  Problem p = problem(Refusal::not_found, "roster.shift",
                      {"排班表里没有这个班次", "The roster has no such shift"});
  p.fields.push_back({std::string(pointer), p.text});
  return p;
}

Result<std::string> Roster::Impl::manage(const Principal& who, std::string_view org) const {
  return parts.identity.may(who, Permission::roster_manage, org);
}

std::string Roster::Impl::person_org(std::string_view person) const {
  auto found = parts.identity.person(person);
  return found ? found->org : std::string();
}

Result<Answer> Roster::set(const Principal& who, Command command, const RosterInput& in) {
  auto checked = checked_roster(in.source);
  if (!checked) return std::move(checked).problem();
  const std::shared_ptr<const RosterDef> definition = *checked;
  return impl_->parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    Impl& m = *impl_;
    if (!m.parts.identity.is_org(in.org))
      return invalid("roster.org", "/org", {"没有这个组织", "There is no such organisation"});
    auto basis = m.manage(who, in.org);
    if (!basis) return basis.problem();
    if (!m.calendars.find(definition->calendar))
      return invalid("roster.calendar", "/source",
                     {"没有日历“" + definition->calendar + "”",
                      "There is no calendar '" + definition->calendar + "'"});
    if (Status s = check_holds(m.parts.identity, *definition, in.org); !s) return s.problem();
    if (Status s = check_layers(m.parts.identity, *definition, in); !s) return s.problem();
    const RosterRecord* before = m.find(in.org, definition->id);
    const std::int64_t today = m.calendar_of(*definition).day_of(d.now_ms());
    if (in.from_day < today && before != nullptr)
      return invalid("roster.past", "/from_day",
                     {"已经过去的班次不能改动；最早从今天起生效",
                      "What is past does not change; a plan begins today at the earliest"});
    if (in.from_day < today - 400 || in.from_day > today + 800)
      return invalid("roster.day", "/from_day",
                     {"生效日期不在合理范围内", "That day is too far away"});
    d.append(duty_entry(who, *basis, "set", definition->id,
                        {{"org", in.org},
                         {"roster", definition->id},
                         {"from_day", in.from_day},
                         {"anchor_day", in.anchor_day == 0 ? in.from_day : in.anchor_day},
                         {"source", in.source},
                         {"layers", layers_body(in)}}));
    return json::object{{"id", definition->id}};
  });
}

Result<Answer> Roster::end(const Principal& who, Command command, std::string_view org,
                           std::string_view id, std::int64_t from_day) {
  return impl_->parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    Impl& m = *impl_;
    auto basis = m.manage(who, org);
    if (!basis) return basis.problem();
    const RosterRecord* r = m.find(org, id);
    if (r == nullptr)
      return problem(Refusal::not_found, "roster.unknown",
                     {"没有这份排班", "There is no such roster"});
    if (from_day < m.day_in(*r, d.now_ms()))
      return invalid("roster.past", "/from_day",
                     {"最早从今天起停用", "It ends today at the earliest"});
    d.append(duty_entry(who, *basis, "ended", r->id,
                        {{"org", r->org}, {"roster", r->id}, {"from_day", from_day}}));
    return json::object{};
  });
}

Result<Answer> Roster::assign(const Principal& who, Command command, const ShiftRef& ref,
                              std::string_view out, std::string_view in, bool anyway) {
  return impl_->parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    Impl& m = *impl_;
    auto basis = m.manage(who, ref.org);
    if (!basis) return basis.problem();
    const auto s = m.shift(ref);
    if (!s) return no_shift("/shift");
    if (s->to_ms <= d.now_ms())
      return invalid("roster.past", "/shift", {"班次已经结束", "The shift is over"});
    if (!m.parts.identity.is_active_person(in)) return no_person("/in");
    if (s->has(in))
      return invalid("roster.already", "/in", {"此人已在该班次", "They have this shift already"});
    const bool was = s->has(out) || std::any_of(s->absent.begin(), s->absent.end(),
                                                [&](const Unready& u) { return u.person == out; });
    if (!out.empty() && !was)
      return invalid("roster.not-on", "/out", {"此人不在该班次", "They do not have this shift"});
    const std::vector<Unready> why = m.against(in, ref, nullptr);
    json::array breaks;
    Problem p = problem(Refusal::invalid, "roster.unready",
                        {"此人不宜接这个班次；如确有必要，请注明仍要安排",
                         "They should not take this shift; if it must be, say so with `anyway`"});
    for (const Unready& u : why) {
      p.fields.push_back({"/in", u.text});
      breaks.emplace_back(u.code);
    }
    // Somebody who is away or not qualified would not hold it anyway.
    const bool hard = std::any_of(why.begin(), why.end(), [](const Unready& u) {
      return u.code == "leave" || u.code == "unqualified" || u.code == "double";
    });
    if (!why.empty() && (!anyway || hard)) return p;
    json::object body = body_of(ref);
    body["out"] = out;
    body["in"] = in;
    if (!breaks.empty()) body["breaks"] = std::move(breaks);
    d.append(duty_entry(who, *basis, "assigned", ref.key(), std::move(body)));
    return json::object{};
  });
}

// ---- leave -------------------------------------------------------------------------------------

namespace {

struct LeaveWish {
  std::int64_t from_ms, to_ms;
};

}  // namespace

static Result<json::object> take_leaves(Roster::Impl& m, const Principal& who, Draft& d,
                                        std::string_view person, std::string_view kind,
                                        const std::vector<LeaveWish>& wishes) {
  const bool own = !who.person.empty() && who.person == person;
  std::string basis = "self";
  if (!m.parts.identity.is_active_person(person)) return no_person("/person");
  if (!own) {
    auto managed = m.manage(who, m.person_org(person));
    if (!managed) return managed.problem();
    basis = *managed;
  }
  if (std::find(std::begin(leave_kinds), std::end(leave_kinds), kind) == std::end(leave_kinds))
    return invalid(
        "roster.leave-kind", "/kind",
        {"类别为 annual、sick、official 或 other", "The kind is annual, sick, official or other"});
  const auto open = std::count_if(m.leaves.begin(), m.leaves.end(), [&](const auto& l) {
    return l.second.person == person && l.second.to_ms > d.now_ms();
  });
  if (wishes.empty())
    return invalid("roster.no-leave", "/ics",
                   {"文件中没有尚未登记的、现在以后的日程",
                    "The file has nothing after now that is not known already"});
  if (static_cast<std::size_t>(open) + wishes.size() > leaves_max)
    return invalid("roster.leaves", "/from_at",
                   {"未结束的休假最多 200 条", "At most 200 stretches of leave are open at once"});
  for (const LeaveWish& w : wishes)
    if (w.to_ms <= w.from_ms || w.to_ms - w.from_ms > leave_ms_max || w.to_ms <= d.now_ms())
      return invalid("roster.leave-time", "/to_at",
                     {"结束须晚于开始、晚于现在，且不超过一年",
                      "The end lies after the start and after now, at most a year away"});
  json::array ids;
  for (const LeaveWish& w : wishes) {
    Leave l{new_id("lea", d.now_ms(), d.random()),
            std::string(person),
            std::string(kind),
            own ? "asked" : "approved",
            own ? "" : who.actor,
            w.from_ms,
            w.to_ms,
            d.now_ms()};
    ids.emplace_back(l.id);
    d.append(duty_entry(who, basis, "leave", l.state, body_of(l)));
  }
  return json::object{{"ids", std::move(ids)}};
}

Result<Answer> Roster::ask_leave(const Principal& who, Command command, std::string_view person,
                                 std::string_view kind, std::int64_t from_ms, std::int64_t to_ms) {
  return impl_->parts.journal.run(std::move(command), [&](Draft& d) {
    return take_leaves(*impl_, who, d, person, kind, {{from_ms, to_ms}});
  });
}

Result<Answer> Roster::ask_leaves(const Principal& who, Command command, std::string_view person,
                                  std::string_view kind, std::string_view ics) {
  const std::string zone = "Asia/Shanghai";
  const auto events =
      read_ics(ics, {.zone = zone, .size_max = 256 << 10, .events_max = leaves_max});
  if (!events) return events.problem();
  return impl_->parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    const auto always = impl_->calendars.find("always");
    std::vector<LeaveWish> wishes;
    for (const IcsEvent& e : *events) {
      LeaveWish w{e.from_ms, e.to_ms};
      if (e.all_day) {
        if (always == nullptr)
          return problem(Refusal::conflict, "roster.calendar",
                         {"缺少全天候日历", "The calendar `always` is missing"});
        w = {always->moment(e.from_day, 0), always->moment(e.to_day + 1, 0)};
      }
      const bool known =
          std::any_of(impl_->leaves.begin(), impl_->leaves.end(), [&](const auto& l) {
            return l.second.person == person && l.second.from_ms == w.from_ms &&
                   l.second.to_ms == w.to_ms && l.second.state != "withdrawn";
          });
      if (w.to_ms > d.now_ms() && !known) wishes.push_back(w);  // the past, and a second import
    }
    return take_leaves(*impl_, who, d, person, kind, wishes);
  });
}

static Result<json::object> settle_leave(Roster::Impl& m, const Principal& who, Draft& d,
                                         std::string_view id, std::string_view to) {
  auto it = m.leaves.find(id);
  const bool own = it != m.leaves.end() && !who.person.empty() && who.person == it->second.person;
  auto managed = it == m.leaves.end() ? Result<std::string>(std::string())
                                      : m.manage(who, m.person_org(it->second.person));
  if (it == m.leaves.end() || (!own && !managed))
    return problem(Refusal::not_found, "roster.leave", {"没有这条休假", "There is no such leave"});
  Leave l = it->second;
  if (to == "withdrawn") {
    if (l.state == "refused" || l.state == "withdrawn" || l.to_ms <= d.now_ms())
      return problem(Refusal::conflict, "roster.leave-over",
                     {"这条休假已经了结", "That leave is settled already"});
  } else {
    if (own)
      return problem(Refusal::forbidden, "roster.own",
                     {"不能审批自己的休假", "Nobody decides on their own leave"});
    if (l.state != "asked")
      return problem(Refusal::conflict, "roster.leave-over",
                     {"这条休假已经了结", "That leave is settled already"});
  }
  l.state = to;
  l.decided_by = who.actor;
  d.append(duty_entry(who, own ? "self" : *managed, "leave", l.state, body_of(l)));
  return json::object{};
}

Result<Answer> Roster::decide_leave(const Principal& who, Command command, std::string_view leave,
                                    bool yes) {
  return impl_->parts.journal.run(std::move(command), [&](Draft& d) {
    return settle_leave(*impl_, who, d, leave, yes ? "approved" : "refused");
  });
}

Result<Answer> Roster::withdraw_leave(const Principal& who, Command command,
                                      std::string_view leave) {
  return impl_->parts.journal.run(std::move(command), [&](Draft& d) {
    return settle_leave(*impl_, who, d, leave, "withdrawn");
  });
}

// ---- qualified, reachable ----------------------------------------------------------------------

Result<Answer> Roster::qualify(const Principal& who, Command command, const Qualification& q,
                               bool withdraw) {
  return impl_->parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    Impl& m = *impl_;
    if (!m.parts.identity.person(q.person)) return no_person("/person");
    auto basis = m.manage(who, m.person_org(q.person));
    if (!basis) return basis.problem();
    const bool named =
        !q.id.empty() && q.id.size() <= 64 && std::all_of(q.id.begin(), q.id.end(), [](char ch) {
          return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '-' || ch == '.';
        });
    if (!named)
      return invalid("roster.qualification", "/qualification",
                     {"资质标识须为 1–64 个小写字母、数字、- 或 .",
                      "A qualification has 1–64 lower-case letters, digits, - or ."});
    if (!withdraw && q.until_ms != 0 && q.until_ms <= d.now_ms())
      return invalid("roster.expired", "/until_at",
                     {"有效期须晚于现在", "It is valid until after now"});
    d.append(duty_entry(who, *basis, withdraw ? "unqualified" : "qualified", q.id,
                        {{"person", q.person}, {"qualification", q.id}, {"until", q.until_ms}}));
    return json::object{};
  });
}

Result<Answer> Roster::confirm_reachable(const Principal& who, Command command,
                                         std::string_view person) {
  return impl_->parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    Impl& m = *impl_;
    if (!m.parts.identity.is_active_person(person)) return no_person("/person");
    std::string basis = "self";
    if (who.person.empty() || who.person != person) {
      auto managed = m.manage(who, m.person_org(person));
      if (!managed) return managed.problem();
      basis = *managed;
    }
    d.append(duty_entry(who, basis, "reachable", "", {{"person", person}}));
    return json::object{};
  });
}

}  // namespace cw
