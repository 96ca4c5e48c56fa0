#include "roster.h"

// Handovers: what one shift leaves to the next, with what is open filled in from the records.
namespace cw::api {
namespace {

constexpr std::size_t kOpenMax = 100;

bool may_sign(const Call& call, const Shift& shift, const Handover& h) {
  const auto next = call.s.roster.following(shift);
  return h.incoming.empty() && h.outgoing != call.who.person &&
         std::any_of(next.begin(), next.end(),
                     [&](const Shift& n) { return n.has(call.who.person); });
}

HandoverOut handover_out(const Call& call, const Shift& shift) {
  const Services& s = call.s;
  HandoverOut out;
  out.shift = shift_out(call, shift);
  out.may_write = out.shift.mine && out.shift.handover != "signed";
  for (const Shift& next : s.roster.following(shift))
    for (const OnShift& o : next.people) out.next.push_back(person_ref(s, o.person));
  const auto h = s.roster.handover(shift.ref);
  if (!h) return out;
  for (const std::string& item : h->items) out.items.push_back(duty_item(call, item));
  out.text = text_of(s, h->content);
  out.outgoing = somebody(s, h->outgoing);
  out.incoming = somebody(s, h->incoming);
  out.outgoing_at = unless_never(h->outgoing_at);
  out.incoming_at = unless_never(h->incoming_at);
  out.seq = static_cast<std::int64_t>(h->seq);
  out.may_sign = may_sign(call, shift, *h);
  return out;
}

// Open cases, earliest due first, and alerts that nobody closed, where the caller may see them.
std::vector<DutyItemOut> open_items(Call& call) {
  std::vector<DutyItemOut> out;
  const CaseFilter filter{
      .orgs = call.orgs(Permission::case_read), .open = 1, .sort = "due", .limit = kOpenMax};
  const watch::AlertFilter alerts{.org = call.orgs(Permission::alert_read),
                                  .triage = {watch::Triage::open, watch::Triage::taken},
                                  .silenced = false,
                                  .limit = kOpenMax};
  Result<CasePage> cases = CasePage{};
  Result<watch::AlertPage> fired = watch::AlertPage{};
  auto status = call.s.views.read(call.s.journal.size(), [&](Database& db) {
    cases = CaseList::find(db, filter);
    if (!alerts.org.empty()) fired = watch::AlertList::page(db, alerts);
  });
  if (!status || !cases || !fired) return out;
  std::vector<CaseBrief> briefs;
  for (const CaseRow& row : cases->rows) briefs.push_back(case_brief(call.s, row));
  call.s.journal.read([&] {
    for (const CaseBrief& brief : briefs) {
      out.push_back(duty_item(call, brief.id));
      out.back().headline = brief.title;
    }
    for (const auto& alert : fired->alerts) out.push_back(duty_item(call, alert.id));
  });
  if (out.size() > kOpenMax) out.resize(kOpenMax);
  return out;
}

Result<HandoverOut> one_handover(Call& call) {
  auto out = call.s.journal.read([&]() -> Result<HandoverOut> {
    auto ref = named_shift(grid_org(call), call.query("shift"), "/shift");
    if (!ref) return std::move(ref).problem();
    if (Status may = may_see_roster(call, ref->org); !may) return may.problem();
    const auto shift = call.s.roster.shift(*ref);
    if (!shift) return no_such({"这个班次", "such a shift"});
    return handover_out(call, *shift);
  });
  if (out && out->may_write) out->open = open_items(call);
  return out;
}

Result<Page<HandoverOut>> handover_list(Call& call) {
  return call.s.journal.read([&]() -> Result<Page<HandoverOut>> {
    const std::string org = grid_org(call);
    if (Status may = may_see_roster(call, org); !may) return may.problem();
    Page<HandoverOut> out;
    for (const Handover& h : call.s.roster.handovers(org, 100))
      if (const auto shift = call.s.roster.shift(h.shift))
        out.items.push_back(handover_out(call, *shift));
    return out;
  });
}

}  // namespace

DutyItemOut duty_item(const Call& call, const std::string& item) {
  const Services& s = call.s;
  DutyItemOut out{item};
  const auto may = [&](Permission permission, const std::string& org) {
    return !org.empty() && s.identity.may(call.who, permission, org).ok();
  };
  const auto parts = split(item, '/');
  const std::string id(parts.front());
  if (const auto* alert = s.alerts.find(id); alert && may(Permission::alert_read, alert->org)) {
    const auto rules = s.watch.rules();
    const auto* rule = rules ? rules->find(alert->rule) : nullptr;
    out.title = rule ? rule->title : Text{alert->rule, alert->rule};
    if (auto content = watch::AlertContent::parse(text_of(s, alert->content));
        content && !content->title.zh.empty())
      out.title = content->title;
    out.closed = alert->closed();
  }
  if (!may(Permission::case_read, s.engine.org_of(id))) return out;
  const auto view = s.engine.view(id, "");
  if (!view) return out;
  out.number = view->number;
  out.title = view->title;
  out.state = view->state_title;
  out.closed = view->closed;
  for (const TaskView& task : view->tasks)
    if (parts.size() > 1 && task.id == parts[1]) {
      out.title = task.title;
      out.closed = task.phase != TaskPhase::open;
    }
  return out;
}

void add_handovers(Table& t) {
  const QueryInfo org{"org", "an organisation; absent: the nearest with a roster"};
  t.get<HandoverOut>("/roster/handover",
                     {"roster.read",
                      "A shift's handover, and for who writes it what is open",
                      {org, {"shift", "the shift's key"}}},
                     one_handover);
  t.get<Page<HandoverOut>>("/roster/handovers",
                           {"roster.read", "The handover log, newest first", {org}}, handover_list);
}

}  // namespace cw::api
