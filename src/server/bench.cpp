#include <stdlib.h>

#include <filesystem>
#include <iostream>

#include "bench_service.h"
#include "commands.h"
#include "detect/cli.h"
#include "http/client.h"
#include "ledger/cli.h"
#include "options.h"
#include "procedure/engine.h"
#include "storage/storage.h"

namespace cw {
namespace {

struct TemporaryFolder {
  TemporaryFolder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "callwarden-bench-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  std::string path;
};

// Commands of one entry each from eight threads' worth of submissions, beside a raw append of the
// same bytes at the same batch size in the same run.
json::object bench_journal(std::size_t count) {
  TemporaryFolder folder;
  SystemClock clock;
  SystemRandom random;
  constexpr std::size_t batch = 1024;
  std::vector<std::string> bytes;
  std::int64_t begun, journal_ns;
  {
    Journal journal(
        {.path = folder.path + "/journal.db", .origin = "bench", .queue_max = batch * 4}, clock,
        random);
    journal.open();
    std::atomic<std::size_t> answered{0};
    begun = clock.monotonic_ns();
    for (std::size_t i = 0; i < count; ++i) {
      journal.submit(
          {.vital = true},
          [i](Draft& d) -> Result<json::object> {
            d.append({.actor = "per_00000000000000000000000000",
                      .basis = "post:duty-officer",
                      .kind = "bench.act",
                      .name = "activate",
                      .case_id = "cas_00000000000000000000000000",
                      .procedure = "plan.customer-leak@3",
                      .body = {{"severity", "II"}, {"n", static_cast<std::int64_t>(i)}}});
            return json::object{};
          },
          [&](Result<Answer>) { ++answered; });
    }
    journal.wait_for(count + 1, std::chrono::minutes(10));
    journal_ns = clock.monotonic_ns() - begun;
    bytes = journal.entries(1, count);
  }
  Database raw(folder.path + "/raw.db", {.create = true, .cache_kib = 16'384});
  raw.exec(
      "PRAGMA wal_autocheckpoint=4000; CREATE TABLE entry(seq INTEGER PRIMARY KEY, bytes BLOB NOT "
      "NULL) STRICT");
  begun = clock.monotonic_ns();
  for (std::size_t at = 0; at < bytes.size();) {
    raw.begin();
    for (std::size_t end = std::min(bytes.size(), at + batch); at < end; ++at)
      raw.run("INSERT INTO entry VALUES($1,$2)", at, Blob{bytes[at]});
    raw.commit();
  }
  std::int64_t raw_ns = clock.monotonic_ns() - begun;
  auto rate = [&](std::int64_t ns) {
    return static_cast<std::int64_t>(double(count) * 1e9 / double(std::max<std::int64_t>(ns, 1)));
  };
  return {{"commands", static_cast<std::int64_t>(count)},
          {"commands_per_s", rate(journal_ns)},
          {"raw_append_per_s", rate(raw_ns)},
          {"ratio_to_raw", double(raw_ns) / double(journal_ns)}};
}

}  // namespace

int bench_main(const Words& words, const std::filesystem::path& content) {
  Args args(words, {"json"});
  auto allowed = args.only({"json", "cases", "count", "corpus"});
  if (!allowed) return complain(allowed.problem()), 2;
  std::string what = args.rest().empty() ? "" : args.rest()[0];
  auto cases = args.number("cases", 100'000, 1, 5'000'000);
  auto count = args.number("count", 200'000, 1, 50'000'000);
  if (!cases) return complain(cases.problem()), 2;
  if (!count) return complain(count.problem()), 2;
  json::object result;
  if (what == "engine") {
    TemporaryFolder folder;
    result = bench_engine(static_cast<std::size_t>(*cases), folder.path + "/engine");
  } else if (what == "journal") {
    result = bench_journal(static_cast<std::size_t>(*count));
  } else if (what == "ledger") {
    result = bench_ledger(static_cast<std::size_t>(*count));
  } else if (what == "detect") {
    result = detect::bench_detect(args.get("corpus"));
  } else if (what == "http") {
    result = http::bench_http();
    TemporaryFolder folder;
    result["service"] = bench_service(static_cast<std::size_t>(*cases), folder.path, content);
  } else {
    std::cerr << "callwarden bench engine|journal|ledger|detect|http [--json] [--cases N] [--count "
                 "N] [--corpus DIR]\n";
    return 2;
  }
  if (args.has("json")) {
    std::cout << json::serialize(result) << "\n";
  } else {
    for (const auto& [key, value] : result)
      std::cout << key << ": " << json::serialize(value) << "\n";
  }
  return 0;
}

}  // namespace cw
