#include <algorithm>
#include <list>
#include <unordered_map>

#include "base/check.h"
#include "compiled.h"
#include "window.h"

namespace cw::detect {
namespace {

using Entities = std::vector<std::pair<std::string, std::string>>;

constexpr std::int64_t kSweepEveryMs = 1000;
constexpr std::size_t kValueKept = 256;  // bytes of a counted value; the rest enters as a hash

struct Group {
  std::string key;
  Entities entities;
  Window window;
  std::int64_t touched_ms = 0;  // processing time
  std::int64_t opened_ms = 0;   // event time of the window's first event, if not immediate
};

struct State {
  std::list<Group> groups;  // the idlest first
  std::unordered_map<std::string_view, std::list<Group>::iterator> by_key;
};

// An event as a correlation sees it: its own fields, and before them those of the correlation that
// fired on it.
struct Occurrence {
  const Event& event;
  const Entities* derived;

  const std::string_view* find(std::string_view name, std::string_view& out) const {
    if (derived != nullptr) {
      for (const auto& [key, value] : *derived) {
        if (key == name) return &(out = value);
      }
    }
    for (const Field& f : event.fields) {
      if (f.name == name && f.kind != Kind::null) return &(out = f.value);
    }
    return nullptr;
  }
};

std::string counted_value(std::string_view text) {
  std::string folded;
  fold_case(text, folded);
  if (folded.size() > kValueKept) {
    std::uint64_t hash = hash_bytes(folded);
    folded.resize(kValueKept);
    folded += '#' + std::to_string(hash);
  }
  return folded;
}

}  // namespace

struct Correlator::Impl {
  std::shared_ptr<const RuleSet> rules;
  const RuleSet::Impl& set;
  CorrelatorLimits limits;
  CorrelatorStats stats;
  std::vector<State> states;
  std::int64_t now_ms = 0;
  std::int64_t swept_ms = 0;
  std::uint64_t sequence = 0;

  Impl(std::shared_ptr<const RuleSet> r, CorrelatorLimits l)
      : rules(std::move(r)), set(rules->impl()), limits(l), states(set.correlations.size()) {}

  void advance(std::int64_t now) { now_ms = std::max(now_ms, now); }

  // The group's key and the names and values that make it; false if the event lacks one of them:
  // missing never equals missing.
  bool group_key(const Correlation& c, const CorrelationInput& input, const Occurrence& o,
                 std::string& key, Entities& entities) {
    std::string folded;
    for (std::size_t i = 0; i < input.group_by.size(); ++i) {
      std::string_view value;
      if (o.find(input.group_by[i], value) == nullptr) return false;
      fold_case(value, folded);
      key += std::to_string(folded.size()) + ':' + folded;
      entities.emplace_back(c.group_names[i], value);
    }
    return true;
  }

  bool read_values(const Correlation& c, const Occurrence& o, WindowEntry& entry) {
    bool numeric = c.type == CorrelationType::value_sum || c.type == CorrelationType::value_avg ||
                   c.type == CorrelationType::value_percentile;
    if (c.type != CorrelationType::value_count && !numeric) return true;
    for (const std::string& name : c.fields) {
      std::string_view value;
      if (o.find(name, value) == nullptr) return false;
      if (!numeric) {
        std::string counted = counted_value(value);
        entry.value += std::to_string(counted.size()) + ':' + counted;
        continue;
      }
      auto number = parse_number(value);
      if (!number) return false;
      entry.number = *number;
    }
    return true;
  }

  Group& find_group(State& state, std::string key, Entities entities) {
    auto found = state.by_key.find(key);
    if (found != state.by_key.end()) {
      state.groups.splice(state.groups.end(), state.groups, found->second);
      found->second->entities = std::move(entities);
      return *found->second;
    }
    if (state.groups.size() >= limits.groups_max) {
      erase(state, state.groups.begin());
      ++stats.evicted_groups;
    }
    state.groups.emplace_back();
    Group& made = state.groups.back();
    made.key = std::move(key);
    made.entities = std::move(entities);
    state.by_key.emplace(made.key, std::prev(state.groups.end()));
    ++stats.groups;
    return made;
  }

  void erase(State& state, std::list<Group>::iterator group) {
    state.by_key.erase(group->key);
    state.groups.erase(group);
    --stats.groups;
  }

  void erase(State& state, const std::string& key) {
    auto found = state.by_key.find(key);
    if (found != state.by_key.end()) erase(state, found->second);
  }

  void take(std::uint32_t correlation, std::uint32_t input, const Occurrence& o,
            std::vector<Firing>& out) {
    const Correlation& c = set.correlations[correlation];
    State& state = states[correlation];
    std::string key;
    Entities entities;
    std::int64_t time = o.event.time_ms > now_ms + limits.future_max_ms ? now_ms : o.event.time_ms;
    WindowEntry entry{time, input, sequence, {}, 0};
    if (!group_key(c, c.inputs[input], o, key, entities) || !read_values(c, o, entry)) return;
    ++stats.events;
    Group& group = find_group(state, std::move(key), std::move(entities));
    group.touched_ms = now_ms;
    if (!group.window.empty() &&
        time <= group.window.newest_ms() - c.timespan_ms - limits.lateness_max_ms) {
      ++stats.late;
      return;
    }
    if (!c.immediate) return take_windowed(correlation, group, std::move(entry), o, out);
    auto result = group.window.insert(c, std::move(entry));
    if (!result) {
      std::size_t keep = std::max(limits.group_events_max, c.events_min);
      stats.evicted_events += group.window.trim(c, limits.lateness_max_ms, keep);
      return;
    }
    Entities fired = std::move(group.entities);
    erase(state, group.key);  // each event counts towards one firing of its group
    fire(correlation, *result, fired, &o, out);
  }

  void take_windowed(std::uint32_t correlation, Group& group, WindowEntry entry,
                     const Occurrence& o, std::vector<Firing>& out) {
    const Correlation& c = set.correlations[correlation];
    if (!group.window.empty() && entry.time_ms >= group.opened_ms + c.timespan_ms) {
      close(correlation, group, &o, out);
    }
    if (group.window.empty()) group.opened_ms = entry.time_ms;
    group.opened_ms = std::min(group.opened_ms, entry.time_ms);
    group.window.append(std::move(entry));
    std::size_t keep = std::max(limits.group_events_max, c.events_min);
    stats.evicted_events += group.window.trim(c, limits.lateness_max_ms, keep);
  }

  void close(std::uint32_t correlation, Group& group, const Occurrence* o,
             std::vector<Firing>& out) {
    auto result = group.window.close(set.correlations[correlation]);
    group.window = {};
    if (result) fire(correlation, *result, group.entities, o, out);
  }

  void fire(std::uint32_t correlation, const WindowResult& result, const Entities& entities,
            const Occurrence* o, std::vector<Firing>& out) {
    std::uint32_t rule = set.correlations[correlation].rule;
    const RuleInfo& info = set.infos[rule];
    if (info.alerts) {
      Firing firing{rule, result.last_ms, result.first_ms, result.events, result.value, {}, {}};
      for (const std::string& name : info.entities) {
        std::string_view value;
        Occurrence own{o != nullptr ? o->event : Event{}, &entities};
        if (own.find(name, value) != nullptr) firing.entities.emplace_back(name, value);
      }
      if (info.entities.empty()) firing.entities = entities;
      out.push_back(std::move(firing));
    }
    if (set.feeds[rule].empty()) return;
    Event event = o != nullptr ? o->event : Event{};
    event.time_ms = result.last_ms;
    Occurrence derived{event, &entities};
    for (auto [next, input] : set.feeds[rule]) take(next, input, derived, out);
  }

  void sweep(std::vector<Firing>& out) {
    if (now_ms - swept_ms < kSweepEveryMs) return;
    swept_ms = now_ms;
    for (std::uint32_t i = 0; i < states.size(); ++i) {
      const Correlation& c = set.correlations[i];
      std::int64_t idle = now_ms - limits.lateness_max_ms;
      State& state = states[i];
      if (c.immediate) {
        while (!state.groups.empty() && state.groups.front().touched_ms < idle - c.timespan_ms) {
          erase(state, state.groups.begin());
        }
        continue;
      }
      for (auto group = state.groups.begin(); group != state.groups.end();) {
        auto next = std::next(group);
        if (group->opened_ms + c.timespan_ms <= idle && group->touched_ms <= idle) {
          close(i, *group, nullptr, out);
          erase(state, group);
        }
        group = next;
      }
    }
  }
};

Correlator::Correlator(std::shared_ptr<const RuleSet> rules, CorrelatorLimits limits)
    : impl_(std::make_unique<Impl>(std::move(rules), limits)) {
  CW_CHECK(limits.groups_max > 0 && limits.group_events_max > 0);
}
Correlator::~Correlator() = default;
Correlator::Correlator(Correlator&&) noexcept = default;

void Correlator::feed(const Event& event, std::span<const std::uint32_t> matched,
                      std::int64_t now_ms, std::vector<Firing>& out) {
  Impl& self = *impl_;
  self.advance(now_ms);
  ++self.sequence;
  for (std::uint32_t rule : matched) {
    for (auto [correlation, input] : self.set.feeds[rule]) {
      self.take(correlation, input, {event, nullptr}, out);
    }
  }
  self.sweep(out);
}

void Correlator::tick(std::int64_t now_ms, std::vector<Firing>& out) {
  impl_->advance(now_ms);
  impl_->sweep(out);
}

CorrelatorStats Correlator::stats() const { return impl_->stats; }

Detector::Detector(std::shared_ptr<const RuleSet> rules, CorrelatorLimits limits)
    : rules_(rules), engine_(rules), correlator_(rules, limits) {}

void Detector::feed(const Event& event, std::int64_t now_ms, std::vector<Firing>& out) {
  auto matched = engine_.evaluate(event);
  for (std::uint32_t rule : matched) {
    const RuleInfo& info = rules_->rules()[rule];
    if (!info.alerts) continue;
    out.push_back({rule, event.time_ms, event.time_ms, 1, 1, entities_of(info, event),
                   engine_.matched_fields(rule)});
  }
  correlator_.feed(event, matched, now_ms, out);
}

void Detector::tick(std::int64_t now_ms, std::vector<Firing>& out) {
  correlator_.tick(now_ms, out);
}

std::vector<std::pair<std::string, std::string>> entities_of(const RuleInfo& rule,
                                                             const Event& event) {
  static const std::vector<std::string> kUsual = {
      "Computer", "ComputerName",   "host",   "hostname", "User",      "user", "TargetUserName",
      "account",  "source.address", "src_ip", "SourceIp", "IpAddress", "c-ip"};
  Entities out;
  for (const std::string& name : rule.entities.empty() ? kUsual : rule.entities) {
    std::string_view value = event.value(name);
    if (!value.empty()) out.emplace_back(name, value);
  }
  if (rule.entities.empty() && !event.source.empty()) out.emplace_back("source", event.source);
  return out;
}

}  // namespace cw::detect
