#include "views.h"
#include "base/thread.h"

#include <condition_variable>
#include <mutex>

#include "base/log.h"

namespace cw {
namespace {
constexpr std::size_t kEntriesPerRound = 4096;
constexpr auto kOwnWritesWait = std::chrono::seconds(5);
}  // namespace

struct Views::Impl {
  Impl(std::string p, Journal& j) : path(std::move(p)), journal(j), readers(path, 4) {}

  void open() {
    db = std::make_unique<Database>(
        path, DatabaseOptions{.create = true, .full_sync = false, .cache_kib = 16'384});
    db->exec(
        "CREATE TABLE IF NOT EXISTS projector(name TEXT PRIMARY KEY, version INTEGER, position "
        "INTEGER) STRICT");
    std::uint64_t least = UINT64_MAX;
    for (Projector* p : projectors) least = std::min(least, prepare(*p));
    done = projectors.empty() ? journal.size() : least;
  }

  // Where this projector has to begin; its tables are made anew when they are of another version
  // or ahead of the journal (which was restored from a backup).
  std::uint64_t prepare(Projector& p) {
    std::optional<std::uint64_t> position;
    db->query(
        "SELECT version,position FROM projector WHERE name=$1",
        [&](const Row& r) {
          if (r.integer(0) == p.version()) position = static_cast<std::uint64_t>(r.integer(1));
        },
        p.name());
    if (position && *position > journal.size()) position.reset();
    db->begin();
    if (!position) p.drop(*db);
    db->exec(p.schema());
    db->run(
        "INSERT INTO projector VALUES($1,$2,$3) ON CONFLICT(name) DO UPDATE SET version=$2, "
        "position=$3",
        p.name(), p.version(), position.value_or(0));
    db->commit();
    positions.push_back(position.value_or(0));
    return position.value_or(0);
  }

  void follow() {
    std::uint64_t said = 0;
    while (!stopping) {
      journal.wait_for(done + 1, std::chrono::milliseconds(200));
      auto batch = journal.entries(done, kEntriesPerRound);
      if (batch.empty()) continue;
      db->begin();
      std::uint64_t seq = done;
      for (const auto& bytes : batch) {
        auto entry = Entry::parse(bytes);
        CW_CHECK(entry.ok() && entry->seq == seq);
        for (std::size_t i = 0; i < projectors.size(); ++i)
          if (seq >= positions[i]) projectors[i]->project(*entry, *db);
        ++seq;
      }
      db->run("UPDATE projector SET position=$1 WHERE position<$1", seq);
      db->commit();
      {
        std::lock_guard lock(mutex);
        done = seq;
      }
      changed.notify_all();
      if (seq - said >= 100'000 && seq < journal.size()) {
        log_info("views", "rebuilding: {} of {} entries", seq, journal.size());
        said = seq;
      }
    }
  }

  const std::string path;
  Journal& journal;
  ReadPool readers;
  std::unique_ptr<Database> db;  // the projecting thread's
  std::vector<Projector*> projectors;
  std::vector<std::uint64_t> positions;  // where each began; entries before are in its tables
  std::atomic<std::uint64_t> done{0};
  std::atomic<bool> stopping{false};
  std::mutex mutex;
  std::condition_variable changed;
  std::thread thread;
};

Views::Views(std::string path, Journal& journal)
    : impl_(std::make_unique<Impl>(std::move(path), journal)) {}
Views::~Views() { stop(); }

void Views::attach(Projector& projector) {
  CW_CHECK(!impl_->db);
  impl_->projectors.push_back(&projector);
}

void Views::start() {
  impl_->open();
  impl_->thread = start_thread("views", [this] {
    try {
      impl_->follow();
    } catch (const std::exception& e) {
      // Lists stand still and say so (reads answer 503); the journal goes on.
      log_error("views", "the read models stopped: {}", e.what());
    }
  });
}

void Views::stop() {
  impl_->stopping = true;
  if (impl_->thread.joinable()) impl_->thread.join();
}

Status Views::read(std::uint64_t size, const std::function<void(Database&)>& f) {
  if (impl_->done < size) {
    std::unique_lock lock(impl_->mutex);
    if (!impl_->changed.wait_for(lock, kOwnWritesWait, [&] { return impl_->done >= size; })) {
      Problem p = problem(Refusal::unavailable, "views.behind",
                          {"列表正在更新，请稍后重试",
                           "The lists are still being brought up to date; try again shortly"});
      p.retry_after_s = 2;
      return p;
    }
  }
  impl_->readers.with([&](Database& db) { f(db); });
  return done();
}

std::uint64_t Views::position() const { return impl_->done; }

}  // namespace cw
