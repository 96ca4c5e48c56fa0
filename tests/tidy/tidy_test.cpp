// The habits of the tree, held by a test: sizes, form, banned words, a README in each module.
#include <gtest/gtest.h>

#include <cctype>
#include <cstdio>
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
        if (!ban.allowed.contains(f.path)) {
          EXPECT_EQ(code.find(ban.what), std::string::npos)
              << f.path << ":" << i + 1 << " " << ban.why;
        }
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
    if (!f.path.starts_with("src/http/")) {
      for (const auto& line : f.lines)
        EXPECT_FALSE(line.starts_with("#include <boost/beast") ||
                     line.starts_with("#include <boost/asio"))
            << f.path;
    }
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

bool is_word_part(unsigned char c) { return std::isalnum(c) != 0 || c == '_'; }

// Whether part of the line lies in a raw text, where nothing can be broken. `end`: what closes the
// one that is open after it.
bool holds_raw_text(const std::string& line, std::string& end) {
  bool raw = !end.empty();
  for (std::size_t at = 0;;) {
    if (!end.empty()) {
      const std::size_t close = line.find(end, at);
      if (close == std::string::npos) return raw;
      at = close + end.size();
      end.clear();
    }
    const std::size_t mark = line.find("R\"", at);
    if (mark == std::string::npos) return raw;
    std::size_t open = mark + 2;
    while (open < line.size() && is_word_part(line[open])) ++open;
    at = open;
    if (open == line.size() || line[open] != '(' || (mark > 0 && is_word_part(line[mark - 1])))
      continue;  // a text that ends in R
    end = ")" + line.substr(mark + 2, open - mark - 2) + "\"";
    raw = true;
  }
}

TEST(Tidy, LinesFitThePage) {
  for (const auto& f : files_below("src", {".cpp", ".h"})) {
    std::string end;
    for (std::size_t i = 0; i < f.lines.size(); ++i)
      EXPECT_LE(code_points_of(f.lines[i]), holds_raw_text(f.lines[i], end) ? 180u : 100u)
          << f.path << ":" << i + 1;
  }
}

// Functions outside classes: in formatted code one begins, and ends, at the left margin. Rows of a
// table do not count.
TEST(Tidy, FunctionsAreShortEnoughToRead) {
  for (const auto& f : files_below("src", {".cpp", ".h"})) {
    std::size_t begin = 0, size = 0;
    std::string end;
    for (std::size_t i = 0; i < f.lines.size(); ++i) {
      const std::string& line = f.lines[i];
      if (holds_raw_text(line, end) || line.empty()) {
        ++size;
        continue;
      }
      if (line == "}") {
        EXPECT_LE(size + 1, 80u) << f.path << ":" << begin + 1;
      }
      if (line[0] != ' ') begin = i, size = 0;
      size += line.find_first_not_of(' ') != line.find("{\"");
    }
  }
}

// An owner takes what is new in the same line: a constructor that make_unique cannot reach.
TEST(Tidy, WhatIsNewHasAnOwner) {
  const auto is_word = [](const std::string& code, std::size_t at, std::size_t size) {
    return (at == 0 || !is_word_part(code[at - 1])) &&
           (at + size == code.size() || !is_word_part(code[at + size]));
  };
  for (const auto& f : files_below("src", {".cpp", ".h"})) {
    std::string end;
    for (std::size_t i = 0; i < f.lines.size(); ++i) {
      if (holds_raw_text(f.lines[i], end) || f.lines[i].starts_with('#')) continue;
      const std::string code = code_of(f.lines[i]);
      for (const std::string word : {"new", "delete"})
        for (std::size_t at = 0; (at = code.find(word, at)) != std::string::npos; ++at) {
          const bool allowed = word == "new" ? code.find("_ptr<") < at : code.find("= delete") < at;
          EXPECT_TRUE(allowed || !is_word(code, at, word.size())) << f.path << ":" << i + 1;
        }
    }
  }
}

// As `./run fmt` leaves them. Another version of clang-format breaks lines elsewhere.
TEST(Tidy, SourcesAreFormatted) {
  const auto told = [](const std::string& command) {
    std::string out;
    FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return std::string("popen failed");
    for (char block[4096]; std::fgets(block, sizeof block, pipe) != nullptr;) out += block;
    ::pclose(pipe);
    return out;
  };
  if (told("clang-format --version").find("version 14.") == std::string::npos)
    GTEST_SKIP() << "clang-format 14 is not installed";
  EXPECT_EQ(
      told("cd '" + kRoot.string() +
           "' && find src tests/fuzz tests/tidy -name '*.cpp' -o -name '*.h' | xargs -P2 -n16 "
           "clang-format --dry-run -Werror"),
      "")
      << "./run fmt repairs it";
}

}  // namespace
