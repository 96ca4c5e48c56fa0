#include "state.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace cw {
namespace {

constexpr std::string_view kBase32 = "0123456789abcdefghjkmnpqrstvwxyz";

constexpr auto kDigitOf = [] {
  std::array<std::uint8_t, 256> out{};
  for (std::uint8_t& digit : out) digit = 255;
  for (std::size_t i = 0; i < kBase32.size(); ++i)
    out[static_cast<unsigned char>(kBase32[i])] = static_cast<std::uint8_t>(i);
  return out;
}();

}  // namespace

// 26 characters of 5 bits: the first ten hold 48 bits of time, the rest 80 bits of chance.
std::optional<CaseKey> case_key(std::string_view id) {
  if (id.size() != 30 || id.substr(0, 4) != "cas_") return std::nullopt;
  std::uint64_t time = 0, top = 0, low = 0;
  for (std::size_t i = 4; i < 30; ++i) {
    std::uint64_t digit = kDigitOf[static_cast<unsigned char>(id[i])];
    if (digit == 255) return std::nullopt;
    if (i < 14) {
      time = time << 5 | digit;
    } else {
      top = (top << 5 | low >> 59) & 0xFFFF;
      low = low << 5 | digit;
    }
  }
  if (time >> 48 != 0) return std::nullopt;
  return CaseKey{time << 16 | top, low};
}

std::string case_id(CaseKey key) {
  std::string out(30, '0');
  out.replace(0, 4, "cas_");
  std::uint64_t low = key.low, top = key.high & 0xFFFF, time = key.high >> 16;
  for (std::size_t i = 29; i >= 14; --i) {
    out[i] = kBase32[low & 31];
    low = low >> 5 | top << 59;
    top >>= 5;
  }
  for (std::size_t i = 13; i >= 4; --i, time >>= 5) out[i] = kBase32[time & 31];
  return out;
}

Case& Case::operator=(const Case& o) {
  key = o.key;
  parent = o.parent;
  org = o.org, starter = o.starter, subject = o.subject, commander = o.commander;
  series = o.series, number = o.number, entries = o.entries;
  definition = o.definition, state = o.state, compress = o.compress;
  level = o.level, raised = o.raised, held = o.held, drill = o.drill, closed = o.closed;
  opened_ms = o.opened_ms, entered_ms = o.entered_ms, closed_ms = o.closed_ms;
  first_seq = o.first_seq, last_seq = o.last_seq, flags = o.flags, taken = o.taken;
  facts = o.facts, marks = o.marks, tasks = o.tasks, clocks = o.clocks, acted = o.acted;
  rare = o.rare ? std::make_unique<Rare>(*o.rare) : nullptr;
  return *this;
}

TaskState* Case::task(int index) {
  for (TaskState& t : tasks)
    if (t.task == index) return &t;
  return nullptr;
}

ClockState* Case::clock(int index) {
  for (ClockState& k : clocks)
    if (k.clock == index) return &k;
  return nullptr;
}

TaskState& Case::add_task(int index) {
  auto at = std::find_if(tasks.begin(), tasks.end(), [&](auto& t) { return t.task > index; });
  return *tasks.insert(at, TaskState{.task = static_cast<std::uint16_t>(index)});
}

ClockState& Case::add_clock(int index) {
  auto at = std::find_if(clocks.begin(), clocks.end(), [&](auto& k) { return k.clock > index; });
  return *clocks.insert(at, ClockState{.clock = static_cast<std::uint8_t>(index)});
}

std::int64_t Case::next_ms() const {
  std::int64_t next = never_ms;
  for (const ClockState& k : clocks) next = std::min(next, k.next_ms);
  for (const TaskState& t : tasks) next = std::min(next, t.timer());
  return next;
}

std::size_t Case::bytes() const {
  auto block = [](std::size_t size) { return size == 0 ? 0 : size + 16; };  // malloc's own
  std::size_t sum =
      sizeof(Case) + block(facts.capacity() * sizeof(Value)) +
      block(marks.capacity() * sizeof(FactMark)) + block(tasks.capacity() * sizeof(TaskState)) +
      block(clocks.capacity() * sizeof(ClockState)) + block(acted.capacity() * sizeof(Acted));
  return sum + (rare ? sizeof(Rare) + 256 : 0);
}

Slot CaseIndex::find(CaseKey key, const std::deque<Case>& cases) const {
  if (places_.empty()) return no_slot;
  std::uint64_t h = hash(key);
  for (std::size_t i = h & (places_.size() - 1);; i = (i + 1) & (places_.size() - 1)) {
    const Place& place = places_[i];
    if (place.slot == no_slot) return no_slot;
    if (place.tag == tag_of(h) && cases[place.slot].key == key) return place.slot;
  }
}

void CaseIndex::put(Place place, std::uint64_t hash) {
  std::size_t i = hash & (places_.size() - 1);
  while (places_[i].slot != no_slot) i = (i + 1) & (places_.size() - 1);
  places_[i] = place;
}

void CaseIndex::add(Slot slot, const std::deque<Case>& cases) {
  if ((count_ + 1) * 3 > places_.size() * 2) {
    std::vector<Place> old(std::max<std::size_t>(1024, places_.size() * 2));
    old.swap(places_);
    for (const Place& place : old)
      if (place.slot != no_slot) put(place, hash(cases[place.slot].key));
  }
  std::uint64_t h = hash(cases[slot].key);
  put({slot, tag_of(h)}, h);
  ++count_;
}

}  // namespace cw
