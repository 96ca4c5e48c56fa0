// The database: one connection, cached statements, transactions. SQLite now; the face holds
// nothing that PostgreSQL could not serve ($1 parameters, no rowid tricks in callers).
// A Database is used by one thread at a time. Failures of the environment are storage::Error.
//
//   Database db(path, {.create = true});
//   db.exec("CREATE TABLE IF NOT EXISTS t(k INTEGER PRIMARY KEY, v TEXT) STRICT");
//   db.run("INSERT INTO t VALUES($1,$2)", 7, "x");
//   db.query("SELECT v FROM t WHERE k=$1", [&](const Row& r) { use(r.text(0)); }, 7);
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cw {

class StorageError : public std::runtime_error {
 public:
  enum class Kind { full, busy, constraint, corrupt, other };
  StorageError(Kind kind, const std::string& what) : std::runtime_error(what), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

// A parameter. Text is UTF-8; Blob is bytes. Views must live until the call returns.
struct Blob {
  std::string_view bytes;
};
using Param = std::variant<std::nullptr_t, std::int64_t, double, std::string_view, Blob>;

// One row of a result; valid inside the callback only.
class Row {
 public:
  explicit Row(void* statement) : statement_(statement) {}
  bool null(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string_view text(int column) const;  // also for blobs: the bytes

 private:
  void* statement_;
};

struct DatabaseOptions {
  bool create = false;
  bool read_only = false;
  bool full_sync = true;  // synchronous=FULL; false only for what can be rebuilt
  int cache_kib = 4096;
  int busy_timeout_ms = 5000;
  bool checkpoints = true;  // false: what is committed stays in the log until checkpoint()
};

class Database {
 public:
  Database(const std::string& path, DatabaseOptions options);
  ~Database();
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;

  void exec(const std::string& sql);  // several statements, no parameters

  template <typename... A>
  void run(std::string_view sql, const A&... args) {
    execute(sql, {to_param(args)...}, nullptr);
  }
  template <typename... A>
  void query(std::string_view sql, const std::function<void(const Row&)>& each, const A&... args) {
    execute(sql, {to_param(args)...}, &each);
  }
  // For lists built at run time.
  void execute(std::string_view sql, const std::vector<Param>& args,
               const std::function<void(const Row&)>* each);

  std::int64_t changes() const;  // rows touched by the last statement

  void begin();     // BEGIN IMMEDIATE
  void commit();    // durable on return when full_sync
  void rollback();  // never throws; does nothing outside a transaction

  // Pages in the write-ahead log as of this connection's last commit, where it makes no
  // checkpoints of its own; else 0.
  std::size_t log_pages() const;
  // Moves what is committed from the log into the database and syncs it; another connection may
  // commit meanwhile. Does nothing while another one checkpoints. A log that was moved as a whole
  // is begun anew by the next commit.
  void checkpoint();

  // Applies each (version, sql) not yet applied, in order, each in a transaction.
  void migrate(const std::vector<std::string>& steps);

  static Param to_param(std::nullptr_t) { return nullptr; }
  static Param to_param(bool v) { return std::int64_t(v); }
  template <typename T>
  requires std::is_integral_v<T>
  static Param to_param(T v) { return static_cast<std::int64_t>(v); }
  static Param to_param(double v) { return v; }
  static Param to_param(const char* v) { return std::string_view(v); }
  static Param to_param(std::string_view v) { return v; }
  static Param to_param(const std::string& v) { return std::string_view(v); }
  static Param to_param(Blob v) { return v; }
  static Param to_param(Param v) { return v; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A few connections to one database for threads that only read. Thread-safe.
//
//   pool.with([&](Database& db) { db.query(…); });
class ReadPool {
 public:
  ReadPool(std::string path, std::size_t idle_max) : path_(std::move(path)), idle_max_(idle_max) {}

  template <typename F>
  auto with(F&& f) {
    Lease lease(*this);
    return f(*lease.db);
  }

 private:
  struct Lease {
    explicit Lease(ReadPool& from) : pool(from), db(pool.take()) {}
    ~Lease() { pool.give(std::move(db)); }
    ReadPool& pool;
    std::unique_ptr<Database> db;
  };
  std::unique_ptr<Database> take();
  void give(std::unique_ptr<Database> db);

  const std::string path_;
  const std::size_t idle_max_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Database>> idle_;
};

}  // namespace cw
