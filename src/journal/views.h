// Read models: a database of their own that follows the journal and can be deleted at any time;
// it is rebuilt at the next start. Views hold facts only. Lists with filters and paging read here.
//
//   Views views(path, journal);
//   views.attach(case_list);                       // Projectors, before start()
//   views.start();
//   views.read(seen_size, [&](Database& db) { db.query("SELECT …", …); });
//
// Thread-safety: read is safe from any thread (a small pool of read-only connections).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "journal/journal.h"

namespace cw {

class Projector {
 public:
  virtual ~Projector() = default;
  virtual std::string_view name() const = 0;
  virtual int version() const { return 1; }   // another version rebuilds its tables from entry 0
  virtual const char* schema() const = 0;     // CREATE TABLE IF NOT EXISTS …
  virtual void drop(Database& db) const = 0;  // for a rebuild
  virtual void project(const Entry& entry,
                       Database& db) = 0;  // on the projecting thread, in a transaction
};

class Views {
 public:
  Views(std::string path, Journal& journal);
  ~Views();
  void attach(Projector& projector);  // before start()
  void start();
  void stop();
  // Waits (at most 5 s) until the views have seen `size` entries, so that everyone reads their own
  // writes, then runs `f`. `unavailable` when the views are too far behind (a rebuild is going on).
  Status read(std::uint64_t size, const std::function<void(Database&)>& f);
  std::uint64_t position() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cw
