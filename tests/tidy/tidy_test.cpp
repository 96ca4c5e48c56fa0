// The habits of the tree, held by a test: sizes, banned words, a README in each module.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = CW_SOURCE_DIR;

struct File {
  std::string path;  // below the root
  std::vector<std::string> lines;
};

std::vector<File> files_below(const char* folder, const std::set<std::string>& extensions) {
  std::vector<File> out;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
    std::string path = fs::relative(entry.path(), kRoot).string();
    if (path.find("node_modules") != std::string::npos || path.find("/dist/") != std::string::npos)
      continue;
    if (!entry.is_regular_file() || !extensions.contains(entry.path().extension().string()))
      continue;
    File file{path, {}};
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) file.lines.push_back(line);
    out.push_back(std::move(file));
  }
  return out;
}

std::size_t code_points_of(const std::string& line) {
  std::size_t n = 0;
  for (unsigned char c : line) n += (c & 0xC0) != 0x80;
  return n;
}

// A line with its comment and the insides of its texts removed.
std::string code_of(const std::string& line) {
  std::string out;
  bool text = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (text) {
      if (line[i] == '\\')
        ++i;
      else if (line[i] == '"')
        text = false;
    } else if (line[i] == '"') {
      text = true;
    } else if (line[i] == '/' && i + 1 < line.size() && line[i + 1] == '/') {
      break;
    } else {
      out += line[i];
    }
  }
  return out;
}

TEST(Tidy, FilesAreShortEnoughToRead) {
  for (const auto& f : files_below("src", {".cpp", ".h"}))
    EXPECT_LE(f.lines.size(), 560u) << f.path;
  for (const auto& f : files_below("web/src", {".ts", ".vue"}))
    EXPECT_LE(f.lines.size(), 560u) << f.path;
}

TEST(Tidy, TheCoreReadsNoClockAndNoChanceOfItsOwn) {
  struct Ban {
    const char* what;
    const char* why;
    std::set<std::string> allowed;
  };
  const Ban bans[] = {
      {"system_clock::now", "time is handed in", {"src/base/clock.cpp"}},
      {"std::rand", "chance is handed in", {}},
      {"std::regex", "unbounded and slow", {}},
      {"std::endl", "flushes", {"src/server/demo.cpp", "src/server/serve.cpp"}},
      {"using namespace std;", "pollutes", {}},
  };
  for (const auto& f : files_below("src", {".cpp", ".h"})) {
    for (std::size_t i = 0; i < f.lines.size(); ++i) {
      std::string code = code_of(f.lines[i]);
      for (const auto& ban : bans)
        if (!ban.allowed.contains(f.path))
          EXPECT_EQ(code.find(ban.what), std::string::npos)
              << f.path << ":" << i + 1 << " " << ban.why;
      EXPECT_EQ(f.lines[i].find("#include \"../"), std::string::npos) << f.path << ":" << i + 1;
    }
  }
}

TEST(Tidy, NothingIsLeftForLater) {
  const std::string marks[] = {std::string("TO") + "DO", std::string("FIX") + "ME",
                               std::string("HA") + "CK:"};
  for (const char* folder : {"src", "web/src", "tests", "content", "docs"})
    for (const auto& f : files_below(folder, {".cpp", ".h", ".ts", ".vue", ".yaml", ".yml", ".md"}))
      for (std::size_t i = 0; i < f.lines.size(); ++i)
        for (const auto& mark : marks)
          EXPECT_EQ(f.lines[i].find(mark), std::string::npos) << f.path << ":" << i + 1;
}

TEST(Tidy, BeastStaysInsideHttp) {
  for (const auto& f : files_below("src", {".cpp", ".h"}))
    if (!f.path.starts_with("src/http/"))
      for (const auto& line : f.lines)
        EXPECT_FALSE(line.starts_with("#include <boost/beast") ||
                     line.starts_with("#include <boost/asio"))
            << f.path;
}

TEST(Tidy, EveryModuleSaysWhatItIsFor) {
  for (const auto& entry : fs::directory_iterator(kRoot / "src")) {
    if (!entry.is_directory()) continue;
    std::ifstream in(entry.path() / "README.md");
    std::size_t lines = 0;
    for (std::string line; std::getline(in, line);) ++lines;
    EXPECT_GT(lines, 5u) << entry.path().filename();
    EXPECT_LE(lines, 80u) << entry.path().filename();
  }
}

TEST(Tidy, LinesFitThePage) {
  std::size_t long_lines = 0, lines = 0;
  for (const auto& f : files_below("src", {".cpp", ".h"}))
    for (const auto& line : f.lines) {
      ++lines;
      EXPECT_LE(code_points_of(line), 180u) << f.path;
      long_lines += code_points_of(line) > 120;
    }
  EXPECT_LT(long_lines * 10, lines) << "more than a tenth of all lines are over 120 columns";
}

}  // namespace
