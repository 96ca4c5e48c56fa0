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
// Which fields are indexed; "source" is the source's id.
constexpr std::array<std::string_view, 6> kKeys{
    "source.address", "account", "event.action", "host.name", "destination.number", "service"};

bool is_key(std::string_view name) {
  return std::find(kKeys.begin(), kKeys.end(), name) != kKeys.end();
}

// FNV-1a, 64 bits folded to 32; part of the file's format.
std::uint32_t key_hash(std::string_view name, std::string_view value) {
  std::uint64_t h = 14695981039346656037u;
  auto mix = [&](char c) { h = (h ^ static_cast<unsigned char>(c)) * 1099511628211u; };
  for (char c : name) mix(c);
  mix('\0');
  for (char c : value) mix(c);
  return static_cast<std::uint32_t>(h ^ (h >> 32));
}

// The hashes of a block, sorted, as little-endian bytes.
std::string sorted_bytes(const std::unordered_set<std::uint32_t>& hashes) {
  std::vector<std::uint32_t> all(hashes.begin(), hashes.end());
  std::sort(all.begin(), all.end());
  std::string out;
  out.reserve(all.size() * 4);
  for (std::uint32_t h : all) {
    for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(h >> shift);
  }
  return out;
}

bool holds_all(std::string_view bytes, const std::vector<std::uint32_t>& wanted) {
  auto at = [&](std::size_t i) {
    std::uint32_t h = 0;
    for (std::size_t k = 4; k-- > 0;) h = h << 8 | static_cast<unsigned char>(bytes[i * 4 + k]);
    return h;
  };
  for (std::uint32_t hash : wanted) {
    std::size_t low = 0, high = bytes.size() / 4;
    while (low < high) {
      std::size_t middle = (low + high) / 2;
      if (at(middle) < hash) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == bytes.size() / 4 || at(low) != hash) return false;
  }
  return true;
}

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

// A value that is part of the line is stored as its place there: most are, and the line is long.
// 0 and the text, or its place in the line plus one and its size.
void put_value(std::string& out, std::string_view line, std::string_view value) {
  std::size_t at = value.size() < 4 ? std::string_view::npos : line.find(value);
  if (at == std::string_view::npos) {
    put(out, std::uint64_t{0});
    put(out, value);
  } else {
    put(out, std::uint64_t{at + 1});
    put(out, std::uint64_t{value.size()});
  }
}

std::string_view take_value(Taker& t, std::string_view line) {
  std::uint64_t at = t.number();
  if (at == 0) return t.text();
  std::uint64_t size = t.number();
  if (at - 1 > line.size() || size > line.size() - (at - 1)) {
    throw StorageError(StorageError::Kind::corrupt, "a block of stored events is damaged");
  }
  return line.substr(at - 1, size);
}

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
    e.fields.emplace_back(name, take_value(t, e.line));
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
  raw_keys_.insert(key_hash("source", event.source));
  for (const detect::Field& f : event.fields) {
    put(raw_, f.name);
    put_value(raw_, line, f.value);
    if (is_key(f.name)) raw_keys_.insert(key_hash(f.name, f.value));
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
          "CREATE TABLE IF NOT EXISTS keys(block INTEGER PRIMARY KEY, hashes BLOB NOT NULL) "
          "STRICT;");
      today_name_ = raw_day_;
    }
    today_->begin();
    today_->run("INSERT INTO block(first_ms,last_ms,events,raw_size,bytes) VALUES($1,$2,$3,$4,$5)",
                first_ms_, last_ms_, raw_events_, raw_.size(), Blob{deflate_block(raw_)});
    std::int64_t id = 0;
    today_->query("SELECT max(id) FROM block", [&](const Row& r) { id = r.integer(0); });
    std::string hashes = sorted_bytes(raw_keys_);
    today_->run("INSERT INTO keys VALUES($1,$2)", id, Blob{hashes});
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
  std::vector<std::uint32_t> wanted;
  if (!source.empty()) wanted.push_back(key_hash("source", source));
  for (const auto& [name, value] : keys) {
    if (is_key(name)) wanted.push_back(key_hash(name, value));
  }
  std::vector<std::int64_t> blocks;
  db.query(
      "SELECT id, hashes FROM block JOIN keys ON keys.block=block.id"
      " WHERE last_ms>=$1 AND first_ms<$2 ORDER BY id",
      [&](const Row& r) {
        if (holds_all(r.text(1), wanted)) blocks.push_back(r.integer(0));
      },
      from_ms, to_ms);
  if (newest_first) std::reverse(blocks.begin(), blocks.end());
  for (std::int64_t id : blocks) {  // one block in memory, and no statement while `each` runs
    std::string raw;
    db.query(
        "SELECT raw_size, bytes FROM block WHERE id=$1",
        [&](const Row& r) {
          raw = inflate_block(r.text(1), static_cast<std::size_t>(r.integer(0)));
        },
        id);
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
  return true;
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
