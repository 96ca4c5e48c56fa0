#include "common.h"

namespace cw::api {

PersonRef person_ref(const Services& s, std::string_view id) {
  if (id.starts_with("per_")) {
    auto person = s.identity.person(id);
    if (person) return {person->id, s.identity.display_name(id), person->staff_no};
  }
  return {std::string(id), std::string(id), ""};
}

std::string text_of(const Services& s, const std::string& commitment) {
  if (commitment.empty()) return {};
  auto text = s.sealed.open(commitment);
  return text ? *text : std::string();
}

Problem no_such(Text what) {
  return problem(
      Refusal::not_found, "api.not-found",
      {"没有" + what.zh + "，或您无权查看", "There is no " + what.en + ", or you may not see it"});
}

Status may_case(const Call& call, std::string_view case_id, Permission permission) {
  return call.s.journal.read([&]() -> Status {
    if (!sees_case(call.s, call.who, case_id)) return no_such({"这个案件", "such a case"});
    auto basis = call.s.identity.may(call.who, permission, call.s.engine.org_of(case_id));
    if (!basis) return std::move(basis).problem();
    return done();
  });
}

bool sees_case(const Services& s, const Principal& who, std::string_view case_id) {
  const std::string org = s.engine.org_of(case_id);
  return !org.empty() && s.identity.may(who, Permission::case_read, org).ok() &&
         s.engine.may_read(case_id, who.actor);
}

Status may_person(const Call& call, std::string_view person, Permission permission) {
  return call.s.journal.read([&]() -> Status {
    const Identity& identity = call.s.identity;
    const auto found = identity.person(person);
    auto may = found ? identity.may(call.who, permission, found->org) : Result<std::string>("");
    if (!found || (!may && !identity.may(call.who, Permission::people_read, found->org)))
      return no_such({"这个人员", "such a person"});
    if (!may) return std::move(may).problem();
    return done();
  });
}

Status may_org(const Call& call, std::string_view org, Permission permission) {
  return call.s.journal.read([&]() -> Status {
    const bool known = call.s.identity.org(org).has_value();
    auto may = call.s.identity.may(call.who, permission, known ? org : "");
    if (!may) return std::move(may).problem();
    if (!known) return no_such({"这个组织", "such an organisation"});
    return done();
  });
}

std::optional<CaseRef> case_ref(const Services& s, const Principal& who, const std::string& id) {
  if (id.empty() || (s.engine.exists(id) && !s.engine.may_read(id, who.actor))) return std::nullopt;
  auto view = s.engine.view(id, "");
  return CaseRef{id, view ? view->number : ""};
}

Status may_alert(const Call& call, std::string_view alert_id, Permission permission) {
  std::string org;
  call.s.journal.read([&] {
    if (const auto* alert = call.s.alerts.find(alert_id)) org = alert->org;
  });
  if (org.empty()) {  // not in memory any more: the read model still has it
    auto status = call.s.views.read(0, [&](Database& db) {
      if (auto alert = watch::AlertList::find(db, alert_id)) org = alert->org;
    });
    if (!status) return status;
  }
  if (org.empty() || !call.may(Permission::alert_read, org).ok())
    return no_such({"这条告警", "such an alert"});
  return call.may(permission, org);
}

CaseBrief case_brief(const Services& s, const CaseRow& row) {
  CaseBrief b;
  b.id = row.id;
  b.number = row.number;
  b.procedure = row.procedure;
  b.version = row.version;
  b.state = row.state;
  b.final = row.closed;
  b.org = row.org;
  b.mode = row.drill ? "drill" : "live";
  b.opened_at = row.opened_ms;
  b.changed_at = row.updated_ms;
  if (row.due_ms > 0 && !row.closed) b.next_due_at = row.due_ms;
  b.late = !row.closed && row.due_ms > 0 && row.due_ms < s.clock.now_ms();
  b.flags = row.flags;
  b.seq = static_cast<std::int64_t>(row.seq);
  auto definition = s.engine.definition(row.procedure + "@" + std::to_string(row.version));
  if (definition) {
    b.procedure_title = definition->title;
    if (int state = definition->state(row.state); state >= 0)
      b.state_title = definition->states[static_cast<std::size_t>(state)].title;
    for (std::size_t i = 0; i < definition->levels.size(); ++i)
      if (definition->levels[i] == row.level)
        b.level = LevelOut{row.level, definition->level_titles[i], static_cast<std::int64_t>(i)};
  }
  b.title = case_title(s, row.content);
  return b;
}

std::string case_title(const Services& s, const std::string& content) {
  auto form = parse_json(text_of(s, content), {.size_max = 9 << 20});
  if (!form || !form->is_object()) return {};
  for (const char* name : {"title", "subject", "summary", "what", "description"})
    if (auto text = text_or(form->get_object(), name); !text.empty())
      return std::string(clip(text, 80));
  return {};
}

AlertBrief alert_brief(const Call& call, const watch::Alert& a) {
  const Services& s = call.s;
  AlertBrief b;
  b.id = a.id;
  b.state = std::string(watch::to_string(a.triage));
  b.level = std::string(detect::to_string(a.level));
  b.rule = a.rule;
  b.count = a.events;
  b.first_at = a.first_ms;
  b.last_at = a.changed_ms;
  b.active = a.active;
  b.silenced = !a.silence.empty();
  b.org = a.org;
  b.source = a.source;
  b.seq = static_cast<std::int64_t>(a.seq);
  if (auto tally = s.watch.tally(a.id)) {
    b.count = std::max(b.count, tally->events);
    b.last_at = std::max(b.last_at, tally->last_ms);
  }
  if (a.disposition != watch::Disposition::none)
    b.disposition = std::string(watch::to_string(a.disposition));
  s.journal.read([&] {
    if (!a.owner.empty()) b.taken_by = person_ref(s, a.owner);
    b.case_ref = case_ref(s, call.who, a.case_id);
  });
  auto content = watch::AlertContent::parse(text_of(s, a.content));
  auto rules = s.watch.rules();
  if (const auto* rule = rules ? rules->find(a.rule) : nullptr) b.title = rule->title;
  if (content) {
    if (!content->title.zh.empty()) b.title = content->title;
    for (const auto& [kind, value] : content->entities) b.entities.push_back({kind, value});
  }
  if (b.title.zh.empty()) b.title = {a.rule, a.rule};
  return b;
}

Written written(const Answer& answer) { return {static_cast<std::int64_t>(answer.first)}; }

Result<Written> written(Result<Answer> answer) {
  if (!answer) return std::move(answer).problem();
  return written(*answer);
}

}  // namespace cw::api
