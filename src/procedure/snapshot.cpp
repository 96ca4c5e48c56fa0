// Slices of a snapshot: one of what belongs to no case, then 4,096 cases each, in the order of
// their start. A slice stands alone: it carries the names and definitions it uses. Numbers are
// LEB128, signed ones zigzag.
#include <map>

#include "engine.h"
#include "impl.h"

namespace cw {
namespace {

const std::string kGlobals(1, '\0');  // no slice of cases begins so: it names a definition

class Pack {
 public:
  void number(std::uint64_t v) {
    for (; v >= 0x80; v >>= 7) out.push_back(static_cast<char>(v | 0x80));
    out.push_back(static_cast<char>(v));
  }
  void integer(std::int64_t v) {
    number(static_cast<std::uint64_t>(v) << 1 ^ static_cast<std::uint64_t>(v >> 63));
  }
  void text(std::string_view s) {
    number(s.size());
    out.append(s);
  }
  std::string out;
};

class Unpack {
 public:
  explicit Unpack(std::string_view bytes) : at_(bytes) {}
  std::uint64_t number() {
    std::uint64_t v = 0;
    for (int shift = 0;; shift += 7) {
      if (at_.empty() || shift > 63) throw std::runtime_error("a case snapshot is cut short");
      auto byte = static_cast<unsigned char>(at_.front());
      at_.remove_prefix(1);
      v |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return v;
    }
  }
  template <typename T>
  T as() {
    return static_cast<T>(number());
  }
  std::int64_t integer() {
    std::uint64_t v = number();
    return static_cast<std::int64_t>(v >> 1 ^ (~(v & 1) + 1));
  }
  std::string_view text() {
    std::size_t size = number();
    if (size > at_.size()) throw std::runtime_error("a case snapshot is cut short");
    std::string_view s = at_.substr(0, size);
    at_.remove_prefix(size);
    return s;
  }

 private:
  std::string_view at_;
};

// Names and definitions of one slice, numbered as they are met.
class Writer {
 public:
  explicit Writer(const Engine::Impl& impl) : m(impl) {}
  void name(Name n) {
    auto [it, fresh] = names_.emplace(n, names_.size());
    if (fresh) table_.text(m.names.text(n));
    body.number(it->second);
  }
  void definition(std::uint16_t place) {
    auto [it, fresh] = definitions_.emplace(place, definitions_.size());
    if (fresh) kept_.text(m.installed[place].name), kept_.text(m.installed[place].digest);
    body.number(it->second);
  }
  std::string finish(std::size_t cases) {
    Pack all;
    all.number(definitions_.size());
    all.out += kept_.out;
    all.number(names_.size());
    all.out += table_.out;
    all.number(cases);
    return std::move(all.out) + body.out;
  }
  const Engine::Impl& m;
  Pack body;

 private:
  Pack table_, kept_;
  std::map<Name, std::size_t> names_;
  std::map<std::uint16_t, std::size_t> definitions_;
};

struct Reader {
  Engine::Impl& m;
  Unpack in;
  std::vector<Name> names;
  std::vector<std::uint16_t> definitions;
  Name name() { return names.at(in.number()); }
  Value value(const FactDef& fact) {
    if (in.number() == 0) return null_value;
    return fact.type == FieldType::reference ? Value{name()} : in.integer();
  }
};

void write_value(Writer& w, const FactDef& fact, Value value) {
  w.body.number(value != null_value);
  if (value == null_value) return;
  if (fact.type == FieldType::reference)
    w.name(static_cast<Name>(value));
  else
    w.body.integer(value);
}

void write_rare(Writer& w, const Definition& d, const Rare& r) {
  Pack& p = w.body;
  p.number(r.approvals);
  p.number(r.asked.size());
  for (const Asked& a : r.asked) {
    p.number(a.id), p.number(a.task), p.number(a.index), w.name(a.asker), p.number(a.seq);
    p.integer(a.at_ms), p.text(a.content), p.number(a.evidence), p.integer(a.to);
    p.number(a.facts.size());
    for (auto [fact, value] : a.facts) p.number(fact), write_value(w, d.facts[fact], value);
    p.number(a.granted.size());
    for (Name n : a.granted) w.name(n);
    p.number(a.stood.size());
    for (Name n : a.stood) w.name(n);
  }
  p.number(r.children.size());
  for (const Child& c : r.children) p.number(c.as), p.number(c.key.high), p.number(c.key.low);
  p.number(r.links.size());
  for (const Link& l : r.links) w.name(l.kind), w.name(l.to);
  p.number(r.delegations.size());
  for (const Delegation& g : r.delegations) w.name(g.from), w.name(g.to), p.integer(g.until_ms);
  p.number(r.watchers.size());
  for (Name n : r.watchers) w.name(n);
  for (const auto* list : {&r.readers, &r.seated}) {
    p.number(list->size());
    for (const Admitted& a : *list) w.name(a.person), p.integer(a.since_ms);
  }
  p.number(r.forms.size());
  for (const LatestForm& f : r.forms) p.number(f.form), p.text(f.content);
}

Rare read_rare(Reader& r, const Definition& d) {
  Rare out;
  out.approvals = r.in.as<std::uint32_t>();
  out.asked.resize(r.in.number());
  for (Asked& a : out.asked) {
    a.id = r.in.as<std::uint32_t>(), a.task = r.in.number() != 0;
    a.index = r.in.as<std::uint16_t>(), a.asker = r.name(), a.seq = r.in.number();
    a.at_ms = r.in.integer(), a.content = r.in.text(), a.evidence = r.in.as<std::uint16_t>();
    a.to = static_cast<int>(r.in.integer());
    a.facts.resize(r.in.number());
    for (auto& [fact, value] : a.facts) {
      fact = r.in.as<std::uint16_t>();
      value = r.value(d.facts.at(fact));
    }
    a.granted.resize(r.in.number());
    for (Name& n : a.granted) n = r.name();
    a.stood.resize(r.in.number());
    for (Name& n : a.stood) n = r.name();
  }
  out.children.resize(r.in.number());
  for (Child& c : out.children)
    c.as = r.in.as<std::uint16_t>(), c.key.high = r.in.number(), c.key.low = r.in.number();
  out.links.resize(r.in.number());
  for (Link& l : out.links) l.kind = r.name(), l.to = r.name();
  out.delegations.resize(r.in.number());
  for (Delegation& g : out.delegations)
    g.from = r.name(), g.to = r.name(), g.until_ms = r.in.integer();
  out.watchers.resize(r.in.number());
  for (Name& n : out.watchers) n = r.name();
  for (auto* list : {&out.readers, &out.seated}) {
    list->resize(r.in.number());
    for (Admitted& a : *list) a.person = r.name(), a.since_ms = r.in.integer();
  }
  out.forms.resize(r.in.number());
  for (LatestForm& f : out.forms) f.form = r.in.as<std::uint16_t>(), f.content = r.in.text();
  return out;
}

void write_case(Writer& w, const Case& c) {
  const Definition& d = *w.m.of(c).definition;
  Pack& p = w.body;
  w.definition(c.definition);
  p.number(c.key.high), p.number(c.key.low), p.number(c.parent == no_slot ? 0 : c.parent + 1ull);
  w.name(c.org), w.name(c.starter), w.name(c.subject), w.name(c.commander), w.name(c.series);
  p.number(c.number), p.number(c.entries), p.number(c.state), p.number(c.compress);
  p.number(c.level), p.number(c.raised), p.number(c.held), p.number(c.drill), p.number(c.closed);
  p.integer(c.opened_ms), p.integer(c.entered_ms), p.integer(c.closed_ms);
  p.number(c.first_seq), p.number(c.last_seq), p.number(c.flags), p.number(c.taken);
  for (std::size_t i = 0; i < d.facts.size(); ++i) {
    write_value(w, d.facts[i], c.facts[i]);
    p.number(c.marks[i].seq), p.integer(c.marks[i].at_ms), w.name(c.marks[i].actor);
  }
  p.number(c.tasks.size());
  for (const TaskState& t : c.tasks) {
    p.number(t.task), p.integer(t.opened_ms), p.integer(t.due_ms), p.integer(t.done_ms);
    p.number(t.seq), w.name(t.assignee), w.name(t.doer), p.number(t.generation);
    p.number(t.evidence), p.number(static_cast<unsigned>(t.phase));
    p.number(static_cast<unsigned>(t.why)), p.number(t.late), p.number(t.required);
  }
  p.number(c.clocks.size());
  for (const ClockState& k : c.clocks) {
    p.number(k.clock), p.integer(k.since_ms), p.integer(k.used_ms), p.integer(k.used_natural_ms);
    p.integer(k.budget_ms), p.integer(k.due_ms), p.integer(k.next_ms), p.integer(k.stopped_ms);
    p.number(k.generation), p.number(k.step), p.number(static_cast<unsigned>(k.phase));
    p.number(k.natural);
  }
  p.number(c.acted.size());
  for (const Acted& a : c.acted) w.name(a.person), p.number(a.role);
  p.number(c.rare != nullptr);
  if (c.rare) write_rare(w, d, *c.rare);
}

Case read_case(Reader& r) {
  Case c;
  Unpack& in = r.in;
  c.definition = r.definitions.at(in.number());
  const Definition& d = *r.m.of(c).definition;
  c.key.high = in.number(), c.key.low = in.number();
  std::uint64_t parent = in.number();
  c.parent = parent == 0 ? no_slot : static_cast<Slot>(parent - 1);
  c.org = r.name(), c.starter = r.name(), c.subject = r.name(), c.commander = r.name();
  c.series = r.name(), c.number = in.as<std::uint32_t>(), c.entries = in.as<std::uint32_t>();
  c.state = in.as<std::uint16_t>(), c.compress = in.as<std::uint16_t>();
  c.level = in.as<std::uint8_t>(), c.raised = in.as<std::uint8_t>(), c.held = in.as<std::uint8_t>();
  c.drill = in.number() != 0, c.closed = in.number() != 0;
  c.opened_ms = in.integer(), c.entered_ms = in.integer(), c.closed_ms = in.integer();
  c.first_seq = in.number(), c.last_seq = in.number(), c.flags = in.number(), c.taken = in.number();
  for (const FactDef& fact : d.facts) {
    c.facts.push_back(r.value(fact));
    FactMark mark;
    mark.seq = in.number(), mark.at_ms = in.integer(), mark.actor = r.name();
    c.marks.push_back(mark);
  }
  c.tasks.resize(in.number());
  for (TaskState& t : c.tasks) {
    t.task = in.as<std::uint16_t>(), t.opened_ms = in.integer(), t.due_ms = in.integer();
    t.done_ms = in.integer(), t.seq = in.number(), t.assignee = r.name(), t.doer = r.name();
    t.generation = in.as<std::uint32_t>(), t.evidence = in.as<std::uint16_t>();
    t.phase = in.as<TaskPhase>(), t.why = in.as<Why>();
    t.late = in.number() != 0, t.required = in.number() != 0;
  }
  c.clocks.resize(in.number());
  for (ClockState& k : c.clocks) {
    k.clock = in.as<std::uint8_t>(), k.since_ms = in.integer(), k.used_ms = in.integer();
    k.used_natural_ms = in.integer(), k.budget_ms = in.integer(), k.due_ms = in.integer();
    k.next_ms = in.integer(), k.stopped_ms = in.integer(), k.generation = in.as<std::uint32_t>();
    k.step = in.as<std::uint8_t>(), k.phase = in.as<ClockPhase>(), k.natural = in.number() != 0;
  }
  c.acted.resize(in.number());
  for (Acted& a : c.acted) a.person = r.name(), a.role = in.as<std::uint16_t>();
  if (in.number() != 0) c.rare = std::make_unique<Rare>(read_rare(r, d));
  return c;
}

// Slice 0 holds what belongs to no case.
std::string save_globals(const Engine::Impl& m) {
  Pack p;
  p.number(m.slots.size());
  for (const auto& [id, last] : m.slots)
    p.text(id), p.integer(last.slot_ms), p.number(last.seq), p.number(last.opened);
  return std::move(p.out);
}

void load_globals(Engine::Impl& m, std::string_view bytes) {
  Unpack in(bytes);
  for (std::size_t n = in.number(); n > 0; --n) {
    Engine::Impl::LastSlot& last = m.slots[std::string(in.text())];
    last.slot_ms = in.integer(), last.seq = in.number(), last.opened = in.number() != 0;
  }
  m.unplan_slots();
}

}  // namespace

std::optional<std::string> Engine::save_slice(std::size_t i) const {
  if (i == 0) return kGlobals + save_globals(*impl_);
  std::size_t from = (i - 1) * Impl::kSliceCases;
  std::size_t end = std::min(from + Impl::kSliceCases, impl_->cases.size());
  if (from >= end) return std::nullopt;
  Writer w(*impl_);
  for (std::size_t at = from; at < end; ++at) write_case(w, impl_->cases[at]);
  return w.finish(end - from);
}

std::uint64_t Engine::slice_changed(std::size_t i) const {
  return i > 0 && i <= impl_->changed.size() ? impl_->changed[i - 1] : UINT64_MAX;
}

void Engine::load_slice(std::string_view bytes) {
  Impl& m = *impl_;
  if (bytes.starts_with(kGlobals)) return load_globals(m, bytes.substr(kGlobals.size()));
  Reader r{m, Unpack(bytes), {}, {}};
  for (std::size_t n = r.in.number(); n > 0; --n) {
    std::string name(r.in.text());
    std::uint16_t place = m.install(name, std::string(r.in.text()));
    r.definitions.push_back(place);
  }
  for (std::size_t n = r.in.number(); n > 0; --n) r.names.push_back(m.names.add(r.in.text()));
  for (std::size_t n = r.in.number(); n > 0; --n) {
    Slot slot = m.add(read_case(r));
    m.note_change(slot);
    m.settle_timer(slot);
    std::uint16_t place = m.cases[slot].definition;
    m.current[m.installed[place].name] = place;  // the latest case ran on the latest text
  }
  tell_next_due();
}

}  // namespace cw
