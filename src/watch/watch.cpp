#include "watch.h"

#include "base/log.h"
#include "base/text.h"
#include "storage/file.h"
#include "watch_impl.h"

namespace cw::watch {
namespace {

constexpr std::size_t kSendersMax = 1000;    // of one source; more are not watched for silence
constexpr std::size_t kTailBytes = 4 << 20;  // of one file and one round
constexpr std::size_t kPushMax = 4 << 20;
constexpr std::int64_t kSaveMs = 10'000;
constexpr std::int64_t kExpireMs = 3'600'000;
constexpr std::int64_t kHeardHoldMs = 60'000;

std::string folder_file(const std::string& folder) {
  make_folders(folder, 0700);
  return folder + "/watch.db";
}

}  // namespace

Watch::Impl::Impl(WatchOptions o, Clock& c, Random&, Journal& j, Alerts& a,
                  std::shared_ptr<const detect::RuleSet> rules)
    : options(std::move(o)),
      clock(c),
      journal(j),
      alerts(a),
      db(folder_file(options.folder), {.create = true, .full_sync = false}),
      counters(options.sources.size()),
      queue(options.limits.queue_bytes),
      repeats(a, j, c, options.limits),
      store(options.store_events ? std::make_unique<EventStore>(options.folder + "/events",
                                                                options.limits.retention_days)
                                 : nullptr),
      pipeline(options.sources, counters, repeats, store.get(), options.limits, rules),
      rule_set(std::move(rules)) {
  db.exec(Repeats::schema());
  db.exec(
      "CREATE TABLE IF NOT EXISTS tail(source TEXT PRIMARY KEY, position TEXT NOT NULL) STRICT;"
      "CREATE TABLE IF NOT EXISTS rhythm(source TEXT NOT NULL, sender TEXT NOT NULL,"
      "gaps BLOB NOT NULL, PRIMARY KEY(source, sender)) STRICT;");
  alerts.closing([this](const std::string& alert) { return repeats.closing(alert); });
}

std::optional<std::size_t> Watch::Impl::source_index(std::string_view id) const {
  for (std::size_t i = 0; i < options.sources.size(); ++i) {
    if (options.sources[i].id == id) return i;
  }
  return std::nullopt;
}

// A stated rhythm is the source's, not that of each of its senders.
Rhythm Watch::Impl::rhythm_of(std::size_t source, std::string_view sender) const {
  const SourceConfig& s = options.sources[source];
  return Rhythm(
      {.floor_ms = s.silent_floor_ms, .expected_gap_ms = sender.empty() ? s.expected_gap_ms : 0});
}

// ---- start and stop
// ------------------------------------------------------------------------------

void Watch::Impl::load() {
  std::lock_guard lock(db_mutex);
  repeats.load(db);
  std::int64_t now = clock.now_ms();
  std::lock_guard rhythm(rhythm_mutex);
  db.query("SELECT source, sender, gaps FROM rhythm", [&](const Row& r) {
    std::optional<std::size_t> source = source_index(r.text(0));
    if (!source) return;
    Sender s{*source, std::string(r.text(1)), rhythm_of(*source, r.text(1))};
    s.rhythm.load(r.text(2));
    s.rhythm.listening_from(now);
    senders.emplace(std::pair{*source, s.name}, std::move(s));
  });
  for (std::size_t i = 0; i < options.sources.size(); ++i) {
    // A stated rhythm holds from the first second, even if nothing was ever heard.
    if (options.sources[i].expected_gap_ms == 0) continue;
    auto [at, made] = senders.try_emplace({i, ""}, Sender{i, "", rhythm_of(i, "")});
    at->second.rhythm.listening_from(now);
  }
  for (auto& [key, s] : senders) {
    Entities e{{"source", options.sources[s.source].id}};
    if (!s.name.empty()) e.emplace_back("sender", s.name);
    std::string print = alerts.fingerprint(options.sources[s.source].org, kSilentRule, e);
    s.silent = journal.read([&] {
      const Alert* a = alerts.by_fingerprint(print);
      return a && a->active;
    });
  }
}

Status Watch::Impl::start() {
  CW_CHECK(!started);
  listener = std::make_unique<Listener>(queue, clock);
  for (std::size_t i = 0; i < options.sources.size(); ++i) {
    const SourceConfig& s = options.sources[i];
    if (s.kind == SourceConfig::Kind::syslog_udp || s.kind == SourceConfig::Kind::syslog_tcp) {
      if (Status ok = listener->add(i, s, counters[i]); !ok) return ok;
    } else if (s.kind == SourceConfig::Kind::file) {
      tails.emplace_back(i, s);
      std::lock_guard lock(db_mutex);
      db.query(
          "SELECT position FROM tail WHERE source=$1",
          [&](const Row& r) { tails.back().tail.restore(r.text(0)); }, s.id);
    }
  }
  load();
  started = true;
  if (!options.threads) return done();
  threads.emplace_back([this] {
    while (work_one(std::chrono::milliseconds(200)) || !queue.closed()) {
    }
  });
  threads.emplace_back([this] {
    while (!stopping) listener->poll(std::chrono::milliseconds(200));
  });
  threads.emplace_back([this] {
    int rounds = 0;
    while (!stopping) {
      bool more = poll_tails();
      if (++rounds % 10 == 0) tick();
      if (!more || !queue.room()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  });
  return done();
}

void Watch::Impl::stop() {
  if (!started) return;
  stopping = true;
  listener->wake();
  if (options.threads) {
    threads[1].join();
    threads[2].join();
    queue.close();
    threads[0].join();
    threads.clear();
  } else {
    queue.close();
    while (work_one(std::chrono::milliseconds(0))) {
    }
  }
  repeats.wait_settled();
  if (store) store->flush();
  save();
  started = false;
}

// ---- work
// ----------------------------------------------------------------------------------------

void Watch::Impl::work(const Batch& batch) {
  heard(batch);
  std::lock_guard lock(work_mutex);
  pipeline.process(batch);
}

bool Watch::Impl::work_one(std::chrono::milliseconds wait) {
  std::optional<Batch> batch = queue.pop(wait);
  if (!batch) return false;
  work(*batch);
  queue.processed();
  return true;
}

// A position may be saved when all lines before it have become events. The next one is taken only
// then, so that a long backlog does not put saving off for ever.
void Watch::Impl::Followed::settle(const BatchQueue& queue) {
  if (queue.processed_count() < pushed) return;
  ready = position;
  position = tail.position();
  pushed = queue.pushed();
}

bool Watch::Impl::poll_tails() {
  std::lock_guard lock(tail_mutex);
  bool more = false;
  for (Followed& f : tails) {
    SourceCounters& c = counters[f.source];
    if (!queue.room()) return true;
    Batch batch{.source = f.source, .received_ms = clock.now_ms()};
    auto send = [&] {
      if (batch.ends.empty()) return;
      c.last_ms = batch.received_ms;
      c.lines_out += batch.ends.size();
      std::int64_t at = batch.received_ms;
      queue.try_push(std::move(batch), true);
      batch = Batch{.source = f.source, .received_ms = at};
    };
    more |= f.tail.poll(
        [&](std::string_view line) {
          ++c.lines;
          c.bytes += line.size() + 1;
          batch.add(line);
          if (batch.bytes.size() >= BatchQueue::kBatchBytes) send();
        },
        kTailBytes);
    send();
    c.cut = f.tail.stats().cut;
    c.rotations = f.tail.stats().rotations;
    c.reading = f.tail.stats().reading;
    f.settle(queue);
  }
  return more;
}

void Watch::Impl::drain() {
  if (!options.threads) {
    bool more = true;
    while (more) {
      more = listener->poll(std::chrono::milliseconds(0));
      more |= poll_tails();
      while (work_one(std::chrono::milliseconds(0))) {
      }
    }
  } else {
    while (poll_tails()) queue.wait_processed(queue.pushed());
    queue.wait_processed(queue.pushed());
  }
  repeats.wait_settled();
  if (store) store->flush();
}

// ---- the clock's work
// ----------------------------------------------------------------------------

void Watch::Impl::heard(const Batch& batch) {
  std::lock_guard lock(rhythm_mutex);
  auto known = senders.find({batch.source, batch.sender});
  if (known == senders.end()) {
    if (senders.size() >= kSendersMax * options.sources.size()) return;
    Sender s{batch.source, batch.sender, rhythm_of(batch.source, batch.sender)};
    known = senders.emplace(std::pair{batch.source, batch.sender}, std::move(s)).first;
  }
  known->second.rhythm.heard(batch.received_ms);
  known->second.dirty = true;
  // A source with a stated rhythm is heard whoever speaks.
  if (options.sources[batch.source].expected_gap_ms > 0 && !batch.sender.empty()) {
    auto whole = senders.find({batch.source, ""});
    if (whole != senders.end()) whole->second.rhythm.heard(batch.received_ms);
  }
}

void Watch::Impl::alarm(const Sender& s, bool silent) {
  const SourceConfig& source = options.sources[s.source];
  Found f;
  f.rule = kSilentRule;
  f.source = source.id;
  f.org = source.org;
  f.actor = "clock";
  f.level = Level::high;
  f.key = {{"source", source.id}};
  if (!s.name.empty()) f.key.emplace_back("sender", s.name);
  f.entities = f.key;
  f.time_ms = f.first_ms = clock.now_ms();
  f.title = {"来源中断:" + source.id, "A source has gone silent: " + source.id};
  if (silent)
    repeats.found(f, nullptr, nullptr);
  else
    repeats.resolve(f.org, f.rule, f.key, kHeardHoldMs);
}

void Watch::Impl::check_senders() {
  std::vector<std::pair<Sender, bool>> changed;
  std::int64_t now = clock.now_ms();
  {
    std::lock_guard lock(rhythm_mutex);
    std::vector<std::int64_t> limits(counters.size(), 0);
    std::vector<char> any(counters.size(), 0);
    for (auto& [key, s] : senders) {
      bool silent = s.rhythm.silent(now);
      any[s.source] |= silent;
      std::int64_t limit = s.rhythm.limit_ms();
      if (limit > 0 && (limits[s.source] == 0 || limit < limits[s.source]))
        limits[s.source] = limit;
      if (silent == s.silent) continue;
      s.silent = silent;
      changed.emplace_back(s, silent);
    }
    for (std::size_t i = 0; i < counters.size(); ++i) {
      counters[i].silent = any[i] != 0;
      counters[i].silent_after_ms = limits[i];
    }
  }
  for (const auto& [s, silent] : changed) alarm(s, silent);
}

// What fires on after its silence ended must be heard.
void Watch::Impl::check_silences() {
  std::int64_t now = clock.now_ms();
  std::vector<std::string> outlived = journal.read([&] { return alerts.outlived(now); });
  for (std::string& id : outlived) {
    journal.submit({.vital = true}, alerts.audible(std::move(id)), [](Result<Answer>) {});
  }
}

void Watch::Impl::tick() {
  std::lock_guard lock(tick_mutex);
  std::int64_t now = clock.now_ms();
  {
    std::lock_guard work(work_mutex);
    pipeline.tick(now);
  }
  check_senders();
  repeats.tick();
  if (now - saved_ms >= kSaveMs) {
    saved_ms = now;
    check_silences();
    if (store) store->flush();
    save();
  }
  if (store && now - expired_ms >= kExpireMs) {
    expired_ms = now;
    store->expire(now);
  }
}

void Watch::Impl::save() {
  std::lock_guard lock(db_mutex);
  try {
    db.begin();
    repeats.save(db);
    {
      std::lock_guard tail(tail_mutex);
      for (Followed& f : tails) {
        f.settle(queue);  // after a crash lines are read again rather than lost
        f.settle(queue);
        if (f.ready.empty() || f.ready == f.saved) continue;
        db.run("INSERT INTO tail VALUES($1,$2) ON CONFLICT(source) DO UPDATE SET position=$2",
               options.sources[f.source].id, f.ready);
        f.saved = f.ready;
      }
    }
    {
      std::lock_guard rhythm(rhythm_mutex);
      for (auto& [key, s] : senders) {
        if (!std::exchange(s.dirty, false)) continue;
        std::string gaps = s.rhythm.save();
        db.run(
            "INSERT INTO rhythm VALUES($1,$2,$3) ON CONFLICT(source,sender) DO UPDATE SET gaps=$3",
            options.sources[s.source].id, s.name, Blob{gaps});
      }
    }
    db.commit();
  } catch (const StorageError& e) {
    db.rollback();  // counts and positions: what is lost is read or counted again
    log_warn("watch", "positions and counts could not be kept: {}", e.what());
  }
}

// ---- Watch
// ---------------------------------------------------------------------------------------

Watch::Watch(WatchOptions options, Clock& clock, Random& random, Journal& journal, Alerts& alerts,
             std::shared_ptr<const detect::RuleSet> rules)
    : impl_(std::make_unique<Impl>(std::move(options), clock, random, journal, alerts,
                                   std::move(rules))) {}

Watch::~Watch() {
  impl_->stop();
  impl_->alerts.closing(nullptr);
}

Status Watch::start() { return impl_->start(); }
void Watch::stop() { impl_->stop(); }
void Watch::tick() { impl_->tick(); }
void Watch::drain() { impl_->drain(); }

void Watch::rules(std::shared_ptr<const detect::RuleSet> rules) {
  std::lock_guard lock(impl_->work_mutex);
  impl_->rule_set = rules;
  impl_->pipeline.rules(std::move(rules));
}

std::shared_ptr<const detect::RuleSet> Watch::rules() const {
  std::lock_guard lock(impl_->work_mutex);
  return impl_->rule_set;
}

Result<Watch::Pushed> Watch::push(std::string_view source, std::string body) {
  std::optional<std::size_t> index = impl_->source_index(source);
  if (!index || impl_->options.sources[*index].kind != SourceConfig::Kind::push) {
    return problem(Refusal::not_found, "source.unknown",
                   {"没有这个推送来源。", "There is no such push source."});
  }
  if (body.size() > kPushMax) {
    return problem(Refusal::too_large, "source.large",
                   {"一次最多 4 MiB,请分批发送。", "At most 4 MiB at once; send it in parts."});
  }
  SourceCounters& c = impl_->counters[*index];
  Batch batch{.source = *index, .received_ms = impl_->clock.now_ms()};
  for (std::string_view line : split(body, '\n')) {
    if (!trim(line).empty()) batch.add(line);
  }
  std::uint64_t lines = batch.ends.size();
  c.lines += lines;
  c.bytes += body.size();
  c.last_ms = batch.received_ms;
  if (lines > 0 && !impl_->queue.try_push(std::move(batch))) {
    c.refused += lines;
    Problem p = problem(Refusal::too_many, "source.busy",
                        {"处理不过来,没有接收任何一行,请稍后重发。",
                         "There is no room now; not one line was taken. Send it again later."});
    p.retry_after_s = 1;
    return p;
  }
  c.lines_out += lines;
  return Pushed{lines};
}

std::optional<Tally> Watch::tally(std::string_view alert) const {
  return impl_->repeats.tally(alert);
}

std::uint16_t Watch::port(std::string_view source) const {
  std::optional<std::size_t> index = impl_->source_index(source);
  return index ? impl_->counters[*index].port.load() : std::uint16_t{0};
}

WatchStats Watch::stats() const {
  WatchStats out;
  for (std::size_t i = 0; i < impl_->counters.size(); ++i) {
    const SourceCounters& c = impl_->counters[i];
    const SourceConfig& s = impl_->options.sources[i];
    SourceStats x{.id = s.id, .org = s.org, .owner = s.owner, .kind = s.kind, .port = c.port};
    x.received = {c.lines, c.lines_out, c.refused, 0};
    x.decoded = {c.decoded_lines, c.events, 0, c.late};
    x.bytes = c.bytes;
    x.connections = c.connections;
    x.connections_refused = c.connections_refused;
    x.cut = c.cut;
    x.rotations = c.rotations;
    x.last_ms = c.last_ms;
    x.silent_after_ms = c.silent_after_ms;
    x.silent = c.silent;
    x.reading = c.reading;
    out.sources.push_back(std::move(x));
  }
  {
    std::lock_guard lock(impl_->work_mutex);
    out.rules = impl_->pipeline.counts().rules;
    out.correlator = impl_->pipeline.counts().correlator;
  }
  Repeats::Counts r = impl_->repeats.counts();
  out.alerts = {r.in, r.recorded, r.refused, 0};
  out.folded = r.folded;
  out.overflowed = r.overflowed;
  out.live_alerts = r.live;
  out.unsent_alerts = r.unsent;
  out.queued_bytes = impl_->queue.bytes();
  if (impl_->store) {
    EventStore::Counts s = impl_->store->counts();
    out.store = {s.in, s.out, s.refused, 0};
  }
  return out;
}

}  // namespace cw::watch
