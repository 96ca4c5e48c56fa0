// The benchmark: the server's trivial handler beside the least a server can do on this machine, a
// bare epoll loop that answers fixed bytes to the same client.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "client.h"

namespace cw::http {

namespace {

class BareServer {
 public:
  explicit BareServer(std::string answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CW_CHECK(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    CW_CHECK(::listen(listener_, 128) == 0);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    wake_ = ::eventfd(0, EFD_CLOEXEC);
    watch(listener_);
    watch(wake_);
    thread_ = std::thread([this] { run(); });
  }
  ~BareServer() {
    const std::uint64_t one = 1;
    CW_CHECK(::write(wake_, &one, sizeof one) == sizeof one);
    thread_.join();
    for (int fd : {listener_, epoll_, wake_}) ::close(fd);
  }
  std::uint16_t port() const { return port_; }

 private:
  void watch(int fd) {
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &e);
  }
  void run() {
    std::vector<int> clients;
    char request[4096];
    for (;;) {
      epoll_event events[64];
      const int n = ::epoll_wait(epoll_, events, 64, -1);
      for (int i = 0; i < n; ++i) {
        const int fd = events[i].data.fd;
        if (fd == wake_) {
          for (int c : clients) ::close(c);
          return;
        }
        if (fd == listener_) {
          const int c = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
          const int one = 1;
          if (c < 0) continue;
          ::setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
          clients.push_back(c);
          watch(c);
        } else if (::read(fd, request, sizeof request) <= 0 ||
                   ::send(fd, answer_.data(), answer_.size(), MSG_NOSIGNAL) < 0) {
          ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);  // closed with the others at the end
        }
      }
    }
  }

  const std::string answer_;
  int listener_, epoll_, wake_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

struct BenchRun {
  double per_s = 0;
  double p50_us = 0, p99_us = 0;
  std::uint64_t requests = 0;
};

BenchRun bench_run(std::uint16_t port, const HttpBenchOptions& options) {
  const SystemClock clock;
  std::vector<std::vector<std::uint32_t>> ns(static_cast<std::size_t>(options.connections));
  std::vector<std::thread> threads;
  const std::int64_t begin = clock.monotonic_ns();
  const std::int64_t end = begin + options.seconds_per_run * 1'000'000'000LL;
  for (auto& mine : ns) {
    threads.emplace_back([&mine, &clock, port, end] {
      Client client("127.0.0.1", port);
      mine.reserve(1 << 16);
      for (std::int64_t now = clock.monotonic_ns(); now < end && mine.size() < 4'000'000;) {
        auto answer = client.get("/api/v1/health");
        CW_CHECK(answer && answer->status == 200);
        const std::int64_t after = clock.monotonic_ns();
        mine.push_back(static_cast<std::uint32_t>(std::min<std::int64_t>(after - now, UINT32_MAX)));
        now = after;
      }
    });
  }
  for (auto& t : threads) t.join();
  const double seconds = static_cast<double>(clock.monotonic_ns() - begin) / 1e9;
  std::vector<std::uint32_t> all;
  for (const auto& mine : ns) all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end());
  if (all.empty()) return {};
  auto at = [&](double q) {
    return all[static_cast<std::size_t>(q * static_cast<double>(all.size() - 1))] / 1e3;
  };
  return {static_cast<double>(all.size()) / seconds, at(0.5), at(0.99), all.size()};
}

}  // namespace

json::object bench_http(const HttpBenchOptions& options) {
  CW_CHECK(options.connections > 0 && options.seconds_per_run > 0);
  Router router;
  router.add("GET", "/api/v1/health", [](Request&) {
    return json_response(200, {{"status", "ok"}});
  });
  const SystemClock clock;
  SystemRandom random;
  Server server({}, std::move(router), clock, random);
  CW_CHECK(server.start());

  // The baseline answers exactly the bytes that the server does.
  Client probe("127.0.0.1", server.port());
  CW_CHECK(probe.connect());
  probe.write("GET /api/v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  const std::string answer = probe.read(64 * 1024, 5'000);
  CW_CHECK(answer.starts_with("HTTP/1.1 200"));
  probe.close();

  const BenchRun ours = bench_run(server.port(), options);
  server.stop();
  const BareServer bare(answer);
  const BenchRun base = bench_run(bare.port(), options);
  return {{"requests_per_s", std::llround(ours.per_s)},
          {"p50_us", std::llround(ours.p50_us)},
          {"p99_us", std::llround(ours.p99_us)},
          {"baseline_requests_per_s", std::llround(base.per_s)},
          {"baseline_p50_us", std::llround(base.p50_us)},
          {"baseline_p99_us", std::llround(base.p99_us)},
          {"ratio_to_baseline", base.per_s > 0 ? ours.per_s / base.per_s : 0.0},
          {"connections", options.connections},
          {"requests", ours.requests + base.requests}};
}

}  // namespace cw::http
