#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "cli.h"
#include "files.h"
#include "ledger.h"

namespace cw {
namespace {

namespace fs = std::filesystem;

// What a journal entry looks like, with its number in it.
std::string bench_entry(std::uint64_t n) {
  std::string seq = std::to_string(n);
  return R"({"actor":"per_01k9zq3m5v7x8y9a0b1c2d3e4f","at":179530560)" + seq +
         R"(,"basis":"post:duty-officer","body":{"severity":"II","task":"contain"},"case":)"
         R"("cas_01k9zq3m5v7x8y9a0b1c2d3e4f","command":"cmd_01k9zq3m5v7x8y9a0b1c2d3e4f","kind":)"
         R"("case.act","name":"activate","procedure":"plan.customer-leak@3","seq":)" +
         seq + "}";
}

class BenchSource final : public EntrySource {
 public:
  explicit BenchSource(std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      bytes_ += (entries_.push_back(bench_entry(i)), entries_.back().size());
  }
  std::uint64_t size() override { return entries_.size(); }
  std::vector<std::string> read(std::uint64_t from, std::size_t count) override {
    auto at = entries_.begin() + std::ptrdiff_t(from);
    return {at, at + std::ptrdiff_t(count)};
  }
  const std::vector<std::string>& entries() const { return entries_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::vector<std::string> entries_;
  std::size_t bytes_ = 0;
};

template <typename Work>
double seconds_of(Work&& work) {
  SystemClock clock;
  std::int64_t start = clock.monotonic_ns();
  work();
  return double(clock.monotonic_ns() - start) / 1e9;
}

void plain_copy(const BenchSource& source, const std::string& path) {
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) throw_errno("open " + path);
  std::string block;
  auto flush = [&] {
    if (::write(fd, block.data(), block.size()) != ssize_t(block.size()))
      throw_errno("write " + path);
    block.clear();
  };
  for (const std::string& entry : source.entries()) {
    block += entry;
    if (block.size() > (1 << 20)) flush();
  }
  flush();
  if (::fsync(fd) != 0) throw_errno("fsync " + path);
  ::close(fd);
}

}  // namespace

json::object bench_ledger(std::size_t entries) {
  CW_CHECK(entries > 0);
  std::string folder = (fs::temp_directory_path() / "callwarden-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) throw_errno("mkdtemp");
  BenchSource source(entries);
  SystemRandom random;
  double copy_s = seconds_of([&] { plain_copy(source, folder + "/copy"); });
  double hash_s = seconds_of([&] {
    for (const std::string& entry : source.entries()) (void)sha256(entry);
  });
  std::string log = folder + "/log";
  auto ledger = Ledger::open(
      {.folder = log, .origin = "bench.example", .key_file = folder + "/key"}, source, random);
  CW_CHECK(ledger.ok());
  double append_s = seconds_of([&] { CW_CHECK((*ledger)->advance().ok()); });
  auto files = open_log(log);
  std::string vkey = (*ledger)->verifier_key();
  auto verify = [&](unsigned threads) {
    return seconds_of(
        [&] { CW_CHECK(verify_log(**files, {.key = vkey, .threads = threads}).ok()); });
  };
  double verify_one_s = verify(1), verify_all_s = verify(0);
  double prove_s = seconds_of([&] {
    for (std::uint64_t i = 0; i < 100; ++i) CW_CHECK((*ledger)->prove(i * (entries - 1) / 99).ok());
  });
  ledger->reset();
  fs::remove_all(folder);
  auto rate = [&](double s) { return std::int64_t(double(entries) / s); };
  return {{"entries", entries},
          {"bytes", source.bytes()},
          {"append_s", append_s},
          {"append_per_s", rate(append_s)},
          {"verify_one_thread_s", verify_one_s},
          {"verify_s", verify_all_s},
          {"verify_per_s", rate(verify_all_s)},
          {"prove_ms", prove_s * 10},
          {"plain_copy_s", copy_s},
          {"plain_copy_per_s", rate(copy_s)},
          {"raw_sha256_s", hash_s},
          {"raw_sha256_per_s", rate(hash_s)}};
}

}  // namespace cw
