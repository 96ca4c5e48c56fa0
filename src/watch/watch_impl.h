// What is behind Watch: threads, files and the clock's work. Private to the module.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "listener.h"
#include "pipeline.h"
#include "queue.h"
#include "repeats.h"
#include "rhythm.h"
#include "store.h"
#include "tail.h"
#include "watch.h"

namespace cw::watch {

inline constexpr std::string_view kSilentRule = "watch.source-silent";

struct Watch::Impl {
  WatchOptions options;
  Clock& clock;
  Journal& journal;
  Alerts& alerts;
  Database db;  // positions, rhythms, counts; used under db_mutex
  std::mutex db_mutex;
  std::deque<SourceCounters> counters;
  BatchQueue queue;
  Repeats repeats;
  std::unique_ptr<EventStore> store;
  std::mutex work_mutex;  // the pipeline, one thread at a time
  Pipeline pipeline;
  std::shared_ptr<const detect::RuleSet> rule_set;

  // Files: polled by one thread.
  struct Followed {
    Followed(std::size_t index, const SourceConfig& s)
        : source(index), tail(s.path, s.line_max, s.from_start) {}
    std::size_t source;
    FileTail tail;
    std::uint64_t pushed = 0;  // of the queue, after its last batch
    std::string position;      // what may be saved once that batch is processed
    std::string ready, saved;  // what may be saved now; what is
    void settle(const BatchQueue& queue);
  };
  std::mutex tail_mutex;
  std::list<Followed> tails;
  std::unique_ptr<Listener> listener;

  // Who speaks how often: by source and sender.
  struct Sender {
    std::size_t source;
    std::string name;
    Rhythm rhythm;
    bool silent = false;
    bool dirty = false;
  };
  std::mutex rhythm_mutex;
  std::map<std::pair<std::size_t, std::string>, Sender> senders;

  std::atomic<bool> stopping{false};
  bool started = false;
  std::vector<std::thread> threads;
  std::mutex tick_mutex;
  std::int64_t saved_ms = 0, expired_ms = 0;

  Impl(WatchOptions o, Clock& c, Random& random, Journal& j, Alerts& a,
       std::shared_ptr<const detect::RuleSet> rules);

  Status start();
  void stop();
  void tick();
  void drain();
  std::optional<std::size_t> source_index(std::string_view id) const;

  void work(const Batch& batch);
  bool work_one(std::chrono::milliseconds wait);
  bool poll_tails();
  void heard(const Batch& batch);
  void check_senders();
  void check_silences();
  void alarm(const Sender& s, bool silent);
  void save();
  void load();
  Rhythm rhythm_of(std::size_t source, std::string_view sender) const;
};

}  // namespace cw::watch
