#include "pipeline.h"

#include <algorithm>

#include "base/text.h"

namespace cw::watch {
namespace {

constexpr std::int64_t kLateMs = 10 * 60'000;
constexpr std::size_t kFirst = 5;  // samples

// At most `size_max` bytes, never half a character; the decoder's bytes may not be UTF-8 at all.
std::string kept_text(std::string_view s, std::size_t size_max) {
  bool cut = s.size() > size_max;
  if (cut) s = s.substr(0, size_max);
  if (is_utf8(s)) return std::string(s);
  std::string out;
  for (std::size_t i = 0; i < s.size();) {
    std::size_t n = 1;
    while (n < 4 && i + n <= s.size() && !is_utf8(s.substr(i, n))) ++n;
    bool good = i + n <= s.size() && is_utf8(s.substr(i, n));
    if (!good) n = 1;
    out += good ? s.substr(i, n) : std::string_view("\xEF\xBF\xBD");
    i += n;
  }
  return out;
}

}  // namespace

Pipeline::Pipeline(const std::vector<SourceConfig>& sources, std::deque<SourceCounters>& counters,
                   Repeats& repeats, EventStore* store, WatchLimits limits,
                   std::shared_ptr<const detect::RuleSet> wanted)
    : sources_(sources), counters_(counters), repeats_(repeats), store_(store), limits_(limits) {
  for (const SourceConfig& s : sources_) {
    decoders_.emplace_back(DecoderOptions{.source = s.id,
                                          .format = s.format,
                                          .utc_offset_min = s.utc_offset_min,
                                          .line_max = s.line_max});
  }
  evidence_.resize(kEvidence);
  rules(std::move(wanted));
}

void Pipeline::rules(std::shared_ptr<const detect::RuleSet> rules) {
  rules_ = std::move(rules);
  engine_ = std::make_unique<detect::Engine>(rules_);
  correlator_ = std::make_unique<detect::Correlator>(rules_);
}

void Pipeline::process(const Batch& batch) {
  SourceCounters& c = counters_[batch.source];
  Decoder& decoder = decoders_[batch.source];
  std::uint64_t cut = decoder.stats().cut;
  batch.each([&](std::string_view line) {
    ++c.decoded_lines;
    decoder.decode({line, batch.received_ms, batch.sender},
                   [&](const detect::Event& event) { on_event(event, line, batch); });
  });
  c.cut += decoder.stats().cut - cut;
}

void Pipeline::on_event(const detect::Event& event, std::string_view line, const Batch& batch) {
  SourceCounters& c = counters_[batch.source];
  ++c.events;
  if (event.time_ms < batch.received_ms - kLateMs) ++c.late;
  ++counts_.rules.in;
  firings_.clear();
  std::span<const std::uint32_t> matched = engine_->evaluate(event);
  if (!matched.empty()) {
    for (std::uint32_t rule : matched) {
      const detect::RuleInfo& info = rules_->rules()[rule];
      if (!info.alerts) continue;
      detect::Firing f{.rule = rule, .time_ms = event.time_ms, .first_ms = event.time_ms};
      f.entities = detect::entities_of(info, event);
      firings_.push_back(std::move(f));
    }
    correlator_->feed(event, matched, batch.received_ms, firings_);
    remember(event, line, batch.source);
    counts_.correlator = correlator_->stats();
  }
  for (const detect::Firing& f : firings_) fired(f, batch.source);
  if (store_) store_->add(event, line, batch.received_ms);
}

void Pipeline::tick(std::int64_t now_ms) {
  firings_.clear();
  correlator_->tick(now_ms, firings_);
  // A window that only time closed has no last event: the first source speaks for it.
  for (const detect::Firing& f : firings_) fired(f, 0);
  counts_.correlator = correlator_->stats();
}

void Pipeline::remember(const detect::Event& event, std::string_view line, std::size_t source) {
  Evidence& e = evidence_[evidence_next_];
  evidence_next_ = (evidence_next_ + 1) % kEvidence;
  e.at_ms = event.time_ms;
  e.source = source;
  e.product.assign(event.logsource.product);
  e.service.assign(event.logsource.service);
  e.category.assign(event.logsource.category);
  e.line.assign(line.substr(0, kLineKept));
  e.fields.resize(std::min<std::size_t>(event.fields.size(), 64));
  for (std::size_t i = 0; i < e.fields.size(); ++i) {
    e.fields[i].first.assign(event.fields[i].name);
    e.fields[i].second.assign(event.fields[i].value.substr(0, kFieldKept));
  }
}

Sample Pipeline::sample_of(const Evidence& e) {
  Sample s{e.at_ms, sources_[e.source].id, kept_text(e.line, kLineKept), {}, {}};
  builder_.clear();
  for (const auto& [name, value] : e.fields) {
    s.fields.emplace_back(kept_text(name, kFieldKept), kept_text(value, kFieldKept));
    builder_.add(name, value);
  }
  auto matched =
      engine_->evaluate(builder_.event(s.source, {e.product, e.service, e.category}, e.at_ms));
  std::vector<std::uint32_t> all(matched.begin(), matched.end());
  for (std::uint32_t rule : all) {
    for (std::string& name : engine_->matched_fields(rule)) s.matched.push_back(std::move(name));
  }
  std::sort(s.matched.begin(), s.matched.end());
  s.matched.erase(std::unique(s.matched.begin(), s.matched.end()), s.matched.end());
  return s;
}

// The oldest remembered events since the alert began that have its entities.
std::vector<Sample> Pipeline::first_samples(const Found& found) {
  std::vector<Sample> out;
  for (std::size_t i = 0; i < kEvidence && out.size() < kFirst; ++i) {
    const Evidence& e = evidence_[(evidence_next_ + i) % kEvidence];
    if (e.at_ms < found.first_ms || e.at_ms > found.time_ms || e.fields.empty()) continue;
    bool same = std::all_of(found.key.begin(), found.key.end(), [&](const auto& wanted) {
      return std::find(e.fields.begin(), e.fields.end(), wanted) != e.fields.end();
    });
    if (same) out.push_back(sample_of(e));
  }
  return out;
}

void Pipeline::fired(const detect::Firing& f, std::size_t source) {
  const detect::RuleInfo& rule = rules_->rules()[f.rule];
  ++counts_.rules.out;
  Found found;
  found.rule = rule.id;
  found.actor = "rule:" + rule.id;
  if (source < sources_.size()) {
    found.source = sources_[source].id;
    found.org = sources_[source].org;
  }
  found.level = rule.level;
  found.warning = rule.warning;
  found.key = found.entities = f.entities;
  found.time_ms = f.time_ms;
  found.first_ms = f.first_ms;
  found.events = f.events;
  found.quiet_ms = limits_.quiet_ms;
  const Evidence& newest = evidence_[(evidence_next_ + kEvidence - 1) % kEvidence];
  repeats_.found(
      found, [&] { return sample_of(newest); }, [&] { return first_samples(found); });
}

}  // namespace cw::watch
