// Lines become events, events firings, firings alerts; all events go to the store. One thread at a
// time. Time comes with the lines.
//
//   Pipeline p(sources, counters, repeats, store, rules);
//   p.process(batch);
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "listener.h"
#include "queue.h"
#include "repeats.h"
#include "store.h"
#include "watch.h"

namespace cw::watch {

class Pipeline {
 public:
  // `store` may be null. `counters`: one for each source, in order.
  Pipeline(const std::vector<SourceConfig>& sources, std::deque<SourceCounters>& counters,
           Repeats& repeats, EventStore* store, WatchLimits limits,
           std::shared_ptr<const detect::RuleSet> rules);

  void rules(std::shared_ptr<const detect::RuleSet> rules);
  void process(const Batch& batch);
  void tick(std::int64_t now_ms);  // closes correlation windows

  struct Counts {
    StageCount rules;
    detect::CorrelatorStats correlator;
  };
  const Counts& counts() const { return counts_; }

 private:
  // A recent event that some rule matched, kept to show how an alert began.
  struct Evidence {
    std::int64_t at_ms = 0;
    std::size_t source = 0;
    std::string product, service, category, line;
    Entities fields;
  };
  static constexpr std::size_t kEvidence = 2048;
  static constexpr std::size_t kLineKept = 2048;
  static constexpr std::size_t kFieldKept = 512;

  void on_event(const detect::Event& event, std::string_view line, const Batch& batch);
  void remember(const detect::Event& event, std::string_view line, std::size_t source);
  void fired(const detect::Firing& firing, std::size_t source);
  Sample sample_of(const Evidence& e);
  std::vector<Sample> first_samples(const Found& found);

  const std::vector<SourceConfig>& sources_;
  std::deque<SourceCounters>& counters_;
  Repeats& repeats_;
  EventStore* store_;
  WatchLimits limits_;
  std::shared_ptr<const detect::RuleSet> rules_;
  std::unique_ptr<detect::Engine> engine_;
  std::unique_ptr<detect::Correlator> correlator_;
  std::vector<Decoder> decoders_;
  std::vector<Evidence> evidence_;
  std::size_t evidence_next_ = 0;
  detect::EventBuilder builder_;
  std::vector<detect::Firing> firings_;
  Counts counts_;
};

}  // namespace cw::watch
