// Entries to memory and memory to slices. Every entry holds its record whole, so applying one is
// putting it in its place; nothing is judged.
#include <algorithm>

#include "base/text.h"
#include "state.h"

namespace cw {
namespace {

constexpr std::int64_t keep_ms = 400 * duty_day_ms;
constexpr std::size_t slice_handovers = 2'000;

json::array array_of(const std::vector<std::string>& list) {
  json::array out;
  for (const auto& s : list) out.emplace_back(s);
  return out;
}

std::vector<std::string> list_of(const json::object& o, std::string_view key) {
  std::vector<std::string> out;
  if (const json::value* v = o.if_contains(key); v != nullptr && v->is_array())
    for (const json::value& item : v->get_array()) out.emplace_back(item.as_string());
  return out;
}

std::string str(const json::object& o, std::string_view key) {
  return std::string(text_or(o, key));
}

Text text_from(const json::object& o, std::string_view key) {
  const json::value* v = o.if_contains(key);
  return v == nullptr ? Text{} : Text{str(v->as_object(), "zh"), str(v->as_object(), "en")};
}

Leave leave_from(const json::object& o) {
  return {str(o, "id"),         str(o, "person"),  str(o, "kind"),  str(o, "state"),
          str(o, "decided_by"), int_or(o, "from"), int_or(o, "to"), int_or(o, "asked_at")};
}

Swap swap_from(const json::object& o) {
  Swap s{str(o, "id"), str(o, "asker"), str(o, "partner"),    ref_from(o.at("shift").as_object()),
         {},           str(o, "state"), str(o, "decided_by"), int_or(o, "asked_at")};
  if (const json::value* back = o.if_contains("return"))
    s.return_shift = ref_from(back->as_object());
  return s;
}

Handover handover_from(const json::object& o, std::uint64_t seq) {
  return {ref_from(o.at("shift").as_object()),
          list_of(o, "items"),
          str(o, "content"),
          str(o, "outgoing"),
          str(o, "incoming"),
          int_or(o, "outgoing_at"),
          int_or(o, "incoming_at"),
          static_cast<std::uint64_t>(int_or(o, "seq", static_cast<std::int64_t>(seq)))};
}

DutyCall call_from(const json::object& o) {
  DutyCall c{str(o, "id"), str(o, "about"), str(o, "org"), str(o, "state")};
  c.step = static_cast<std::size_t>(int_or(o, "step"));
  for (const json::value& v : o.at("told").as_array()) {
    const json::object& t = v.as_object();
    c.told.push_back(
        {str(t, "layer"), text_from(t, "title"), list_of(t, "people"), int_or(t, "wait")});
  }
  c.opened_at = int_or(o, "opened_at");
  c.next_at = int_or(o, "next_at");
  c.acknowledged_at = int_or(o, "acknowledged_at");
  c.acknowledged_by = str(o, "acknowledged_by");
  return c;
}

RosterPeriod period_from(const json::object& o) {
  RosterPeriod p;
  p.from_day = int_or(o, "from_day");
  p.anchor_day = int_or(o, "anchor_day", p.from_day);
  if (const std::string source = str(o, "source"); !source.empty()) {
    std::vector<Mistake> mistakes;
    p.definition = read_roster(source, "journal", mistakes);
    if (!p.definition) throw std::runtime_error("a roster in the journal can no longer be read");
  }
  if (const json::value* layers = o.if_contains("layers"))
    for (const auto& [layer, teams] : layers->as_object())
      for (const json::value& team : teams.as_array())
        p.layers[std::string(layer)].push_back(
            {list_of(team.as_object(), "people"), list_of(team.as_object(), "standby")});
  return p;
}

json::object period_body(const RosterRecord& r, const RosterPeriod& p) {
  json::object layers;
  for (const auto& [layer, teams] : p.layers) {
    json::array list;
    for (const RosterTeam& t : teams)
      list.push_back(
          json::object{{"people", array_of(t.people)}, {"standby", array_of(t.standby)}});
    layers[layer] = std::move(list);
  }
  return {{"org", r.org},
          {"roster", r.id},
          {"from_day", p.from_day},
          {"anchor_day", p.anchor_day},
          {"source", p.definition ? p.definition->source : ""},
          {"layers", std::move(layers)}};
}

void put_period(RosterRecord& r, RosterPeriod p) {
  // A plan from a day on replaces every later one: what was planned beyond it is planned anew.
  std::erase_if(r.periods, [&](const RosterPeriod& o) { return o.from_day >= p.from_day; });
  for (const auto& [layer, teams] : p.layers)
    for (const RosterTeam& t : teams) {
      r.mentioned.insert(t.people.begin(), t.people.end());
      r.mentioned.insert(t.standby.begin(), t.standby.end());
    }
  r.periods.push_back(std::move(p));
}

void put_change(Roster::Impl& m, const ShiftRef& ref, ShiftChange change) {
  auto it = m.rosters.find({ref.org, ref.roster});
  if (it == m.rosters.end()) return;
  it->second.mentioned.insert(change.in);
  it->second.changes[ref.key()].push_back(std::move(change));
}

}  // namespace

json::object body_of(const ShiftRef& ref) { return {{"org", ref.org}, {"shift", ref.key()}}; }

ShiftRef ref_from(const json::object& o) {
  auto ref = shift_ref(text_or(o, "org"), text_or(o, "shift"));
  CW_CHECK(ref.has_value());
  return *ref;
}

json::object body_of(const Leave& l) {
  return {{"id", l.id},       {"person", l.person},         {"kind", l.kind},
          {"state", l.state}, {"decided_by", l.decided_by}, {"from", l.from_ms},
          {"to", l.to_ms},    {"asked_at", l.asked_at}};
}

json::object body_of(const Swap& s) {
  json::object o{{"id", s.id},
                 {"asker", s.asker},
                 {"partner", s.partner},
                 {"shift", body_of(s.shift)},
                 {"state", s.state},
                 {"decided_by", s.decided_by},
                 {"asked_at", s.asked_at}};
  if (s.return_shift) o["return"] = body_of(*s.return_shift);
  return o;
}

json::object body_of(const Handover& h) {
  json::object o{{"shift", body_of(h.shift)},   {"items", array_of(h.items)},
                 {"content", h.content},        {"outgoing", h.outgoing},
                 {"incoming", h.incoming},      {"outgoing_at", h.outgoing_at},
                 {"incoming_at", h.incoming_at}};
  if (h.seq != 0) o["seq"] = static_cast<std::int64_t>(h.seq);
  return o;
}

json::object body_of(const DutyCall& c) {
  json::array told;
  for (const EscalationStep& s : c.told)
    told.push_back(json::object{{"layer", s.layer},
                                {"title", {{"zh", s.title.zh}, {"en", s.title.en}}},
                                {"people", array_of(s.people)},
                                {"wait", s.wait_ms}});
  return {{"id", c.id},
          {"about", c.about},
          {"org", c.org},
          {"state", c.state},
          {"step", static_cast<std::int64_t>(c.step)},
          {"told", std::move(told)},
          {"opened_at", c.opened_at},
          {"next_at", c.next_at},
          {"acknowledged_at", c.acknowledged_at},
          {"acknowledged_by", c.acknowledged_by}};
}

const RosterPeriod* RosterRecord::period(std::int64_t day) const {
  const RosterPeriod* found = nullptr;
  for (const RosterPeriod& p : periods)
    if (p.from_day <= day) found = &p;
  return found != nullptr && found->definition ? found : nullptr;
}

void Roster::Impl::apply(const Entry& e) {
  const std::string_view verb = std::string_view(e.kind).substr(7);
  const json::object& o = e.body;
  if (verb == "handover") {
    Handover h = handover_from(o, e.seq);
    auto& kept = handovers[{h.shift.org, h.shift.key()}];
    kept = std::move(h);
  }
  if (e.seq < core_seen) return;
  applied = e.seq + 1;
  ++version;
  if (verb == "set" || verb == "ended") {
    RosterRecord& r = rosters[{str(o, "org"), str(o, "roster")}];
    r.org = str(o, "org");
    r.id = str(o, "roster");
    put_period(r, period_from(o));
  } else if (verb == "assigned") {
    put_change(*this, ref_from(o), {str(o, "out"), str(o, "in"), "assigned"});
  } else if (verb == "swap") {
    Swap s = swap_from(o);
    if (s.state == "approved") {
      put_change(*this, s.shift, {s.asker, s.partner, "swap"});
      if (s.return_shift) put_change(*this, *s.return_shift, {s.partner, s.asker, "swap"});
    }
    swaps[s.id] = std::move(s);
  } else if (verb == "leave") {
    Leave l = leave_from(o);
    leaves[l.id] = std::move(l);
  } else if (verb == "qualified") {
    qualified[{str(o, "person"), str(o, "qualification")}] = int_or(o, "until");
  } else if (verb == "unqualified") {
    qualified.erase({str(o, "person"), str(o, "qualification")});
  } else if (verb == "reachable") {
    confirmed[str(o, "person")] = e.at_ms;
  } else if (verb == "link") {
    if (std::string hash = str(o, "hash"); hash.empty())
      links.erase(str(o, "person"));
    else
      links[str(o, "person")] = {std::move(hash), e.at_ms};
  } else if (verb == "reminded") {
    reminded[str(o, "key")] = e.at_ms;
  } else if (verb == "call") {
    DutyCall c = call_from(o);
    calls[c.id] = std::move(c);
  }
  forget(e.at_ms);
}

void Roster::Impl::forget(std::int64_t now_ms) {
  if (now_ms < forgot_ms + duty_day_ms) return;
  forgot_ms = now_ms;
  const std::int64_t before = now_ms - keep_ms;
  std::erase_if(leaves, [&](const auto& l) { return l.second.to_ms < before; });
  std::erase_if(swaps, [&](const auto& s) { return s.second.asked_at < before; });
  std::erase_if(calls, [&](const auto& c) { return c.second.opened_at < before; });
  std::erase_if(reminded, [&](const auto& r) { return r.second < now_ms - 14 * duty_day_ms; });
}

void Roster::apply(const Entry& entry) { impl_->apply(entry); }

// Slice 0: everything but handovers; then handovers in the order of their keys.
std::optional<std::string> Roster::save_slice(std::size_t i) const {
  const Impl& m = *impl_;
  if (i > 0) {
    const std::size_t from = (i - 1) * slice_handovers;
    if (from >= m.handovers.size()) return std::nullopt;
    json::array list;
    auto it = std::next(m.handovers.begin(), static_cast<std::ptrdiff_t>(from));
    for (std::size_t n = 0; n < slice_handovers && it != m.handovers.end(); ++n, ++it)
      list.push_back(body_of(it->second));
    return json::serialize(json::object{{"handovers", std::move(list)}});
  }
  json::array rosters, changes, leaves, swaps, calls, qualified;
  for (const auto& [key, r] : m.rosters) {
    for (const RosterPeriod& p : r.periods) rosters.push_back(period_body(r, p));
    for (const auto& [shift, list] : r.changes)
      for (const ShiftChange& c : list)
        changes.push_back(json::object{
            {"org", r.org}, {"shift", shift}, {"out", c.out}, {"in", c.in}, {"why", c.why}});
  }
  for (const auto& [id, l] : m.leaves) leaves.push_back(body_of(l));
  for (const auto& [id, s] : m.swaps) swaps.push_back(body_of(s));
  for (const auto& [id, c] : m.calls) calls.push_back(body_of(c));
  for (const auto& [key, until] : m.qualified)
    qualified.push_back(json::array{key.first, key.second, until});
  json::object confirmed, reminded, links;
  for (const auto& [person, link] : m.links)
    links[person] = json::object{{"hash", link.hash}, {"at", link.at_ms}};
  for (const auto& [person, at] : m.confirmed) confirmed[person] = at;
  for (const auto& [key, at] : m.reminded) reminded[key] = at;
  return json::serialize(json::object{{"seen", static_cast<std::int64_t>(m.applied)},
                                      {"forgot", m.forgot_ms},
                                      {"rosters", std::move(rosters)},
                                      {"changes", std::move(changes)},
                                      {"leaves", std::move(leaves)},
                                      {"swaps", std::move(swaps)},
                                      {"calls", std::move(calls)},
                                      {"qualified", std::move(qualified)},
                                      {"confirmed", std::move(confirmed)},
                                      {"links", std::move(links)},
                                      {"reminded", std::move(reminded)}});
}

void Roster::load_slice(std::string_view bytes) {
  Impl& m = *impl_;
  const json::value parsed = json::parse(bytes);
  const json::object& o = parsed.as_object();
  if (const json::value* list = o.if_contains("handovers")) {
    for (const json::value& v : list->as_array()) {
      Handover h = handover_from(v.as_object(), 0);
      m.handovers[{h.shift.org, h.shift.key()}] = std::move(h);
    }
    return;
  }
  m.core_seen = m.applied = static_cast<std::uint64_t>(int_or(o, "seen"));
  m.forgot_ms = int_or(o, "forgot");
  for (const json::value& v : o.at("rosters").as_array()) {
    const json::object& body = v.as_object();
    RosterRecord& r = m.rosters[{str(body, "org"), str(body, "roster")}];
    r.org = str(body, "org");
    r.id = str(body, "roster");
    put_period(r, period_from(body));
  }
  for (const json::value& v : o.at("changes").as_array()) {
    const json::object& c = v.as_object();
    put_change(m, ref_from(c), {str(c, "out"), str(c, "in"), str(c, "why")});
  }
  for (const json::value& v : o.at("leaves").as_array()) {
    Leave l = leave_from(v.as_object());
    m.leaves[l.id] = std::move(l);
  }
  for (const json::value& v : o.at("swaps").as_array()) {
    Swap s = swap_from(v.as_object());
    m.swaps[s.id] = std::move(s);
  }
  for (const json::value& v : o.at("calls").as_array()) {
    DutyCall c = call_from(v.as_object());
    m.calls[c.id] = std::move(c);
  }
  for (const json::value& v : o.at("qualified").as_array()) {
    const json::array& q = v.as_array();
    m.qualified[{std::string(q[0].as_string()), std::string(q[1].as_string())}] = q[2].as_int64();
  }
  for (const auto& [person, at] : o.at("confirmed").as_object())
    m.confirmed[person] = at.as_int64();
  for (const auto& [key, at] : o.at("reminded").as_object()) m.reminded[key] = at.as_int64();
  if (const json::value* links = o.if_contains("links"))  // absent in older snapshots
    for (const auto& [person, link] : links->as_object())
      m.links[person] = {str(link.as_object(), "hash"), int_or(link.as_object(), "at")};
}

}  // namespace cw
