#include <iostream>

#include "base/log.h"
#include "commands.h"
#include "config.h"

// A witness over HTTP: C2SP tlog-witness. What is asked is judged in ledger; here is only the wire.
namespace cw {
namespace {

constexpr int kWorkers = 4;  // what waits is the disk, once for each log
constexpr std::size_t kConnectionsMax = 256;
constexpr double kPerS = 10, kBurst = 40;  // requests of one address

}  // namespace

http::ServerOptions witness_limits(http::ServerOptions options, const Clock& clock) {
  options.workers = kWorkers;
  options.connections_max = kConnectionsMax;
  options.bodies_bytes_max = kConnectionsMax * witness_request_max;
  auto limiter = std::make_shared<http::RateLimiter>(
      http::RateLimiter::Options{.per_s = kPerS, .burst = kBurst}, clock);
  options.gate = [limiter](http::Request& r) -> std::optional<http::Response> {
    int wait_s = limiter->take(r.peer);
    if (wait_s == 0) return std::nullopt;
    auto answer = http::text_response(429, "too many requests\n");
    answer.headers.set("Retry-After", std::to_string(wait_s));
    return answer;
  };
  return options;
}

http::Router witness_router(Witness& witness) {
  http::Router router;
  router.add("POST", "/add-checkpoint",
             [&witness](http::Request& r) {
               WitnessReply reply = witness.add_checkpoint(r.body);
               return http::text_response(reply.status, reply.body, reply.content_type);
             },
             {.body_max = witness_request_max, .access = "public"});
  return router;
}

int serve_witness(Witness& witness, const WitnessListen& listen) {
  ServeConfig config;
  if (auto status = read_listen(listen.address, config); !status)
    return complain(status.problem()), 2;
  if (config.tls || !listen.certificate_file.empty()) {
    http::TlsOptions tls{.certificate_file = listen.certificate_file, .key_file = listen.key_file};
    if (tls.certificate_file.empty()) tls.certificate_file = listen.folder + "/tls.crt";
    if (tls.key_file.empty()) tls.key_file = listen.folder + "/tls.key";
    config.http.tls = tls;
  }
  hold_signals();
  SystemClock clock;
  SystemRandom random;
  http::Server server(witness_limits(config.http, clock), witness_router(witness), clock, random);
  if (auto started = server.start(); !started) return complain(started.problem()), 1;
  std::string host = config.http.host;
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  std::cout << (listen.english ? "Serving at " : "服务地址 ")
            << (config.http.tls ? "https://" : "http://") << host << ":" << server.port() << "\n"
            << std::flush;
  if (config.http.tls)
    std::cout << (listen.english ? "Certificate SHA-256 " : "证书 SHA-256 ")
              << server.certificate_fingerprint() << "\n"
              << std::flush;
  int signal_number = wait_for_end(server);
  log_info("server", "stopping on signal {}", signal_number);
  server.stop();
  return 0;
}

}  // namespace cw
