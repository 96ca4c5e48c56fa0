// `callwarden bench http`, second half: a whole installation with N cases behind HTTP, as the
// console and the machines ask it.
#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "bench_service.h"
#include "centre.h"
#include "http/client.h"
#include "procedure/cases.h"

namespace cw {
namespace {

constexpr int kClients = 4;       // connections that ask without pause
constexpr int kSignalKeys = 100;  // a storm of signals about so many things
constexpr int kSecondsPerRun = 3;

std::string bench_password() { return "bench-password-1"; }

double seconds_between(std::int64_t from_ns, std::int64_t to_ns) {
  return static_cast<double>(to_ns - from_ns) / 1e9;
}

class ServiceBench {
 public:
  ServiceBench(std::size_t cases, const std::string& folder, const std::filesystem::path& content)
      : count_(cases),
        raw_path_(folder + "/raw.db"),
        in_({.data = folder + "/data",
             .content = content,
             .version = "bench",
             .access = {.cost = {.passes = 1, .memory_bytes = 8 << 20}}},
            clock_, random_) {}

  json::object run() {
    auto opened = in_.open();
    CW_CHECK(opened.ok());
    auto centre = Centre::make(in_, bench_password());
    CW_CHECK(centre.ok());
    in_.start();
    json::object out{{"cases", static_cast<std::int64_t>(count_)}};
    out["views_per_s"] = fill(*centre);
    CW_CHECK(in_.serve({.port = 0}, {}, &clock_).ok());  // the test clock lifts the rate limits
    std::string session = sign_in("zheng");
    for (const auto& [name, path] : {std::pair{"workbench", "/api/v1/workbench?limit=50"},
                                     {"cases", "/api/v1/cases?limit=50&sort=-updated"},
                                     {"late", "/api/v1/cases?limit=50&sort=due&open=true"}})
      out[name] = ask(path, session);
    out["signals"] = signals(centre->org());
    in_.stop();
    return out;
  }

 private:
  // Starts the cases, and waits until the lists show them: events a second of the read models.
  std::int64_t fill(const Centre& centre) {
    std::int64_t begun = clock_.monotonic_ns();
    std::mutex mutex;
    std::condition_variable room;
    std::size_t flying = 0, done = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      auto decide = in_.engine().start({.procedure = "ticket.after-sales",
                                        .org = centre.org(),
                                        .actor = centre.id(i % 2 ? "zheng" : "feng"),
                                        .form = {{"subject", "晚高峰掉线 " + std::to_string(i)},
                                                 {"content", "每小时掉线两次"},
                                                 {"priority", i % 3 ? "P3" : "P2"}}});
      CW_CHECK(decide.ok());
      {
        std::unique_lock lock(mutex);
        room.wait(lock, [&] { return flying < 4096; });
        ++flying;
      }
      in_.journal().submit({.vital = true}, std::move(*decide), [&](Result<Answer> answer) {
        CW_CHECK(answer.ok());
        std::lock_guard lock(mutex);
        --flying;
        if (++done % 10'000 == 0) std::cerr << "\rcases " << done << std::flush;
        room.notify_all();
      });
    }
    {
      std::unique_lock lock(mutex);
      room.wait(lock, [&] { return flying == 0; });
    }
    while (in_.views().position() < in_.journal().size()) {
      std::cerr << "\rlisted " << in_.views().position() << " of " << in_.journal().size()
                << std::flush;
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    std::cerr << "\n";
    return std::llround(static_cast<double>(in_.journal().size()) /
                        seconds_between(begun, clock_.monotonic_ns()));
  }

  std::string sign_in(const std::string& login) {
    http::Client client("127.0.0.1", in_.server()->port());
    auto answer =
        client.post_json("/api/v1/session", {{"login", login}, {"password", bench_password()}});
    CW_CHECK(answer.ok() && answer->status == 200);
    std::string line(answer->headers.get_or("Set-Cookie"));
    return line.substr(0, line.find(';'));
  }

  // `kClients` connections call `one` until the time is over; what each call took.
  json::object load(const std::function<void(http::Client&, std::int64_t n)>& one) {
    std::vector<std::vector<std::int64_t>> took(kClients);
    std::vector<std::thread> threads;
    std::atomic<std::int64_t> n{0};
    std::int64_t begun = clock_.monotonic_ns(), end = begun + kSecondsPerRun * 1'000'000'000LL;
    for (auto& mine : took)
      threads.emplace_back([&, this] {
        http::Client client("127.0.0.1", in_.server()->port());
        for (std::int64_t now = clock_.monotonic_ns(); now < end;) {
          one(client, n++);
          std::int64_t after = clock_.monotonic_ns();
          mine.push_back(after - now);
          now = after;
        }
      });
    for (auto& t : threads) t.join();
    double seconds = seconds_between(begun, clock_.monotonic_ns());
    std::vector<std::int64_t> all;
    for (const auto& mine : took) all.insert(all.end(), mine.begin(), mine.end());
    std::sort(all.begin(), all.end());
    auto at = [&](double q) {
      return std::llround(
          static_cast<double>(
              all[static_cast<std::size_t>(q * static_cast<double>(all.size() - 1))]) /
          1e3);
    };
    return {{"per_s", std::llround(static_cast<double>(all.size()) / seconds)},
            {"p50_us", at(0.5)},
            {"p99_us", at(0.99)}};
  }

  json::object ask(const std::string& path, const std::string& cookie) {
    std::atomic<std::size_t> bytes{0};
    http::Headers headers;
    headers.set("Cookie", cookie);
    json::object out = load([&](http::Client& client, std::int64_t) {
      auto answer = client.get(path, headers);
      CW_CHECK(answer.ok() && answer->status == 200);
      bytes = answer->body.size();
    });
    out["bytes"] = static_cast<std::int64_t>(bytes.load());
    return out;
  }

  // Signals of one sender about a hundred things, beside what SQLite alone commits of the same
  // bytes one by one in the same run.
  json::object signals(const std::string& org) {
    auto scopes = PermissionSet::parse({"signals.write"}, "/scopes");
    CW_CHECK(scopes.ok());
    auto issued = in_.identity().add_token(Principal::system(), {},
                                           {.org = org,
                                            .label = "bench",
                                            .scopes = *scopes,
                                            .expires_at = clock_.now_ms() + 86'400'000});
    CW_CHECK(issued.ok());
    http::Headers headers;
    headers.set("Authorization", "Bearer " + issued->secret);
    auto body = [](std::int64_t n) {
      return json::value{{"key", "ups-" + std::to_string(n % kSignalKeys)},
                         {"title", {{"zh", "UPS 转电池供电"}, {"en", "UPS on battery"}}},
                         {"severity", "high"},
                         {"entities", {{"device", "ups-" + std::to_string(n % kSignalKeys)}}}};
    };
    json::object out = load([&](http::Client& client, std::int64_t n) {
      auto answer = client.post_json("/api/v1/signals", body(n), headers);
      CW_CHECK(answer.ok() && answer->status == 200);
    });
    Database raw(raw_path_, {.create = true});
    raw.exec("CREATE TABLE signal(n INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT");
    std::int64_t begun = clock_.monotonic_ns(), n = 0;
    for (; clock_.monotonic_ns() < begun + 1'000'000'000LL; ++n) {
      std::string bytes = json::serialize(body(n));
      raw.begin();
      raw.run("INSERT INTO signal VALUES($1,$2)", n, Blob{bytes});
      raw.commit();
    }
    out["raw_commits_per_s"] = n;
    return out;
  }

  const std::size_t count_;
  const std::string raw_path_;
  OffsetClock clock_;
  SystemRandom random_;
  Installation in_;
};

}  // namespace

json::object bench_service(std::size_t cases, const std::string& folder,
                           const std::filesystem::path& content) {
  log_level(LogLevel::warn);
  return ServiceBench(cases, folder, content).run();
}

}  // namespace cw
