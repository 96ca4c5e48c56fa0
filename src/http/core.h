// What the connections of one server share. Everything without a lock or an atomic belongs to the
// one network thread.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_set>

#include "answer.h"
#include "base/queue.h"
#include "http.h"

struct ssl_ctx_st;

namespace cw::http {

class Connection;

// A request on its way to a worker.
struct Job {
  std::shared_ptr<Connection> connection;
  Request request;
};

struct Core {
  Core(ServerOptions o, Router r, const Clock& c, Random& rnd)
      : options(complete(std::move(o))),
        router(std::move(r)),
        clock(c),
        random(rnd),
        queue(options.queue_max) {}
  static ServerOptions complete(ServerOptions o) {
    if (o.content_security_policy.empty()) o.content_security_policy = kStrictPolicy;
    return o;
  }

  const ServerOptions options;
  const Router router;
  const Clock& clock;
  Random& random;
  // Timeouts are about the real network, whatever time the product is told it is.
  const SystemClock real;

  boost::asio::io_context io{1};
  BoundedQueue<Job> queue;
  std::unordered_set<std::shared_ptr<Connection>> connections;
  std::shared_ptr<ssl_ctx_st> tls;
  bool stopping = false;
  std::atomic<std::size_t> connections_max{0};

  std::atomic<std::size_t> open{0};
  std::atomic<std::size_t> streams{0};
  std::atomic<std::size_t> body_bytes{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> refused_wire{0};
  std::atomic<std::uint64_t> refused_busy{0};

  std::mutex empty_mutex;
  std::condition_variable emptied;  // `open` reached 0
};

// Calls the handler and hands its answer to the connection; what it throws becomes a 500.
void run_job(Core& core, Job job);

}  // namespace cw::http
