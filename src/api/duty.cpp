#include "duty.h"

#include <algorithm>

namespace cw::api {
namespace {

const Regulation::Edition* edition_at(const Regulation& r, std::int64_t at_ms) {
  for (const Regulation::Edition& e : r.editions)
    if (e.from_ms <= at_ms && at_ms < e.until_ms) return &e;
  return nullptr;
}

const FactOut* fact_of(const CaseRecord& record, std::string_view name) {
  for (const FactOut& f : record.facts)
    if (f.name == name && !f.value.is_null()) return &f;
  return nullptr;
}

DutyOut named(const Regulation& r, const Regulation::Edition& e, const CaseRecord& record,
              const Definition& d, int key) {
  DutyOut out;
  out.regulation = r.id;
  out.article = r.article;
  out.title = r.title;
  out.instrument = r.instrument;
  out.certainty = e.certainty;
  std::string value;
  if (const FactOut* f = key < 0 ? nullptr : fact_of(record, d.facts[key].id); f)
    if (f->value.is_string()) value = std::string(f->value.get_string());
  for (const auto& [of, to] : e.to)
    if (of.empty() || of == value) out.to = to;
  return out;
}

// The moments a clock may count from that are set: it counts from the earliest of them.
void set_base(DutyOut& out, const CaseRecord& record, const Definition& d,
              const std::vector<int>& facts) {
  for (const int index : facts) {
    const FactOut* f = fact_of(record, d.facts[index].id);
    if (!f || !f->value.is_int64()) continue;
    if (!out.base.empty() && *out.base_at <= f->value.get_int64()) continue;
    out.base = f->name;
    out.base_title = f->title;
    out.base_at = f->value.get_int64();
  }
}

}  // namespace

std::vector<DutyOut> duties_of(const Services& s, const CaseRecord& record, const Definition& d,
                               const std::string& form, const std::string& of,
                               std::optional<std::int64_t> filed_at) {
  std::vector<DutyOut> out;
  const Library library = s.engine.library();
  auto known = [&](const std::string& id) {
    return std::any_of(out.begin(), out.end(), [&](auto& o) { return o.regulation == id; });
  };
  for (const ClockDef& def : d.clocks) {
    if (def.limit.regulation.empty() || def.stop.kind != Moment::Kind::task) continue;
    const TaskDef& task = d.tasks[static_cast<std::size_t>(def.stop.index)];
    if (task.form < 0 || d.forms[static_cast<std::size_t>(task.form)].form->id != form) continue;
    auto regulation = library.regulation(def.limit.regulation);
    if (!regulation || known(regulation->id)) continue;
    for (const ClockOut& clock : record.clocks) {
      if (clock.name != def.id || clock.state == "lifted") continue;
      const Regulation::Edition* edition = edition_at(*regulation, clock.since_at);
      if (!edition) continue;
      DutyOut duty = named(*regulation, *edition, record, d, def.limit.key);
      duty.limit = clock.limit;
      duty.base_at = clock.since_at;
      if (def.from.kind == Moment::Kind::fact) set_base(duty, record, d, def.from_facts());
      duty.due_at = clock.due_at;
      if (of == task.id) {  // a supplement is not what the limit waits for
        duty.filed_at = filed_at;
        const std::int64_t until = filed_at.value_or(record.now_ms);
        if (clock.due_at && until >= *clock.due_at) duty.late_ms = until - *clock.due_at;
      }
      out.push_back(std::move(duty));
    }
  }
  for (const auto& [id, regulation] : library.regulations()) {
    if (regulation->form != form || known(id)) continue;
    const Regulation::Edition* edition = edition_at(*regulation, filed_at.value_or(record.now_ms));
    if (!edition || !edition->at_once) continue;
    DutyOut duty = named(*regulation, *edition, record, d, d.fact(regulation->key));
    std::vector<int> from;
    for (const char* moment : {"discovered_at", "learned_at"})
      if (const int fact = d.fact(moment); fact >= 0) from.push_back(fact);
    set_base(duty, record, d, from);
    duty.filed_at = filed_at;
    out.push_back(std::move(duty));
  }
  return out;
}

}  // namespace cw::api
