#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "storage/file.h"
#include "storage/storage.h"

namespace cw {
namespace {

class StorageTest : public ::testing::Test {
 protected:
  StorageTest() {
    char name[] = "/tmp/cw-storage-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~StorageTest() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
};

TEST_F(StorageTest, KeepsWholeIntegersTextAndBytes) {
  Database db(folder_ + "/a.db", {.create = true});
  db.exec("CREATE TABLE t(i INTEGER, r REAL, s TEXT, b BLOB) STRICT");
  std::string bytes("\0\xFFx", 3);
  db.run("INSERT INTO t VALUES($1,$2,$3,$4)", std::int64_t{9007199254740993}, 0.5, "呼安",
         Blob{bytes});
  db.run("INSERT INTO t VALUES($1,$2,$3,$4)", nullptr, nullptr, "", Blob{""});
  int rows = 0;
  db.query("SELECT i,r,s,b FROM t ORDER BY i IS NULL", [&](const Row& row) {
    if (rows++ == 0) {
      EXPECT_EQ(row.integer(0), 9007199254740993);
      EXPECT_EQ(row.text(2), "呼安");
      EXPECT_EQ(row.text(3), bytes);
    } else {
      EXPECT_TRUE(row.null(0));
      EXPECT_FALSE(row.null(2));
    }
  });
  EXPECT_EQ(rows, 2);
}

TEST_F(StorageTest, RolledBackWorkIsGoneAndCommittedWorkStays) {
  Database db(folder_ + "/a.db", {.create = true});
  db.exec("CREATE TABLE t(i INTEGER) STRICT");
  db.begin();
  db.run("INSERT INTO t VALUES($1)", 1);
  db.rollback();
  db.begin();
  db.run("INSERT INTO t VALUES($1)", 2);
  db.commit();
  Database reader(folder_ + "/a.db", {.read_only = true});
  reader.query("SELECT i FROM t", [](const Row& row) { EXPECT_EQ(row.integer(0), 2); });
}

TEST_F(StorageTest, FailuresSayTheirKind) {
  Database db(folder_ + "/a.db", {.create = true});
  db.exec("CREATE TABLE t(i INTEGER PRIMARY KEY) STRICT");
  db.run("INSERT INTO t VALUES($1)", 1);
  try {
    db.run("INSERT INTO t VALUES($1)", 1);
    FAIL();
  } catch (const StorageError& e) {
    EXPECT_EQ(e.kind(), StorageError::Kind::constraint);
  }
  write_file_atomic(folder_ + "/junk", std::string(4096, 'x'));
  EXPECT_THROW(Database(folder_ + "/junk", {}), StorageError);
}

TEST_F(StorageTest, MigrationsRunOnce) {
  Database db(folder_ + "/a.db", {.create = true});
  db.migrate({"CREATE TABLE a(i INTEGER) STRICT"});
  db.migrate({"CREATE TABLE a(i INTEGER) STRICT", "CREATE TABLE b(i INTEGER) STRICT"});
  db.run("INSERT INTO b VALUES($1)", 1);
  EXPECT_EQ(db.changes(), 1);
}

TEST_F(StorageTest, FilesAreReplacedWholeWithTheirMode) {
  EXPECT_EQ(read_file(folder_ + "/f"), std::nullopt);
  write_file_atomic(folder_ + "/f", "old");
  write_file_atomic(folder_ + "/f", "new", 0600);
  EXPECT_EQ(read_file(folder_ + "/f"), "new");
  struct stat s;
  ASSERT_EQ(::stat((folder_ + "/f").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0600u);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/f.new"));
  make_folders(folder_ + "/x/y/z");
  EXPECT_TRUE(std::filesystem::is_directory(folder_ + "/x/y/z"));
  EXPECT_GT(free_bytes(folder_), 0);
}

}  // namespace
}  // namespace cw
