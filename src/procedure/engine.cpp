#include "engine.h"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "body.h"
#include "turn.h"

namespace cw {

const char* Engine::schema() {
  return "CREATE TABLE IF NOT EXISTS procedure_kept(digest TEXT PRIMARY KEY, name TEXT NOT NULL, "
         "texts TEXT NOT NULL) STRICT, WITHOUT ROWID;"
         "CREATE TABLE IF NOT EXISTS procedure_calendar(id TEXT PRIMARY KEY, version INTEGER NOT "
         "NULL, announced INTEGER NOT NULL) STRICT, WITHOUT ROWID";
}

Engine::Engine(EngineParts parts)
    : impl_(std::make_unique<Impl>(std::move(parts))), next_due_ms_(never_ms) {
  impl_->use(impl_->parts.library);
  tell_next_due();
}

Engine::~Engine() = default;

std::string Engine::Impl::number_of(const Case& c) const {
  char digits[16];
  std::snprintf(digits, sizeof digits, "-%04u", c.number);
  return names.text(c.series) + digits;
}

std::optional<Engine::Impl::Hint> Engine::Impl::hint(std::string_view id) const {
  std::shared_lock lock(gate);
  Slot slot = slot_of(id);
  if (slot == no_slot) return std::nullopt;
  const Case& c = cases[slot];
  auto& state = const_cast<std::uint16_t&>(c.state);
  return Hint{slot, installed[c.definition].definition,
              std::atomic_ref(state).load(std::memory_order_relaxed)};
}

Slot Engine::Impl::add(Case&& c) {
  c.facts.shrink_to_fit();
  c.marks.shrink_to_fit();
  c.tasks.shrink_to_fit();
  c.clocks.shrink_to_fit();
  c.acted.shrink_to_fit();
  std::vector<Slot>& numbers = series[c.series];
  if (numbers.size() < c.number) numbers.resize(c.number, no_slot);
  auto slot = static_cast<Slot>(cases.size());
  numbers[c.number - 1] = slot;
  if (!c.closed) ++open;
  if (!of(c).definition->readers.none()) restricted.push_back(slot);
  std::unique_lock lock(gate);
  cases.push_back(std::move(c));
  index.add(slot, cases);
  return slot;
}

void Engine::apply(const Entry& entry) {
  Impl& m = *impl_;
  if (entry.kind == "case.adopt") {
    std::uint16_t place = m.install(entry.name, std::string(text_or(entry.body, "digest")));
    std::unique_lock lock(m.gate);
    m.current[entry.name] = place;
    return;
  }
  if (entry.kind == "case.schedule") {
    m.apply_slot(entry);
    return tell_next_due();
  }
  Slot slot = entry.case_id == m.at_hand_id ? m.at_hand : m.slot_of(entry.case_id);
  if (entry.kind == "case.start") {
    if (slot != no_slot) return;  // a loaded slice has it
    slot = m.add(started(m, entry));
  } else {
    CW_CHECK(slot != no_slot);
    Case& c = m.cases[slot];
    if (entry.seq <= c.last_seq) return;
    bool was_closed = c.closed;
    patch(m, c, entry);
    if (c.closed && !was_closed) --m.open;
  }
  m.note_change(slot);
  m.settle_timer(slot);
  tell_next_due();
}

void Engine::tell_next_due() {
  const Impl& m = *impl_;
  std::int64_t due = m.timers.empty() ? never_ms : m.timers.top().due_ms;
  next_due_ms_.store(std::min(due, m.next_slot_ms), std::memory_order_relaxed);
}

// ---- clocks
// --------------------------------------------------------------------------------------

Decide Engine::tick(std::size_t count_max) {
  return [this, count_max](Draft& draft) -> Result<json::object> {
    Impl& m = *impl_;
    Turn turn(m, draft);
    std::size_t fired = 0;
    m.plan_slots();
    while (fired < count_max) {
      std::int64_t due = m.timers.empty() ? never_ms : m.timers.top().due_ms;
      if (std::min(due, m.next_slot_ms) > turn.now) break;
      if (m.next_slot_ms <= due) {
        turn.open_scheduled();
      } else {
        Slot slot = m.timers.top().slot;
        if (!turn.fire(slot)) break;
        turn.follow(slot, false);
      }
      ++fired;
    }
    tell_next_due();
    return json::object{{"fired", static_cast<std::int64_t>(fired)}};
  };
}

Decide Engine::fire(std::string case_id, std::string clock, std::uint32_t generation) {
  return [this, id = std::move(case_id), clock = std::move(clock),
          generation](Draft& draft) -> Result<json::object> {
    Impl& m = *impl_;
    Turn turn(m, draft);
    Slot slot = m.slot_of(id);
    if (slot == no_slot)
      return problem(Refusal::not_found, "case.unknown", {"没有这条记录", "There is no such case"});
    const Case& c = m.cases[slot];
    const Definition& d = *m.of(c).definition;
    std::int64_t next = c.next_ms();
    bool due = false;
    for (const ClockState& k : c.clocks)
      due |= k.next_ms == next && k.generation == generation && d.clocks[k.clock].id == clock;
    for (const TaskState& t : c.tasks)
      due |=
          t.timer() == next && t.generation == generation && "task." + d.tasks[t.task].id == clock;
    bool fired = due && turn.fire(slot);
    if (fired) turn.follow(slot, false);
    return json::object{{"fired", fired ? 1 : 0}};
  };
}

// The next is decided while the one before is synced; never more than are needed, so that a run
// under a clock and a chance of its own makes the same commands again.
std::size_t Engine::run_due(Journal& journal) {
  std::mutex mutex;
  std::condition_variable changed;
  int undecided = 0, under_way = 0;
  std::size_t sum = 0;
  bool more = true;  // false: nothing was due, or the disk is full: tried again at the next call
  std::unique_lock lock(mutex);
  while (more && next_due_ms() <= impl_->parts.clock.now_ms()) {
    ++undecided;
    ++under_way;
    lock.unlock();
    auto decide = [&, tick = tick()](Draft& draft) {
      Result<json::object> answer = tick(draft);
      std::lock_guard done(mutex);
      more = more && answer && int_or(*answer, "fired") > 0;
      --undecided;
      changed.notify_one();
      return answer;
    };
    journal.submit({.vital = true}, decide, [&](Result<Answer> answer) {
      std::lock_guard done(mutex);
      if (answer)
        sum += static_cast<std::size_t>(int_or(answer->body, "fired"));
      else
        more = false;
      --under_way;
      changed.notify_one();
    });
    lock.lock();
    changed.wait(lock, [&] { return under_way == 0 || (undecided == 0 && under_way < 2); });
  }
  changed.wait(lock, [&] { return under_way == 0; });
  return sum;
}

// ---- definitions
// ---------------------------------------------------------------------------------

Decide Engine::adopt(Library library) {
  return [this, library = std::move(library)](Draft& draft) -> Result<json::object> {
    // What was retired and is in force again opens from now on: slots meanwhile were not missed.
    for (const auto& [id, d] : library.procedures()) {
      if (d->schedule.none() || !impl_->retired(id) || !impl_->slots.contains(id)) continue;
      Entry e{.actor = "schedule", .basis = "due", .kind = "case.schedule", .name = id, .body = {}};
      e.body["since"] = draft.now_ms();
      draft.append(std::move(e));
    }
    impl_->use(library);
    tell_next_due();
    return json::object{};
  };
}

Library Engine::library() const {
  std::shared_lock lock(impl_->gate);
  return impl_->parts.library;
}

std::shared_ptr<const Definition> Engine::definition(std::string_view name_at_version) const {
  std::shared_lock lock(impl_->gate);
  auto it = impl_->current.find(name_at_version);
  return it == impl_->current.end() ? nullptr : impl_->installed[it->second].definition;
}

std::map<std::string, std::size_t> Engine::running() const {
  std::vector<std::size_t> counts(impl_->installed.size(), 0);
  for (const Case& c : impl_->cases)
    if (!c.closed) ++counts[c.definition];
  std::map<std::string, std::size_t> out;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] != 0) out[impl_->installed[i].name] += counts[i];
  return out;
}

// ---- reading
// -------------------------------------------------------------------------------------

bool Engine::exists(std::string_view case_id) const { return impl_->find(case_id) != nullptr; }

std::string Engine::org_of(std::string_view case_id) const {
  const Case* c = impl_->find(case_id);
  return c ? impl_->names.text(c->org) : std::string();
}

std::string Engine::id_of(std::string_view number) const {
  std::size_t dash = number.rfind('-');
  if (dash == std::string_view::npos) return {};
  auto series = impl_->names.find(number.substr(0, dash));
  auto it = series ? impl_->series.find(*series) : impl_->series.end();
  std::string_view digits = number.substr(dash + 1);
  std::size_t n = 0;
  for (char ch : digits) {
    if (ch < '0' || ch > '9' || n > 100'000'000) return {};
    n = n * 10 + static_cast<std::size_t>(ch - '0');
  }
  if (it == impl_->series.end() || n == 0 || n > it->second.size()) return {};
  Slot slot = it->second[n - 1];
  return slot == no_slot ? std::string() : cw::case_id(impl_->cases[slot].key);
}

std::uint64_t Engine::last_seq(std::string_view case_id) const {
  const Case* c = impl_->find(case_id);
  return c ? c->last_seq : 0;
}

std::vector<std::string> Engine::participants(std::string_view case_id) const {
  std::vector<std::string> out;
  if (const Case* c = impl_->find(case_id))
    for (Name n : participants_of(*c)) out.push_back(impl_->names.text(n));
  return out;
}

bool Engine::may_read(std::string_view case_id, std::string_view actor) const {
  const Case* c = impl_->find(case_id);
  return c && cw::may_read(*impl_, *c, actor);
}

bool Engine::restricted(std::string_view case_id) const {
  const Case* c = impl_->find(case_id);
  return c && !impl_->of(*c).definition->readers.none();
}

bool Engine::any_restricted() const { return !impl_->restricted.empty(); }

std::vector<std::string> Engine::readable(std::string_view actor) const {
  std::vector<std::string> out;
  for (Slot slot : impl_->restricted)
    if (const Case& c = impl_->cases[slot]; cw::may_read(*impl_, c, actor))
      out.push_back(cw::case_id(c.key));
  return out;
}

std::size_t Engine::size() const { return impl_->cases.size(); }
std::size_t Engine::open_count() const { return impl_->open; }

std::size_t Engine::bytes() const {
  std::size_t sum = impl_->index.bytes() + impl_->timers.bytes() + impl_->names.bytes();
  for (const auto& [series, slots] : impl_->series) sum += slots.capacity() * sizeof(Slot);
  for (const Case& c : impl_->cases) sum += c.bytes();
  return sum;
}

}  // namespace cw
