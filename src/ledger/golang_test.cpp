// Our exported log against golang.org/x/mod/sumdb, which knows nothing of us.
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>

#include "ledger_testing.h"

namespace cw {
namespace {

namespace fs = std::filesystem;

struct Ran {
  int code = -1;
  std::string output;  // both streams
};

Ran run(const std::string& command) {
  Ran out;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return out;
  char block[4096];
  while (std::size_t n = std::fread(block, 1, sizeof block, pipe)) out.output.append(block, n);
  int status = ::pclose(pipe);
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return out;
}

TEST(GoTlog, VerifiesWhatWeExportAndRefusesWhatWasAltered) {
  const std::string gopath = "/usr/share/gocode";
  if (run("go version").code != 0) GTEST_SKIP() << "there is no Go compiler on the PATH";
  if (!fs::exists(gopath + "/src/golang.org/x/mod/sumdb/tlog"))
    GTEST_SKIP() << "golang-golang-x-mod-dev is not installed";
  TemporaryFolder folder;
  std::string tool = folder / "verify_log";
  // Without a home Go has no place for its cache.
  std::string cache =
      std::getenv("HOME") || std::getenv("GOCACHE") ? "" : "GOCACHE=" + (folder / "go");
  Ran built = run("GO111MODULE=off GOFLAGS= GOTOOLCHAIN=local GOPATH=" + gopath + " " + cache +
                  " go build -o " + tool + " " CW_SOURCE_DIR "/tests/golang/verify_log/main.go");
  ASSERT_EQ(built.code, 0) << built.output;

  MemorySource source(0);
  auto ledger = open_ledger(folder, source);
  ASSERT_TRUE(ledger);
  std::string older = folder / "copy1/checkpoint";
  for (std::uint64_t size : {1, 256, 700, 66'000}) {
    source.grow(size);
    ASSERT_TRUE((*ledger)->advance());
    std::string copy = folder / ("copy" + std::to_string(size));
    ASSERT_TRUE((*ledger)->export_to(copy));
    write_file(folder / "one.tlog-proof", *(*ledger)->prove(size - 1));
    std::string arguments =
        copy + " " + (*ledger)->verifier_key() + " " + (folder / "one.tlog-proof") + " " + older;
    older = copy + "/checkpoint";
    Ran good = run(tool + " " + arguments);
    EXPECT_EQ(good.code, 0) << good.output;
    EXPECT_NE(good.output.find("verified " + std::to_string(size) + " entries"), std::string::npos)
        << good.output;
    EXPECT_NE(good.output.find(source.entries.back()), std::string::npos) << good.output;
    EXPECT_NE(good.output.find("verified growth"), std::string::npos) << good.output;
  }

  std::string bundle = folder / "copy700/tile/entries/001";
  std::string bytes = read_file(bundle);
  bytes[10] ^= 1;
  write_file(bundle, bytes);
  Ran bad = run(tool + " " + (folder / "copy700") + " " + (*ledger)->verifier_key());
  EXPECT_EQ(bad.code, 1);
  EXPECT_NE(bad.output.find("entry 256"), std::string::npos) << bad.output;
}

}  // namespace
}  // namespace cw
