// Swaps of one shift for another: asked by who has it, consented by who takes it, decided by a
// lead.
#include <algorithm>

#include "base/id.h"
#include "state.h"

namespace cw {
namespace {

constexpr std::size_t open_swaps_max = 50;  // of one person

Problem no_swap() {
  return problem(Refusal::not_found, "roster.swap", {"没有这次换班", "There is no such swap"});
}

Problem swap_over() {
  return problem(Refusal::conflict, "roster.swap-state",
                 {"这次换班已不在这一步，请刷新后再看",
                  "That swap is not at this step any more; look at it again"});
}

// Both still have what they swap, nothing has begun, and neither breaks a rule by it.
Status check_swap(const Roster::Impl& m, const Swap& s, std::int64_t now_ms) {
  struct Side {
    const ShiftRef* takes;
    const ShiftRef* gives;
    const std::string& from;
    const std::string& to;
    const char* at;
  };
  std::vector<Side> sides{
      {&s.shift, s.return_shift ? &*s.return_shift : nullptr, s.asker, s.partner, "/shift"}};
  if (s.return_shift)
    sides.push_back({&*s.return_shift, &s.shift, s.partner, s.asker, "/in_return"});
  for (const Side& side : sides) {
    const auto shift = m.shift(*side.takes);
    if (!shift) return no_shift(side.at);
    if (shift->from_ms <= now_ms)
      return invalid("roster.begun", side.at, {"班次已经开始", "The shift has begun"});
    if (!shift->has(side.from))
      return invalid("roster.not-on", side.at,
                     {"此人已不在该班次", "They do not have that shift any more"});
    if (shift->has(side.to))
      return invalid("roster.already", side.at,
                     {"对方已在该班次", "The other has that shift already"});
    const std::vector<Unready> why = m.against(side.to, *side.takes, side.gives);
    if (why.empty()) continue;
    Problem p =
        problem(Refusal::invalid, "roster.unready",
                {"换班后有人不符合值班条件", "After the swap somebody would not be fit for duty"});
    for (const Unready& u : why) p.fields.push_back({side.at, u.text});
    return p;
  }
  return done();
}

}  // namespace

Result<Answer> Roster::ask_swap(const Principal& who, Command command, const ShiftRef& ref,
                                std::string_view partner,
                                const std::optional<ShiftRef>& in_return) {
  return impl_->parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    Impl& m = *impl_;
    if (who.person.empty())
      return problem(Refusal::forbidden, "roster.person-only",
                     {"只有本人可以申请换班", "Only a person swaps their own shift"});
    if (!m.parts.identity.is_active_person(partner) || partner == who.person)
      return invalid("roster.partner", "/partner",
                     {"请选另一位在岗人员", "Choose somebody else who is active"});
    Swap s{new_id("swp", d.now_ms(), d.random()),
           who.person,
           std::string(partner),
           ref,
           in_return,
           "asked",
           "",
           d.now_ms()};
    if (in_return && in_return->org != ref.org)
      return invalid("roster.org", "/in_return",
                     {"只能在同一组织内换班", "A swap stays in one organisation"});
    if (Status ok = check_swap(m, s, d.now_ms()); !ok) return ok.problem();
    std::size_t open = 0;
    for (const auto& [id, other] : m.swaps) {
      if (other.state != "asked" && other.state != "consented") continue;
      if (other.asker == who.person) ++open;
      if (other.asker == who.person && other.shift == ref)
        return problem(Refusal::conflict, "roster.swap-open",
                       {"这个班次已有一次换班在办理", "A swap of that shift is already under way"});
    }
    if (open >= open_swaps_max)
      return problem(Refusal::conflict, "roster.swaps",
                     {"未了结的换班过多", "There are too many open swaps"});
    d.append(duty_entry(who, "self", "swap", s.state, body_of(s)));
    return json::object{{"id", s.id}};
  });
}

Result<Answer> Roster::answer_swap(const Principal& who, Command command, std::string_view id,
                                   bool yes) {
  return impl_->parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    Impl& m = *impl_;
    auto it = m.swaps.find(id);
    if (it == m.swaps.end() || who.person.empty() || it->second.partner != who.person)
      return no_swap();
    Swap s = it->second;
    if (s.state != "asked") return swap_over();
    if (yes)
      if (Status ok = check_swap(m, s, d.now_ms()); !ok) return ok.problem();
    s.state = yes ? "consented" : "declined";
    d.append(duty_entry(who, "self", "swap", s.state, body_of(s)));
    return json::object{};
  });
}

Result<Answer> Roster::decide_swap(const Principal& who, Command command, std::string_view id,
                                   bool yes) {
  return impl_->parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    Impl& m = *impl_;
    auto it = m.swaps.find(id);
    if (it == m.swaps.end()) return no_swap();
    Swap s = it->second;
    auto basis = m.manage(who, s.shift.org);
    if (!basis) return basis.problem();
    if (who.person == s.asker || who.person == s.partner)
      return problem(Refusal::forbidden, "roster.own",
                     {"不能审批自己参与的换班", "Nobody decides on a swap of their own"});
    if (s.state != "consented") return swap_over();
    if (yes)
      if (Status ok = check_swap(m, s, d.now_ms()); !ok) return ok.problem();
    s.state = yes ? "approved" : "refused";
    s.decided_by = who.actor;
    d.append(duty_entry(who, *basis, "swap", s.state, body_of(s)));
    return json::object{};
  });
}

Result<Answer> Roster::withdraw_swap(const Principal& who, Command command, std::string_view id) {
  return impl_->parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    auto it = impl_->swaps.find(id);
    if (it == impl_->swaps.end() || who.person.empty() || it->second.asker != who.person)
      return no_swap();
    Swap s = it->second;
    if (s.state != "asked" && s.state != "consented") return swap_over();
    s.state = "withdrawn";
    d.append(duty_entry(who, "self", "swap", s.state, body_of(s)));
    return json::object{};
  });
}

// ---- lists -------------------------------------------------------------------------------------

std::vector<Leave> Roster::leaves(std::string_view person) const {
  std::vector<Leave> out;
  for (const auto& [id, l] : impl_->leaves)
    if (person.empty() || l.person == person) out.push_back(l);
  std::stable_sort(out.begin(), out.end(),
                   [](const Leave& a, const Leave& b) { return a.from_ms < b.from_ms; });
  return out;
}

std::vector<Swap> Roster::swaps() const {
  std::vector<Swap> out;
  for (const auto& [id, s] : impl_->swaps) out.push_back(s);
  std::stable_sort(out.begin(), out.end(),
                   [](const Swap& a, const Swap& b) { return a.asked_at > b.asked_at; });
  return out;
}

std::optional<Swap> Roster::swap(std::string_view id) const {
  auto it = impl_->swaps.find(id);
  return it == impl_->swaps.end() ? std::nullopt : std::optional(it->second);
}

std::vector<Qualification> Roster::qualifications(std::string_view person) const {
  std::vector<Qualification> out;
  for (const auto& [key, until] : impl_->qualified)
    if (person.empty() || key.first == person) out.push_back({key.first, key.second, until});
  return out;
}

std::int64_t Roster::confirmed_at(std::string_view person) const {
  auto it = impl_->confirmed.find(person);
  return it == impl_->confirmed.end() ? 0 : it->second;
}

std::vector<IcsEvent> Roster::events(const std::vector<Shift>& shifts, std::string_view lang,
                                     bool names) const {
  std::vector<IcsEvent> out;
  for (const Shift& s : shifts) {
    IcsEvent e;
    e.uid = s.ref.org + "/" + s.ref.key() + "@callwarden";
    e.summary = s.layer_title.in(lang) + (lang == "en" ? ", " : "，") + s.title.in(lang);
    std::string people;
    for (const OnShift& o : s.people)
      people += (people.empty() ? ""
                 : lang == "en" ? ", "
                                : "、") +
                impl_->parts.identity.display_name(o.person);
    if (names) e.summary += (lang == "en" ? ": " : "：") + (people.empty() ? "—" : people);
    e.description = s.roster_title.in(lang);
    e.categories = {"DUTY"};
    e.from_ms = s.from_ms;
    e.to_ms = s.to_ms;
    out.push_back(std::move(e));
  }
  return out;
}

}  // namespace cw
