// Search in the event store, and replay of rules over it.
#include <algorithm>
#include <set>
#include <unordered_map>

#include "watch_impl.h"

namespace cw::watch {
namespace {

Problem no_store() {
  return problem(Refusal::unavailable, "events.off",
                 {"没有启用事件存储。", "Events are not being stored."});
}

bool has_fields(const StoredEvent& e, const Entities& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& w) {
    return std::find(e.fields.begin(), e.fields.end(), w) != e.fields.end();
  });
}

}  // namespace

Status Watch::search(const EventQuery& q,
                     const std::function<bool(const StoredEvent&)>& each) const {
  if (!impl_->store) return no_store();
  if (q.to_ms <= q.from_ms) {
    return invalid("events.range", "/to",
                   {"结束时间须晚于开始时间。", "The end must be after the start."});
  }
  if (q.limit < 1 || q.limit > 10'000) {
    return invalid("events.limit", "/limit", {"一次 1 到 10000 条。", "1 to 10,000 at once."});
  }
  std::size_t given = 0;
  impl_->store->scan(q.from_ms, q.to_ms, q.fields, q.source, q.newest_first,
                     [&](const StoredEvent& e) {
                       if (!q.source.empty() && e.source != q.source) return true;
                       if (!q.text.empty() && e.line.find(q.text) == std::string::npos) return true;
                       if (!has_fields(e, q.fields)) return true;
                       return each(e) && ++given < q.limit;
                     });
  return done();
}

Result<ReplayReport> Watch::replay(std::shared_ptr<const detect::RuleSet> rules,
                                   std::int64_t from_ms, std::int64_t to_ms) const {
  if (!impl_->store) return no_store();
  struct Seen {
    std::int64_t last_ms = 0;
  };
  struct Count {
    std::uint64_t firings = 0, alerts = 0;
    std::unordered_map<std::string, Seen> entities;
  };
  ReplayReport out;
  std::vector<Count> counts(rules->rules().size());
  detect::Detector detector(rules);
  detect::EventBuilder builder;
  std::vector<detect::Firing> fired;
  auto tally = [&] {
    for (const detect::Firing& f : fired) {
      Count& c = counts[f.rule];
      ++c.firings;
      std::string key;
      for (const auto& [name, value] : f.entities) key += name + '\0' + value + '\0';
      auto [seen, fresh] = c.entities.try_emplace(key);
      // Folded while it had not been quiet, as it would have been live.
      if (fresh || f.time_ms - seen->second.last_ms >= impl_->options.limits.quiet_ms) ++c.alerts;
      seen->second.last_ms = f.time_ms;
    }
    fired.clear();
  };
  std::int64_t last = from_ms;
  impl_->store->scan(from_ms, to_ms, {}, "", false, [&](const StoredEvent& e) {
    builder.clear();
    for (const auto& [name, value] : e.fields) builder.add(name, value);
    ++out.events;
    last = std::max(last, e.received_ms);
    detector.feed(builder.event(e.source, {e.product, e.service, e.category}, e.at_ms),
                  e.received_ms, fired);
    tally();
    return true;
  });
  detector.tick(last, fired);
  tally();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const Count& c = counts[i];
    if (c.firings == 0) continue;
    out.rules.push_back({rules->rules()[i].id, c.firings, c.entities.size(), c.alerts});
  }
  return out;
}

}  // namespace cw::watch
