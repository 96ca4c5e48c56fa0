#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/thread.h"
#include "connection.h"
#include "tls.h"

namespace cw::http {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

struct Server::Impl {
  Impl(ServerOptions options, Router router, const Clock& clock, Random& random)
      : core(std::make_shared<Core>(std::move(options), std::move(router), clock, random)),
        acceptor(core->io),
        accept_retry(core->io),
        sweeper(core->io),
        work(core->io.get_executor()) {}

  Status listen();
  Status load_tls();
  void accept();
  void accepted(Tcp::socket socket);
  bool make_room();
  void sweep();
  void stop();

  std::shared_ptr<Core> core;
  Tcp::acceptor acceptor;
  asio::steady_timer accept_retry, sweeper;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::vector<std::thread> threads;
  std::thread network;
  bool ended = false;  // on the network thread: nothing may be started any more
  std::uint16_t port = 0;
  mutable std::mutex mutex;  // fingerprint
  std::string fingerprint;
};

namespace {

Problem listen_problem(const ServerOptions& o, const std::string& why) {
  const std::string where = o.host + ":" + std::to_string(o.port);
  return problem(Refusal::invalid, "http.listen",
                 {"无法监听 " + where + "：" + why + "。请换一个地址或端口。",
                  "Cannot listen on " + where + ": " + why + ". Use another address or port."});
}

std::int64_t sweep_interval_ms(const ServerOptions& o) {
  const int shortest = std::min({o.header_ms, o.body_ms, o.idle_ms, o.write_ms, o.heartbeat_ms});
  return std::clamp(shortest / 4, 5, 500);
}

std::string peer_address(const Tcp::socket& socket) {
  boost::system::error_code error;
  auto address = socket.remote_endpoint(error).address();
  if (error) return "";
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

// Connections must never take the descriptors that the database and the ledger need.
std::size_t connections_allowed(const ServerOptions& o) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return o.connections_max;
  const rlim_t wanted = 2 * static_cast<rlim_t>(o.connections_max);
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = std::min(limit.rlim_max, wanted);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  const std::size_t allowed = std::min<rlim_t>(o.connections_max, limit.rlim_cur / 2);
  if (allowed < o.connections_max) {
    log_warn("http", "descriptors allow connections={} wanted={}", allowed, o.connections_max);
  }
  return std::max<std::size_t>(allowed, 1);
}

}  // namespace

Status Server::Impl::load_tls() {
  TlsOptions options = *core->options.tls;
  char machine[256] = "";
  if (::gethostname(machine, sizeof machine - 1) == 0) options.names.push_back(machine);
  options.names.push_back(core->options.host);
  auto context = make_tls_context(options, core->clock);
  if (!context) return context.problem();
  std::shared_ptr<SSL_CTX> shared(*context, SSL_CTX_free);
  {
    std::lock_guard lock(mutex);
    fingerprint = tls_fingerprint(shared.get());
  }
  asio::post(core->io, [c = core.get(), shared = std::move(shared)] { c->tls = shared; });
  return done();
}

Status Server::Impl::listen() {
  const ServerOptions& o = core->options;
  boost::system::error_code error;
  const auto address = asio::ip::make_address(o.host, error);
  if (error) return listen_problem(o, "not an address");
  const Tcp::endpoint endpoint(address, o.port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error && address.is_v6() && address.is_unspecified()) {
    acceptor.set_option(asio::ip::v6_only(false), error);
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    const std::string why = error.message();
    acceptor.close(error);
    return listen_problem(o, why);
  }
  port = acceptor.local_endpoint().port();
  return done();
}

void Server::Impl::accept() {
  acceptor.async_accept([this](const boost::system::error_code& error, Tcp::socket socket) {
    if (core->stopping || error == asio::error::operation_aborted) return;
    if (!error) {
      accepted(std::move(socket));
      return accept();
    }
    // No descriptor or no memory left: wait for some to come back.
    log_warn("http", "cannot accept: {}", error.message());
    accept_retry.expires_after(std::chrono::milliseconds(200));
    accept_retry.async_wait([this](const boost::system::error_code& e) {
      if (!e && !core->stopping) accept();
    });
  });
}

// A connection that is not being served gives its place to a new one.
bool Server::Impl::make_room() {
  if (core->connections.size() < core->connections_max) return true;
  std::shared_ptr<Connection> oldest;
  for (const auto& c : core->connections) {
    if (c->evictable() && (!oldest || c->deadline_ns() < oldest->deadline_ns())) oldest = c;
  }
  if (oldest) oldest->close();
  return oldest != nullptr;
}

void Server::Impl::accepted(Tcp::socket socket) {
  if (!make_room()) {
    ++core->refused_busy;
    return;  // the socket closes; there is no memory to spare for an answer
  }
  std::string peer = peer_address(socket);
  auto connection = std::make_shared<Connection>(core, std::move(socket), std::move(peer));
  core->connections.insert(connection);
  ++core->open;
  connection->start();
}

void Server::Impl::sweep() {
  sweeper.expires_after(std::chrono::milliseconds(sweep_interval_ms(core->options)));
  sweeper.async_wait([this](const boost::system::error_code& error) {
    if (error || ended) return;  // a timer that has fired cannot be cancelled any more
    const std::int64_t now_ns = core->real.monotonic_ns();
    const std::vector<std::shared_ptr<Connection>> all(core->connections.begin(),
                                                       core->connections.end());
    for (const auto& c : all) c->sweep(now_ns);
    sweep();
  });
}

void Server::Impl::stop() {
  if (!network.joinable()) return;
  auto everyone = [c = core.get()] {
    return std::vector<std::shared_ptr<Connection>>(c->connections.begin(), c->connections.end());
  };
  asio::post(core->io, [this, everyone] {
    core->stopping = true;
    boost::system::error_code ignored;
    acceptor.close(ignored);
    accept_retry.cancel();
    for (const auto& c : everyone()) c->wind_down();
  });
  {
    std::unique_lock lock(core->empty_mutex);
    core->emptied.wait_for(lock, std::chrono::milliseconds(core->options.stop_ms),
                           [&] { return core->open == 0; });
  }
  core->queue.close();
  asio::post(core->io, [this, everyone] {
    ended = true;
    for (const auto& c : everyone()) c->close();
    sweeper.cancel();
  });
  for (std::thread& t : threads) t.join();
  threads.clear();
  work.reset();
  network.join();
}

Server::Server(ServerOptions options, Router router, const Clock& clock, Random& random)
    : impl_(std::make_shared<Impl>(std::move(options), std::move(router), clock, random)) {
  const ServerOptions& o = impl_->core->options;
  CW_CHECK(o.workers > 0 && o.queue_max > 0 && o.connections_max > 0);
}
Server::~Server() { stop(); }

Status Server::start() {
  Impl& i = *impl_;
  CW_CHECK(!i.network.joinable());
  if (i.core->options.tls) {
    if (auto loaded = i.load_tls(); !loaded) return loaded;
  }
  if (auto listening = i.listen(); !listening) return listening;
  i.core->connections_max = connections_allowed(i.core->options);
  asio::post(i.core->io, [&i] {
    i.accept();
    i.sweep();
  });
  i.network = start_thread("http", [core = i.core] { core->io.run(); });
  for (int n = 0; n < i.core->options.workers; ++n) {
    i.threads.emplace_back([core = i.core] {
      while (auto job = core->queue.pop()) run_job(*core, std::move(*job));
    });
  }
  return done();
}

Status Server::reload_tls() {
  CW_CHECK(impl_->core->options.tls);
  return impl_->load_tls();
}

void Server::stop() { impl_->stop(); }
std::uint16_t Server::port() const { return impl_->port; }
const Router& Server::router() const { return impl_->core->router; }

std::string Server::certificate_fingerprint() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->fingerprint;
}

ServerStats Server::stats() const {
  const Core& c = *impl_->core;
  return {.connections = c.open,
          .connections_max = c.connections_max,
          .streams = c.streams,
          .body_bytes = c.body_bytes,
          .queued = c.queue.size(),
          .requests = c.requests,
          .refused_wire = c.refused_wire,
          .refused_busy = c.refused_busy};
}

}  // namespace cw::http
