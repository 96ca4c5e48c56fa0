#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "sealed/sealed.h"
#include "storage/file.h"

namespace cw {
namespace {

class SealedTest : public ::testing::Test {
 protected:
  SealedTest() {
    char name[] = "/tmp/cw-sealed-XXXXXX";
    folder_ = ::mkdtemp(name);
    path_ = folder_ + "/j.db";
    db_.emplace(path_, DatabaseOptions{.create = true});
    db_->exec(Sealed::schema());
    sealed_ = reopen();
  }
  ~SealedTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Sealed> reopen() {
    return std::make_unique<Sealed>(path_, *root_key_file(folder_ + "/root.key", random_), random_);
  }
  std::string keep(const std::string& owner, const std::string& text) {
    SealedContent c = sealed_->seal(owner, text);
    db_->begin();
    c.write(*db_);
    db_->commit();
    return c.commitment;
  }
  std::string database_bytes() {
    db_->exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return *read_file(path_);
  }

  std::string folder_, path_;
  SystemRandom random_;
  std::optional<Database> db_;
  std::unique_ptr<Sealed> sealed_;
};

TEST_F(SealedTest, ContentsOpenAgainAfterARestart) {
  std::string a = keep("cas_1", "客户 13800005678 投诉");
  std::string b = keep("cas_1", "");
  sealed_ = reopen();
  EXPECT_EQ(*sealed_->open(a), "客户 13800005678 投诉");
  EXPECT_EQ(*sealed_->open(b), "");
  EXPECT_EQ(sealed_->open("hmac-sha256:00").problem().code, "sealed.unknown");
}

TEST_F(SealedTest, EqualTextsHaveDifferentCommitmentsAndNothingIsReadableOnDisk) {
  std::set<std::string> seen;
  for (int i = 0; i < 20; ++i) seen.insert(keep("cas_1", "13800005678"));
  EXPECT_EQ(seen.size(), 20u);
  EXPECT_EQ(database_bytes().find("13800005678"), std::string::npos);
}

TEST_F(SealedTest, DestroyingAnOwnerErasesAllOfItAndNothingElse) {
  std::string mine = keep("cas_1", "to be forgotten"), other = keep("cas_2", "stays");
  std::string wrapped;
  db_->query("SELECT wrapped FROM sealed_key WHERE owner='cas_1'",
             [&](const Row& row) { wrapped = row.text(0); });
  ASSERT_NE(database_bytes().find(wrapped), std::string::npos);
  db_->begin();
  sealed_->destroy("cas_1")(*db_);
  db_->commit();
  EXPECT_EQ(sealed_->open(mine).problem().code, "sealed.destroyed");
  EXPECT_EQ(*sealed_->open(other), "stays");
  EXPECT_EQ(database_bytes().find(wrapped), std::string::npos)
      << "the wrapped key is still on disk";
  EXPECT_THROW(sealed_->seal("cas_1", "x"), std::runtime_error);
}

TEST_F(SealedTest, ABoxMovedToAnotherOwnerOrRowDoesNotOpen) {
  std::string a = keep("cas_1", "a"), b = keep("cas_1", "b"), c = keep("cas_2", "c");
  db_->run(
      "UPDATE sealed_content SET box=(SELECT box FROM sealed_content WHERE commitment=$1) WHERE "
      "commitment=$2",
      a, b);
  EXPECT_THROW((void)sealed_->open(b), std::runtime_error);
  db_->run("UPDATE sealed_content SET owner='cas_1' WHERE commitment=$1", c);
  EXPECT_THROW((void)sealed_->open(c), std::runtime_error);
}

TEST_F(SealedTest, TwoSealsBeforeTheFirstCommitShareOneKey) {
  SealedContent a = sealed_->seal("cas_9", "first"), b = sealed_->seal("cas_9", "second");
  b.write(*db_);
  a.write(*db_);
  sealed_ = reopen();
  EXPECT_EQ(*sealed_->open(a.commitment), "first");
  EXPECT_EQ(*sealed_->open(b.commitment), "second");
}

TEST_F(SealedTest, ARootKeyThatOthersCanReadIsRefused) {
  std::string path = folder_ + "/root.key";
  struct stat s;
  ASSERT_EQ(::stat(path.c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0600u);
  ::chmod(path.c_str(), 0640);
  EXPECT_EQ(root_key_file(path, random_).problem().code, "sealed.root-key-mode");
  write_file_atomic(path, "short", 0600);
  EXPECT_EQ(root_key_file(path, random_).problem().code, "sealed.root-key-size");
}

}  // namespace
}  // namespace cw
