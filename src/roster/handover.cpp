// What one shift hands to the next, with two signatures.
#include <algorithm>

#include "base/text.h"
#include "state.h"

namespace cw {
namespace {

constexpr std::size_t items_max = 200;
constexpr std::size_t text_points_max = 10'000;
constexpr std::int64_t write_before_ms = 4 * 3'600'000;  // before a shift ends
constexpr std::int64_t sign_after_ms = 3 * duty_day_ms;  // after it ended

// Shifts of the layer that begin when this one ends, or soonest after it.
std::vector<Shift> next_shifts(const Roster::Impl& m, const Shift& s) {
  std::vector<Shift> out;
  const RosterRecord* r = m.find(s.ref.org, s.ref.roster);
  if (r == nullptr) return out;
  for (std::int64_t day = s.ref.day; day <= s.ref.day + 8; ++day)
    for (Shift& next : m.shifts_of_day(*r, day)) {
      if (next.ref.layer != s.ref.layer || next.from_ms < s.to_ms || next.people.empty()) continue;
      if (!out.empty() && next.from_ms > out.front().from_ms) continue;
      if (!out.empty() && next.from_ms < out.front().from_ms) out.clear();
      out.push_back(std::move(next));
    }
  return out;
}

bool item_ok(std::string_view item) {
  return !item.empty() && item.size() <= 100 && std::all_of(item.begin(), item.end(), [](char ch) {
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
           ch == '_' || ch == '-' || ch == '.' || ch == '/';
  });
}

}  // namespace

Result<Answer> Roster::write_handover(const Principal& who, Command command, const ShiftRef& ref,
                                      std::vector<std::string> items, std::string_view text) {
  Impl& m = *impl_;
  if (items.size() > items_max)
    return invalid("roster.items", "/items", {"最多 200 项", "At most 200 items"});
  for (std::size_t i = 0; i < items.size(); ++i)
    if (!item_ok(items[i]))
      return invalid("roster.item", "/items/" + std::to_string(i),
                     {"这里应为案件或任务的编号", "Expected the id of a case or a task"});
  if (!is_utf8(text) || trim(text).empty() || code_points(text) > text_points_max)
    return invalid(
        "roster.text", "/text",
        {"请写明交接内容，最多 10,000 字", "Say what is handed over, at most 10,000 characters"});
  const SealedContent content = m.parts.sealed.seal(ref.org + "/handover", text);
  return m.parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    const auto s = m.shift(ref);
    if (!s) return no_shift("/shift");
    if (who.person.empty() || !s->has(who.person))
      return problem(Refusal::forbidden, "roster.not-on",
                     {"只有本班人员可以交班", "Only somebody of that shift hands it over"});
    if (d.now_ms() < s->to_ms - write_before_ms || d.now_ms() > s->to_ms + sign_after_ms)
      return invalid("roster.handover-time", "/shift",
                     {"交班在班次结束前 4 小时至结束后 3 天内办理",
                      "A shift is handed over from 4 hours before to 3 days after its end"});
    auto kept = m.handovers.find({ref.org, ref.key()});
    if (kept != m.handovers.end() && !kept->second.incoming.empty())
      return problem(Refusal::conflict, "roster.handed-over",
                     {"双方均已签字，不能再改", "Both have signed; it does not change any more"});
    Handover h{ref, items, content.commitment, who.person, "", d.now_ms(), 0, 0};
    d.row(content.write, content.bytes);
    Entry e = duty_entry(who, "duty:" + s->held(), "handover", "outgoing", body_of(h));
    e.content = content.commitment;
    const std::uint64_t seq = d.append(std::move(e));
    return json::object{{"seq", static_cast<std::int64_t>(seq)}};
  });
}

Result<Answer> Roster::sign_handover(const Principal& who, Command command, const ShiftRef& ref,
                                     std::uint64_t seq) {
  return impl_->parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    Impl& m = *impl_;
    const auto s = m.shift(ref);
    auto kept = m.handovers.find({ref.org, ref.key()});
    if (!s || kept == m.handovers.end()) return no_shift("/shift");
    Handover h = kept->second;
    if (!h.incoming.empty())
      return problem(Refusal::conflict, "roster.handed-over",
                     {"双方均已签字", "Both have signed already"});
    if (h.seq != seq)
      return problem(Refusal::stale, "roster.handover-changed",
                     {"交班内容已更新，请重新阅读后再签字",
                      "The handover was written anew; read it again before you sign"});
    const auto next = next_shifts(m, *s);
    const bool takes_over =
        std::any_of(next.begin(), next.end(), [&](const Shift& n) { return n.has(who.person); });
    if (who.person.empty() || who.person == h.outgoing || !takes_over)
      return problem(Refusal::forbidden, "roster.not-next",
                     {"须由接班人员签字，且不能与交班人是同一人",
                      "Somebody of the following shift signs, and never who handed over"});
    h.incoming = who.person;
    h.incoming_at = d.now_ms();
    Entry e = duty_entry(who, "duty:" + s->held(), "handover", "incoming", body_of(h));
    e.content = h.content;
    d.append(std::move(e));
    return json::object{};
  });
}

std::optional<Handover> Roster::handover(const ShiftRef& ref) const {
  auto it = impl_->handovers.find({ref.org, ref.key()});
  return it == impl_->handovers.end() ? std::nullopt : std::optional(it->second);
}

std::vector<Handover> Roster::handovers(std::string_view org, std::size_t limit) const {
  std::vector<Handover> out;
  for (auto it = impl_->handovers.lower_bound({std::string(org), ""});
       it != impl_->handovers.end() && it->first.first == org; ++it)
    out.push_back(it->second);
  std::stable_sort(out.begin(), out.end(), [](const Handover& a, const Handover& b) {
    return a.outgoing_at > b.outgoing_at;
  });
  if (out.size() > limit) out.resize(limit);
  return out;
}

std::vector<Shift> Roster::Impl::following(const Shift& s) const { return next_shifts(*this, s); }

}  // namespace cw
