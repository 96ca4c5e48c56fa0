// The event store: one SQLite file a day (of reception, UTC), events in compressed blocks, and for
// each block the hashes of the normalised values in it, so that a search opens few blocks. Written
// by one thread, read by any; Thread-safe. Rebuildable data: without full sync. Failures of the
// environment are StorageError.
//
//   EventStore store(folder, 190);
//   store.add(event, line, received_ms);  store.flush();
//   store.scan(from_ms, to_ms, keys, source, [&](const StoredEvent& e) { return true; });
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "storage/storage.h"
#include "watch.h"

namespace cw::watch {

class EventStore {
 public:
  static constexpr std::size_t kBlockEvents = 1024;
  static constexpr std::size_t kBlockBytes = 512 * 1024;

  EventStore(std::string folder, std::int64_t retention_days);
  ~EventStore();

  // Copies the event into the block being filled; writes it when it is full.
  void add(const detect::Event& event, std::string_view line, std::int64_t received_ms);
  void flush();
  void expire(std::int64_t now_ms);  // removes days older than the retention

  // Calls `each` for stored events with from ≤ time < to, block by block in order of reception (or
  // the reverse), until it returns false. `keys` and `source` only choose blocks: filter events
  // too.
  void scan(std::int64_t from_ms, std::int64_t to_ms, const Entities& keys, std::string_view source,
            bool newest_first, const std::function<bool(const StoredEvent&)>& each);

  struct Counts {
    std::uint64_t in = 0, out = 0, refused = 0;
  };
  Counts counts() const;

 private:
  void write_block();
  std::vector<std::string> days(std::int64_t from_ms) const;
  bool scan_day(const std::string& day, std::int64_t from_ms, std::int64_t to_ms,
                const Entities& keys, std::string_view source, bool newest_first,
                const std::function<bool(const StoredEvent&)>& each) const;

  const std::string folder_;
  const std::int64_t retention_days_;
  mutable std::mutex mutex_;
  std::unique_ptr<Database> today_;
  std::string today_name_;
  std::string raw_;  // the block being filled
  std::size_t raw_events_ = 0;
  std::string raw_day_;
  std::int64_t raw_day_number_ = -1;
  std::int64_t first_ms_ = 0, last_ms_ = 0;
  std::unordered_set<std::uint32_t> raw_keys_;
  Counts counts_;
};

}  // namespace cw::watch
