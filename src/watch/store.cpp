#include "store.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <stdexcept>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "storage/file.h"

namespace cw::watch {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::size_t kKeyMax = 256;  // longer values are not indexed
// Which fields are indexed; "source" is the source's id.
constexpr std::array<std::string_view, 6> kKeys{
    "source.address", "account", "event.action", "host.name", "destination.number", "service"};

std::string day_of(std::int64_t ms) { return to_rfc3339(ms).substr(0, 10); }

void put(std::string& out, std::uint64_t n) {
  while (n >= 128) {
    out += static_cast<char>(n | 128);
    n >>= 7;
  }
  out += static_cast<char>(n);
}
void put(std::string& out, std::string_view text) {
  put(out, text.size());
  out += text;
}

// Reads what put wrote; a damaged block is an environment failure.
struct Taker {
  std::string_view s;
  std::uint64_t number() {
    std::uint64_t n = 0;
    for (int shift = 0; shift < 64 && !s.empty(); shift += 7) {
      auto byte = static_cast<unsigned char>(s.front());
      s.remove_prefix(1);
      n |= std::uint64_t{byte & 127u} << shift;
      if (byte < 128) return n;
    }
    throw StorageError(StorageError::Kind::corrupt, "a block of stored events is damaged");
  }
  std::string_view text() {
    std::uint64_t size = number();
    if (size > s.size()) {
      throw StorageError(StorageError::Kind::corrupt, "a block of stored events is damaged");
    }
    std::string_view out = s.substr(0, size);
    s.remove_prefix(size);
    return out;
  }
};

std::string deflate_block(std::string_view raw) {
  uLongf size = compressBound(raw.size());
  std::string out(size, '\0');
  int code = compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                       reinterpret_cast<const Bytef*>(raw.data()), raw.size(), Z_BEST_SPEED);
  if (code != Z_OK) throw std::runtime_error("zlib cannot compress");
  out.resize(size);
  return out;
}

std::string inflate_block(std::string_view box, std::size_t raw_size) {
  std::string out(raw_size, '\0');
  uLongf size = raw_size;
  int code = uncompress(reinterpret_cast<Bytef*>(out.data()), &size,
                        reinterpret_cast<const Bytef*>(box.data()), box.size());
  if (code != Z_OK || size != raw_size) {
    throw StorageError(StorageError::Kind::corrupt, "a block of stored events is damaged");
  }
  return out;
}

StoredEvent take_event(Taker& t) {
  StoredEvent e;
  e.at_ms = static_cast<std::int64_t>(t.number());
  e.received_ms = static_cast<std::int64_t>(t.number());
  for (std::string* part : {&e.source, &e.product, &e.service, &e.category, &e.line}) {
    *part = t.text();
  }
  std::uint64_t count = t.number();
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string_view name = t.text();
    e.fields.emplace_back(name, t.text());
  }
  return e;
}

}  // namespace

EventStore::EventStore(std::string folder, std::int64_t retention_days)
    : folder_(std::move(folder)), retention_days_(retention_days) {
  make_folders(folder_, 0700);
}

EventStore::~EventStore() {
  try {
    flush();
  } catch (const std::exception& e) {
    log_error("watch", "the last events could not be stored: {}", e.what());
  }
}

void EventStore::index(std::size_t key, std::string_view name, std::string_view value) {
  if (value.size() > kKeyMax || (last_keys_[key] == value && !value.empty())) return;
  last_keys_[key] = value;
  raw_keys_.emplace(name, value);
}

void EventStore::add(const detect::Event& event, std::string_view line, std::int64_t received_ms) {
  std::lock_guard lock(mutex_);
  ++counts_.in;
  bool other_day = received_ms / kDayMs != raw_day_number_;
  if (other_day || raw_events_ >= kBlockEvents || raw_.size() >= kBlockBytes) write_block();
  if (other_day) {
    raw_day_number_ = received_ms / kDayMs;
    raw_day_ = day_of(received_ms);
  }
  if (raw_events_ == 0) first_ms_ = last_ms_ = event.time_ms;
  first_ms_ = std::min(first_ms_, event.time_ms);
  last_ms_ = std::max(last_ms_, event.time_ms);
  ++raw_events_;
  put(raw_, static_cast<std::uint64_t>(event.time_ms));
  put(raw_, static_cast<std::uint64_t>(received_ms));
  put(raw_, event.source);
  put(raw_, event.logsource.product);
  put(raw_, event.logsource.service);
  put(raw_, event.logsource.category);
  put(raw_, line);
  put(raw_, event.fields.size());
  index(kKeys.size(), "source", event.source);
  for (const detect::Field& f : event.fields) {
    put(raw_, f.name);
    put(raw_, f.value);
    auto key =
        static_cast<std::size_t>(std::find(kKeys.begin(), kKeys.end(), f.name) - kKeys.begin());
    if (key < kKeys.size()) index(key, f.name, f.value);
  }
}

void EventStore::write_block() {
  if (raw_events_ == 0) return;
  try {
    if (!today_ || today_name_ != raw_day_) {
      today_ = std::make_unique<Database>(
          folder_ + "/events-" + raw_day_ + ".db",
          DatabaseOptions{.create = true, .full_sync = false, .cache_kib = 2048});
      today_->exec(
          "CREATE TABLE IF NOT EXISTS block(id INTEGER PRIMARY KEY, first_ms INTEGER NOT NULL,"
          "last_ms INTEGER NOT NULL, events INTEGER NOT NULL, raw_size INTEGER NOT NULL,"
          "bytes BLOB NOT NULL) STRICT;"
          "CREATE INDEX IF NOT EXISTS block_time ON block(first_ms, last_ms);"
          "CREATE TABLE IF NOT EXISTS key(name TEXT NOT NULL, value TEXT NOT NULL,"
          "block INTEGER NOT NULL, PRIMARY KEY(name, value, block)) STRICT, WITHOUT ROWID;");
      today_name_ = raw_day_;
    }
    today_->begin();
    today_->run("INSERT INTO block(first_ms,last_ms,events,raw_size,bytes) VALUES($1,$2,$3,$4,$5)",
                first_ms_, last_ms_, raw_events_, raw_.size(), Blob{deflate_block(raw_)});
    std::int64_t id = 0;
    today_->query("SELECT max(id) FROM block", [&](const Row& r) { id = r.integer(0); });
    for (const auto& [name, value] : raw_keys_) {
      today_->run("INSERT INTO key VALUES($1,$2,$3)", name, value, id);
    }
    today_->commit();
    counts_.out += raw_events_;
  } catch (const StorageError& e) {
    // Detection and alerts go on without the store; what is lost is counted.
    if (today_) today_->rollback();
    today_.reset();
    if (counts_.refused == 0) log_error("watch", "events cannot be stored: {}", e.what());
    counts_.refused += raw_events_;
  }
  raw_.clear();
  raw_keys_.clear();
  last_keys_.fill({});
  raw_events_ = 0;
}

void EventStore::flush() {
  std::lock_guard lock(mutex_);
  write_block();
}

std::vector<std::string> EventStore::days(std::int64_t from_ms) const {
  // An event lies in the file of the day it was received: never before it happened, but for clocks
  // that run ahead by at most a day.
  std::string first = day_of(std::max<std::int64_t>(0, from_ms - kDayMs));
  std::vector<std::string> out;
  for (const auto& f : std::filesystem::directory_iterator(folder_)) {
    std::string name = f.path().filename().string();
    if (name.size() != 20 || !name.starts_with("events-") || !name.ends_with(".db")) continue;
    if (std::string day = name.substr(7, 10); day >= first) out.push_back(day);
  }
  std::sort(out.begin(), out.end());
  return out;
}

void EventStore::expire(std::int64_t now_ms) {
  std::string oldest = day_of(std::max<std::int64_t>(0, now_ms - retention_days_ * kDayMs));
  for (const std::string& day : days(0)) {
    if (day >= oldest) break;
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(folder_ + "/events-" + day + ".db" + suffix);
    }
  }
}

bool EventStore::scan_day(const std::string& day, std::int64_t from_ms, std::int64_t to_ms,
                          const Entities& keys, std::string_view source, bool newest_first,
                          const std::function<bool(const StoredEvent&)>& each) const {
  Database db(folder_ + "/events-" + day + ".db", {.read_only = true});
  std::string sql = "SELECT id, raw_size, bytes FROM block WHERE last_ms>=$1 AND first_ms<$2";
  std::vector<Param> args{from_ms, to_ms};
  auto need = [&](std::string_view name, std::string_view value) {
    std::string n = std::to_string(args.size() + 1), v = std::to_string(args.size() + 2);
    sql += " AND EXISTS(SELECT 1 FROM key WHERE name=$" + n + " AND value=$" + v +
           " AND key.block=block.id)";
    args.push_back(name);
    args.push_back(value);
  };
  if (!source.empty()) need("source", source);
  for (const auto& [name, value] : keys) {
    if (value.size() <= kKeyMax && std::find(kKeys.begin(), kKeys.end(), name) != kKeys.end()) {
      need(name, value);
    }
  }
  // Block by block, so that a scan holds one block in memory and no statement while `each` runs.
  std::string next = newest_first ? " AND id<$" : " AND id>$";
  next += std::to_string(args.size() + 1) + " ORDER BY id " + (newest_first ? "DESC" : "ASC") +
          " LIMIT 1";
  args.push_back(newest_first ? INT64_MAX : std::int64_t{-1});
  while (true) {
    std::string raw;
    bool found = false;
    std::function<void(const Row&)> row = [&](const Row& r) {
      found = true;
      args.back() = r.integer(0);
      raw = inflate_block(r.text(2), static_cast<std::size_t>(r.integer(1)));
    };
    db.execute(sql + next, args, &row);
    if (!found) return true;
    std::vector<StoredEvent> events;
    for (Taker t{raw}; !t.s.empty();) {
      StoredEvent e = take_event(t);
      if (e.at_ms >= from_ms && e.at_ms < to_ms) events.push_back(std::move(e));
    }
    if (newest_first) std::reverse(events.begin(), events.end());
    for (const StoredEvent& e : events) {
      if (!each(e)) return false;
    }
  }
}

void EventStore::scan(std::int64_t from_ms, std::int64_t to_ms, const Entities& keys,
                      std::string_view source, bool newest_first,
                      const std::function<bool(const StoredEvent&)>& each) {
  flush();
  std::vector<std::string> all = days(from_ms);
  if (newest_first) std::reverse(all.begin(), all.end());
  for (const std::string& day : all) {
    if (!scan_day(day, from_ms, to_ms, keys, source, newest_first, each)) return;
  }
}

EventStore::Counts EventStore::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace cw::watch
