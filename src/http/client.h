// A small blocking HTTP/1.1 client for tests, tools and the benchmark: one connection, kept alive.
// Not a browser: no redirects, no proxies, no cookies. One thread at a time.
//
//   http::Client client("127.0.0.1", port);
//   auto answer = client.get("/api/v1/health");
//   if (answer && answer->status == 200) use(answer->body);
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "http/http.h"

namespace cw::http {

struct ClientOptions {
  bool tls = false;
  std::string ca_file;              // trust only this certificate (PEM); empty: the system's
  bool verify = true;               // false: any certificate (tests)
  int timeout_ms = 10'000;          // for connecting, and for each wait for bytes
  std::size_t body_max = 64 << 20;  // a longer answer is refused
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

class Client {
 public:
  Client(std::string host, std::uint16_t port, ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Host and Content-Length are added. A connection that the server closed while it was idle is
  // opened again; only GET and HEAD are ever sent twice. Refusals: `http.connect`,
  // `http.timeout`, `http.closed`, `http.answer` (not HTTP), `http.too_large`.
  Result<ClientResponse> request(std::string_view method, std::string_view target,
                                 const Headers& headers = {}, std::string_view body = {});
  Result<ClientResponse> get(std::string_view target, const Headers& headers = {});
  Result<ClientResponse> post_json(std::string_view target, const json::value& body,
                                   Headers headers = {});

  // Server-sent events: opens the stream (the answer's status tells), then event by event.
  // `next_event` gives nothing on the end of the stream or after `timeout_ms`; see `connected`.
  Result<ClientResponse> open_events(std::string_view target, const Headers& headers = {});
  std::optional<Event> next_event(int timeout_ms);
  std::uint64_t heartbeats() const;  // comment lines seen

  // Bytes as they are, for hostile tests: connect, write anything, read what comes.
  Status connect();
  bool connected() const;
  bool write(std::string_view bytes);                      // false: the peer closed
  std::string read(std::size_t size_max, int timeout_ms);  // "": closed or nothing came
  Result<ClientResponse> read_response(bool head = false);
  void close();
  std::string tls_version() const;  // "TLSv1.3"; empty without TLS

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct HttpBenchOptions {
  int connections = 16;     // client threads, one kept-alive connection each
  int seconds_per_run = 2;  // for each of the two servers
};

// Requests per second and latency of a trivial handler through loopback, beside a baseline in the
// same run: a bare epoll loop that answers the same bytes to the same client. Members:
// requests_per_s, p50_us, p99_us, baseline_requests_per_s, baseline_p50_us, baseline_p99_us,
// ratio_to_baseline, connections, requests.
json::object bench_http(const HttpBenchOptions& options = {});

}  // namespace cw::http
