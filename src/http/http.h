// HTTP/1.1 for the console and the API: a wire guard that refuses ambiguous messages, a router,
// plain synchronous handlers on a bounded pool, TLS, server-sent events, static files, rate limits.
//
// Threads: `Server`, `EventStream` and `RateLimiter` are thread-safe. A `Router` is filled before
// it is given to a server and is then read only. Requests and responses are plain values.
//
//   http::Router router;
//   router.add("GET", "/api/v1/cases/{id}", [&](http::Request& r) {
//     return http::json_response(200, load(r.param("id"))); });
//   http::Server server({.port = 0}, std::move(router), clock, random);
//   if (auto started = server.start(); !started) return started.problem();
#pragma once

#include <any>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "base/result.h"

namespace cw::http {

// Header fields in the order they came. Names compare without case (ASCII).
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;
  std::optional<std::string_view> get(std::string_view name) const;  // the first of that name
  std::string_view get_or(std::string_view name, std::string_view fallback = "") const;
  bool has(std::string_view name) const { return get(name).has_value(); }
  Headers& set(std::string_view name, std::string_view value);  // replaces every one of that name
  Headers& add(std::string_view name, std::string_view value);  // for Set-Cookie and the like
  void remove(std::string_view name);
  const std::vector<Field>& all() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

struct Route;

// One request, already checked: the target and the fields hold valid UTF-8 without control
// characters; `body` is raw bytes, at most the route's `body_max`.
struct Request {
  std::string method;                 // "GET"; HEAD arrives at GET handlers as "HEAD"
  std::string target;                 // as sent: "/api/v1/cases?state=open"
  std::string path;                   // decoded, without the query
  std::vector<std::string> segments;  // of `path`, decoded; never ".", ".." or with "/" inside
  std::vector<std::pair<std::string, std::string>> query;   // decoded, in order
  std::vector<std::pair<std::string, std::string>> params;  // from the route's pattern
  Headers headers;
  std::string body;
  std::string peer;         // address of the client, without port ("192.0.2.7")
  bool tls = false;         // the client's connection is encrypted
  std::string id;           // "req_…", also answered as X-Request-Id
  std::string lang = "zh";  // "zh" or "en", from Accept-Language (RFC 9110 §12.5.4)
  std::int64_t at_ms = 0;   // UTC, when the header was complete
  const Route* route = nullptr;
  std::any context;  // whatever `ServerOptions::gate` leaves for the handler (who is calling)

  // A parameter of the route's pattern; asking for one it does not have is a programmer's error.
  const std::string& param(std::string_view name) const;
  // The first query parameter of that name, or all.
  std::optional<std::string_view> query_get(std::string_view name) const;
  std::vector<std::string_view> query_all(std::string_view name) const;
  // A cookie of that name (RFC 6265 §5.4); nothing when absent or given twice.
  std::optional<std::string_view> cookie(std::string_view name) const;
  // Where an event stream continues: Last-Event-ID, or the query's `last_event_id`; "" at first.
  std::string_view last_event_id() const;
};

// One server-sent event. `id` and `event` may be empty; `data` may hold several lines.
struct Event {
  std::string id;
  std::string event;
  std::string data;
};

// The sending end of one client's event stream. Any thread may send; nothing ever blocks.
class EventStream {
 public:
  virtual ~EventStream() = default;
  // Queues one event. False: the client is gone, or fell behind by more than the buffer. A client
  // that fell behind still gets what was queued, is then disconnected, and resumes with
  // Last-Event-ID; so after false, forget the stream.
  virtual bool send(const Event& event) = 0;
  virtual bool open() const = 0;
  virtual void close() = 0;  // after what is queued has been written
};

// An answer. The server adds the security headers, Date, Content-Length and X-Request-Id; a header
// set here wins over the default. A header with a control character makes the answer a 500.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  // When set, the answer is `text/event-stream`: called once, on a worker, as the stream opens.
  // Keep the pointer to send later; when every pointer is gone the stream is closed.
  std::function<void(std::shared_ptr<EventStream>)> events;
};

Response json_response(int status, const json::value& value);
Response text_response(int status, std::string_view body,
                       std::string_view mime = "text/plain; charset=utf-8");
Response empty_response(int status = 204);
// application/problem+json (RFC 9457) in the request's language: type, title, status, code,
// detail, request_id and, where there are any, fields [{pointer, text}]. Sets Retry-After.
Response problem_response(const Request& request, const Problem& problem);
Response problem_response(const Request& request, const Problem& problem, int status);
int status_of(Refusal refusal);

// One whole request out of bytes, exactly as the server would read it, or the refusal it would
// answer (`wire.incomplete` where it would wait for more). Given `piece` bytes at a time; 0: all at
// once. Pure; for fuzzing and for examining a captured request.
Result<Request> read_request(std::string_view bytes, std::size_t body_max, std::size_t piece = 0);

using Handler = std::function<Response(Request&)>;

struct RouteOptions {
  std::size_t body_max = 1 << 20;  // bytes; more is 413 before it is read
  std::string access;  // opaque here: who may call it, for the api's checks and its matrix
};

struct Route {
  std::string method;
  std::string pattern;
  Handler handler;
  RouteOptions options;
};

// Patterns: "/a/b" literal, "{name}" one segment, "{name*}" the rest of the path (at the end).
// A literal wins over a parameter. HEAD goes to GET; OPTIONS is answered with Allow; a known path
// with another method is 405 with Allow; anything else is 404.
class Router {
 public:
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  void add(std::string method, std::string pattern, Handler handler, RouteOptions options = {});
  // GET and HEAD of a path that no pattern knows (the console's files).
  void fallback(Handler handler);
  // In the order they were added; pointers stay valid as long as the router.
  std::vector<const Route*> routes() const;

  struct Match {
    const Route* route = nullptr;  // null: 404, or 405 when `allow` is not empty
    std::vector<std::pair<std::string, std::string>> params;
    std::string allow;  // the methods this path knows: "GET, HEAD, OPTIONS"
  };
  Match match(std::string_view method, const std::vector<std::string>& segments) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Token buckets, one for each key, in a table that never exceeds `keys_max` (the key used longest
// ago is forgotten first). Thread-safe.
class RateLimiter {
 public:
  struct Options {
    double per_s = 10;  // refill
    double burst = 20;  // capacity
    std::size_t keys_max = 65'536;
  };
  RateLimiter(Options options, const Clock& clock);
  ~RateLimiter();
  // 0 when allowed (and `cost` tokens are taken), else the seconds to wait (for Retry-After).
  int take(std::string_view key, double cost = 1);
  std::size_t keys() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Files compiled into the binary. The table and what it points at live as long as the program.
struct Asset {
  std::string_view path;  // "/assets/index-4f3a9c.js"
  std::string_view mime;
  std::string_view bytes;
  std::string_view gzip;  // the same, compressed; empty when there is none
  std::string_view etag;  // quoted
  bool hashed = false;    // the name holds a hash of the content: cached for a year
};

// Serves them: ETag and 304, gzip by Accept-Encoding, and `index` ("/index.html") for any path of
// the console's own router: not below /api or /assets, and no file name at the top.
Handler static_files(std::vector<Asset> assets, std::string index = "/index.html");

struct TlsOptions {
  // Certificate chain and key (PEM). Where neither file exists, a self-signed certificate is made
  // for `names`, this machine's name and the address listened on (P-256, key mode 0600). A key
  // that others may read is refused.
  std::string certificate_file;
  std::string key_file;
  std::vector<std::string> names = {"localhost", "127.0.0.1"};
};

struct ServerOptions {
  std::string host = "127.0.0.1";  // an address; "::" listens on both families
  std::uint16_t port = 0;          // 0: the system chooses; see Server::port
  std::optional<TlsOptions> tls;   // TLS 1.2 and 1.3 only
  int workers = 16;                // threads that run handlers
  std::size_t queue_max = 256;     // requests waiting for a worker; beyond: 503 with Retry-After
  std::size_t connections_max = 2048;        // and never more than half of the descriptors allowed
  std::size_t streams_max = 1024;            // event streams open at once; beyond: 503
  std::size_t header_bytes_max = 16 * 1024;  // request line and fields; beyond: 431
  std::size_t header_count_max = 100;
  std::size_t bodies_bytes_max = 128 << 20;  // all bodies being received; beyond: 503
  std::size_t event_buffer_max = 1 << 20;    // bytes queued for one event stream
  int header_ms = 10'000;     // from the first byte (or the connection) to the end of the header
  int body_ms = 30'000;       // for the body, plus 1 s for each 32 KiB that it may hold
  int idle_ms = 60'000;       // between requests
  int write_ms = 30'000;      // for an answer, plus 1 s for each 32 KiB; for progress of a stream
  int heartbeat_ms = 15'000;  // a comment on a silent event stream
  int stop_ms = 10'000;       // how long stop() waits for requests under way
  std::vector<std::string> hosts;            // names accepted in Host; empty: any. Others get 421
  std::vector<std::string> trusted_proxies;  // peers whose X-Forwarded-For and -Proto count
  std::string content_security_policy;       // empty: the strict default
  // Asked after the header and before the body, on the network thread: must not block. A response
  // answers at once (a rate limit, no credential) and costs no body. May set Request::context.
  std::function<std::optional<Response>(Request&)> gate;
};

struct ServerStats {
  std::size_t connections = 0;      // open now
  std::size_t connections_max = 0;  // what the options and the system's limits allow
  std::size_t streams = 0;          // event streams open now
  std::size_t body_bytes = 0;       // bodies held now
  std::size_t queued = 0;           // requests waiting for a worker
  std::uint64_t requests = 0;       // handled since the start
  std::uint64_t refused_wire = 0;   // refused by the wire guard since the start
  std::uint64_t refused_busy = 0;   // refused for lack of room since the start
};

// An exception from a handler is logged and answered as a 500 that says nothing but the request id.
class Server {
 public:
  Server(ServerOptions options, Router router, const Clock& clock, Random& random);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens and returns. Refusals: `http.listen` (address or port), `http.tls` (certificate, key).
  Status start();
  std::uint16_t port() const;
  // Reads the certificate files again (after a renewal); connections under way keep theirs.
  Status reload_tls();
  // SHA-256 of the certificate ("AB:CD:…"), for people to compare; empty without TLS.
  std::string certificate_fingerprint() const;
  // Graceful: no new connections, requests under way are answered, event streams end.
  void stop();
  ServerStats stats() const;
  const Router& router() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace cw::http
