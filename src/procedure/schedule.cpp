// Procedures that open by themselves. Each slot opens once: what was opened last is in the journal,
// and the next follows from the calendar. Slots missed while the server stood still open one case.
#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "turn.h"

namespace cw {
namespace {

constexpr int kMissedMax = 100'000;  // slots looked through after a stop

std::shared_ptr<const Calendar> slot_calendar(const Engine::Impl& m, const Schedule& s) {
  std::shared_ptr<const Calendar> found = m.parts.library.calendar(s.calendar);
  return found ? found : m.parts.library.calendar("always");
}

}  // namespace

void Engine::Impl::apply_slot(const Entry& entry) {
  LastSlot& last = slots[entry.name];
  if (last.seq != 0 && entry.seq <= last.seq) return;  // a loaded slice has it
  last.seq = entry.seq;
  last.opened = entry.body.contains("slot");
  last.slot_ms = int_or(entry.body, last.opened ? "slot" : "since");
  unplan_slots();
}

void Engine::Impl::unplan_slots() {
  slots_planned = false;
  const auto& all = parts.library.procedures();
  bool some =
      std::any_of(all.begin(), all.end(), [](auto& p) { return !p.second->schedule.none(); });
  next_slot_ms = some ? 0 : never_ms;
}

void Engine::Impl::plan_slots() {
  if (slots_planned) return;
  upcoming.clear();
  next_slot_ms = never_ms;
  for (const auto& [id, d] : parts.library.procedures()) {
    if (d->schedule.none()) continue;
    auto last = slots.find(id);
    // Seen for the first time: it is noted now, and what lies before it does not open.
    upcoming[id] = last == slots.end()
                       ? 0
                       : d->schedule.next(*slot_calendar(*this, d->schedule), last->second.slot_ms)
                             .value_or(never_ms);
    next_slot_ms = std::min(next_slot_ms, upcoming[id]);
  }
  slots_planned = true;
}

bool Turn::open_scheduled() {
  m.plan_slots();
  auto due = std::min_element(m.upcoming.begin(), m.upcoming.end(),
                              [](auto& a, auto& b) { return a.second < b.second; });
  if (due == m.upcoming.end() || due->second > now) return false;
  const std::string id = due->first;
  const std::shared_ptr<const Definition> d = m.procedure(id);
  const Schedule& schedule = d->schedule;
  const std::shared_ptr<const Calendar> calendar = slot_calendar(m, schedule);
  Entry e{.actor = "schedule", .basis = "due", .kind = "case.schedule", .name = id, .body = body()};
  if (!m.slots.contains(id)) {
    e.body["since"] = now;
    draft_.append(std::move(e));
    m.plan_slots();
    return true;
  }
  std::int64_t slot = due->second;
  int missed = 0;
  for (auto later = schedule.next(*calendar, slot); later && *later <= now && missed < kMissedMax;
       later = schedule.next(*calendar, slot)) {
    slot = *later;
    ++missed;
  }
  e.body["slot"] = slot;
  if (missed > 0) e.body["missed"] = missed;
  draft_.append(std::move(e));
  for (const std::string& org : m.parts.directory.orgs_of(schedule.org)) {
    Filing f;
    f.definition = d;
    f.digest = m.digest_of(*d);
    f.case_id = new_id("cas", now, m.parts.random);
    f.org = org;
    f.actor = "schedule";
    f.basis = "schedule:" + calendar->local(slot);
    f.set = &schedule.set;
    json::object filled;
    if (d->start_form >= 0) {
      json::object form = schedule.form;
      for (auto& [key, value] : form) {
        const Form& fields = *d->forms[d->start_form].form;
        if (fields.fields[fields.field(key)].type == FieldType::time && value == "now")
          value = to_rfc3339(now);
      }
      Result<json::object> good = fill(*d->forms[d->start_form].form, form);
      CW_CHECK(good.ok());  // it was filled once when the file was read
      filled = std::move(*good);
      SealedContent sealed = m.parts.sealed.seal(f.case_id, canonical(filled));
      f.form = &filled;
      f.content = sealed.commitment;
      draft_.row(sealed.write);
    }
    Result<Slot> opened = start(f);
    CW_CHECK(opened.ok());
    follow(*opened, true);
  }
  m.plan_slots();
  return true;
}

std::optional<Engine::Slots> Engine::slots(std::string_view procedure) const {
  const Impl& m = *impl_;
  std::shared_lock lock(m.gate);
  auto d = m.parts.library.procedure(procedure);
  if (!d || d->schedule.none()) return std::nullopt;
  Slots out;
  auto last = m.slots.find(procedure);
  if (last == m.slots.end()) return out;
  if (last->second.opened) out.last_ms = last->second.slot_ms;
  out.next_ms = d->schedule.next(*slot_calendar(m, d->schedule), last->second.slot_ms).value_or(0);
  return out;
}

}  // namespace cw
