#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "api_testing.h"

// A server whose content/ has a mistake does not start, says where, and leaves no record behind.
namespace cw {
namespace {

namespace fs = std::filesystem;

class BadContent : public ::testing::Test {
 protected:
  BadContent() {
    char name[] = "/tmp/cw-content-XXXXXX";
    folder_ = ::mkdtemp(name);
    fs::copy(fs::path(CW_SOURCE_DIR) / "content", folder_ / "content", fs::copy_options::recursive);
  }
  ~BadContent() override { fs::remove_all(folder_); }

  void write(const std::string& file, const std::string& text) {
    std::ofstream(folder_ / "content" / file, std::ios::binary) << text;
  }
  Status start() {
    InstallationOptions options = options_for_tests((folder_ / "data").string());
    options.content = folder_ / "content";
    Installation in(options, clock_, random_);
    auto opened = in.open();
    in.stop();
    return opened;
  }

  fs::path folder_;
  ManualClock clock_{1'795'305'600'000};
  SystemRandom random_;
};

TEST_F(BadContent, IsRefusedWithFileLineAndColumnAndNothingIsBegun) {
  std::string bomb = "procedure: bomb\nversion: 1\na: &a [x, x]\n";
  for (char c = 'b'; c < 'z'; ++c)
    bomb += std::string(1, c) + ": [*" + char(c - 1) + ", *" + char(c - 1) + "]\n";
  const std::pair<const char*, std::string> cases[] = {
      {"procedures/zz.yaml", "procedure: zz\nversion: 1\nversion: 2\n"},
      {"procedures/zz.yaml", "procedure: zz\nversion: {a: 1}\nstates: []\n"},
      {"procedures/zz.yaml", bomb},
      {"procedures/zz.yaml", "procedure: zz\n" + std::string(10 << 20, '#')},
      {"procedures/zz.yaml", std::string("\x00\xff\xfe", 3)},
      {"forms/zz.yaml", "form: zz\nversion: 1\ntype: object\nproperties: {n: {type: integer}}\n"},
      {"calendars/zz.yaml", "calendar: zz\nzone: Mars/Olympus\n"},
      {"regulations/zz.yaml", "regulation: zz\nlimits: 3\n"},
  };
  for (const auto& [file, text] : cases) {
    write(file, text);
    auto refused = start();
    ASSERT_FALSE(refused) << file;
    const Problem& p = refused.problem();
    EXPECT_EQ(p.code, "content.mistakes");
    ASSERT_FALSE(p.fields.empty());
    EXPECT_THAT(p.fields[0].pointer,
                ::testing::ContainsRegex("content/" + std::string(file) + ":[0-9]+:[0-9]+$"));
    EXPECT_FALSE(p.fields[0].text.zh.empty() || p.fields[0].text.en.empty());
    EXPECT_FALSE(fs::exists(folder_ / "data/journal.db")) << file;
    fs::remove(folder_ / "content" / file);
  }
  auto opened = start();
  EXPECT_TRUE(opened.ok()) << (opened ? "" : opened.problem().text.en);
}

}  // namespace
}  // namespace cw
