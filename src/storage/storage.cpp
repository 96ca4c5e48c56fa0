#include "storage.h"

#include <sqlite3.h>

#include <charconv>
#include <unordered_map>

#include "base/check.h"

namespace cw {
namespace {

StorageError::Kind kind_of(int code) {
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return StorageError::Kind::full;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return StorageError::Kind::busy;
    case SQLITE_CONSTRAINT:
      return StorageError::Kind::constraint;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return StorageError::Kind::corrupt;
    default:
      return StorageError::Kind::other;
  }
}

sqlite3_stmt* as_statement(void* p) { return static_cast<sqlite3_stmt*>(p); }

}  // namespace

bool Row::null(int column) const {
  return sqlite3_column_type(as_statement(statement_), column) == SQLITE_NULL;
}
std::int64_t Row::integer(int column) const {
  return sqlite3_column_int64(as_statement(statement_), column);
}
double Row::real(int column) const {
  return sqlite3_column_double(as_statement(statement_), column);
}
std::string_view Row::text(int column) const {
  const void* bytes = sqlite3_column_blob(as_statement(statement_), column);
  int size = sqlite3_column_bytes(as_statement(statement_), column);
  return bytes ? std::string_view(static_cast<const char*>(bytes), static_cast<std::size_t>(size))
               : std::string_view();
}

struct Database::Impl {
  struct TextHash {  // so that a look-up by string_view makes no string
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };

  sqlite3* handle = nullptr;
  std::size_t log_pages = 0;
  std::unordered_map<std::string, sqlite3_stmt*, TextHash, std::equal_to<>> statements;

  [[noreturn]] void fail(int code, std::string_view doing) const {
    throw StorageError(kind_of(code), std::string(doing) + ": " + sqlite3_errmsg(handle));
  }

  sqlite3_stmt* prepare(std::string_view sql) {
    auto found = statements.find(sql);
    if (found != statements.end()) return found->second;
    if (statements.size() >= 512) {  // texts built at run time must not pile up
      for (auto& [text, statement] : statements) sqlite3_finalize(statement);
      statements.clear();
    }
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v3(handle, sql.data(), static_cast<int>(sql.size()),
                                  SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) fail(code, "prepare");
    CW_CHECK(statement != nullptr);
    statements.emplace(sql, statement);
    return statement;
  }

  ~Impl() {
    for (auto& [text, statement] : statements) sqlite3_finalize(statement);
    sqlite3_close_v2(handle);
  }
};

Database::Database(const std::string& path, DatabaseOptions options)
    : impl_(std::make_unique<Impl>()) {
  int flags = options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (options.create && !options.read_only) flags |= SQLITE_OPEN_CREATE;
  int code = sqlite3_open_v2(path.c_str(), &impl_->handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) impl_->fail(code, "open");
  sqlite3_extended_result_codes(impl_->handle, 1);
  sqlite3_busy_timeout(impl_->handle, options.busy_timeout_ms);
  exec("PRAGMA cache_size=-" + std::to_string(options.cache_kib));
  exec("PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF");
  if (!options.read_only) {
    exec("PRAGMA journal_mode=WAL; PRAGMA secure_delete=ON");
    exec(options.full_sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
    if (!options.checkpoints)
      sqlite3_wal_hook(
          impl_->handle,
          [](void* impl, sqlite3*, const char*, int pages) {
            static_cast<Impl*>(impl)->log_pages = static_cast<std::size_t>(pages);
            return SQLITE_OK;
          },
          impl_.get());
  }
}

Database::~Database() = default;
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;

void Database::exec(const std::string& sql) {
  int code = sqlite3_exec(impl_->handle, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) impl_->fail(code, "exec");
}

void Database::execute(std::string_view sql, const std::vector<Param>& args,
                       const std::function<void(const Row&)>* each) {
  sqlite3_stmt* statement = impl_->prepare(sql);
  // A callback may use the same text again: it gets the cached statement only when it is idle.
  CW_CHECK(!sqlite3_stmt_busy(statement));
  struct Reset {
    sqlite3_stmt* s;
    ~Reset() {
      sqlite3_reset(s);
      sqlite3_clear_bindings(s);
    }
  } reset{statement};
  for (std::size_t i = 0; i < args.size(); ++i) {
    char name[8] = "$";
    std::to_chars(name + 1, name + 7, i + 1).ptr[0] = '\0';
    int at = sqlite3_bind_parameter_index(statement, name);
    CW_CHECK(at > 0);
    int code = std::visit(
        [&](const auto& v) {
          using T = std::decay_t<decltype(v)>;
          if constexpr (std::is_same_v<T, std::nullptr_t>)
            return sqlite3_bind_null(statement, at);
          else if constexpr (std::is_same_v<T, std::int64_t>)
            return sqlite3_bind_int64(statement, at, v);
          else if constexpr (std::is_same_v<T, double>)
            return sqlite3_bind_double(statement, at, v);
          else if constexpr (std::is_same_v<T, std::string_view>)
            return sqlite3_bind_text64(statement, at, v.data() ? v.data() : "", v.size(),
                                       SQLITE_STATIC, SQLITE_UTF8);
          else
            return sqlite3_bind_blob64(statement, at, v.bytes.data() ? v.bytes.data() : "",
                                       v.bytes.size(), SQLITE_STATIC);
        },
        args[i]);
    if (code != SQLITE_OK) impl_->fail(code, "bind");
  }
  for (;;) {
    int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) return;
    if (code != SQLITE_ROW) impl_->fail(code, "step");
    if (each) (*each)(Row(statement));
  }
}

std::int64_t Database::changes() const { return sqlite3_changes64(impl_->handle); }
void Database::begin() { run("BEGIN IMMEDIATE"); }
void Database::commit() { run("COMMIT"); }
void Database::rollback() {
  if (!sqlite3_get_autocommit(impl_->handle))
    sqlite3_exec(impl_->handle, "ROLLBACK", nullptr, nullptr, nullptr);
}

std::size_t Database::log_pages() const { return impl_->log_pages; }

void Database::checkpoint() {
  int code = sqlite3_wal_checkpoint_v2(impl_->handle, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr,
                                       nullptr);
  if (code != SQLITE_OK && kind_of(code) != StorageError::Kind::busy)
    impl_->fail(code, "checkpoint");
}

void Database::migrate(const std::vector<std::string>& steps) {
  std::int64_t version = 0;
  query("PRAGMA user_version", [&](const Row& r) { version = r.integer(0); });
  for (auto i = static_cast<std::size_t>(version); i < steps.size(); ++i) {
    begin();
    try {
      exec(steps[i]);
      exec("PRAGMA user_version=" + std::to_string(i + 1));
      commit();
    } catch (...) {
      rollback();
      throw;
    }
  }
}

std::unique_ptr<Database> ReadPool::take() {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto db = std::move(idle_.back());
      idle_.pop_back();
      return db;
    }
  }
  return std::make_unique<Database>(path_, DatabaseOptions{.read_only = true});
}

void ReadPool::give(std::unique_ptr<Database> db) {
  std::lock_guard lock(mutex_);
  if (idle_.size() < idle_max_) idle_.push_back(std::move(db));
}

}  // namespace cw
