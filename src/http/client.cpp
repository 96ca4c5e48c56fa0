#include "client.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace cw::http {

namespace {

Problem client_problem(const char* code, const std::string& zh, const std::string& en) {
  ERR_clear_error();
  return problem(Refusal::unavailable, code, {zh, en});
}

Problem connect_problem(const std::string& where, const std::string& why) {
  return client_problem("http.connect", "无法连接 " + where + "：" + why,
                        "Cannot connect to " + where + ": " + why);
}

Problem answer_problem() {
  return client_problem("http.answer", "对方的回答不是有效的 HTTP。",
                        "The answer is not valid HTTP.");
}

}  // namespace

struct Client::Impl {
  Impl(std::string h, std::uint16_t p, ClientOptions o)
      : host(std::move(h)), port(p), options(std::move(o)) {}
  ~Impl() { close(); }

  Status connect();
  Status connect_tcp();
  Status connect_tls();
  void close();
  bool wait(short events, int timeout_ms) const;
  bool write(std::string_view bytes);
  std::string read_some(std::size_t size_max, int timeout_ms);
  bool fill();  // more bytes into `in`; false at the end or after the time
  std::optional<std::string> line();
  Result<ClientResponse> read_head();
  Status read_body(ClientResponse& response);
  Status read_chunked(std::string& body);
  Status need(std::size_t bytes);

  const std::string host;
  const std::uint16_t port;
  const ClientOptions options;
  int fd = -1;
  SSL* ssl = nullptr;
  SSL_CTX* context = nullptr;
  std::string in;
  std::uint64_t heartbeats = 0;
  Event event;  // being read
};

void Client::Impl::close() {
  if (ssl) SSL_free(ssl);
  if (fd >= 0) ::close(fd);
  ssl = nullptr;
  fd = -1;
  in.clear();
  event = {};
  if (context) SSL_CTX_free(context);
  context = nullptr;
}

bool Client::Impl::wait(short events, int timeout_ms) const {
  pollfd p{fd, events, 0};
  for (;;) {
    const int n = ::poll(&p, 1, timeout_ms);
    if (n < 0 && errno == EINTR) continue;
    return n > 0;
  }
}

Status Client::Impl::connect_tcp() {
  const std::string where = host + ":" + std::to_string(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (int e = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); e != 0) {
    return connect_problem(where, ::gai_strerror(e));
  }
  int error = 0;
  for (addrinfo* a = found; a && fd < 0; a = a->ai_next) {
    fd = ::socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) continue;
    error = ::connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      socklen_t size = sizeof error;
      if (!wait(POLLOUT, options.timeout_ms)) {
        error = ETIMEDOUT;
      } else {
        ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
      }
    }
    if (error != 0) ::close(fd), fd = -1;
  }
  ::freeaddrinfo(found);
  if (fd < 0) return connect_problem(where, std::strerror(error));
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return done();
}

Status Client::Impl::connect_tls() {
  const std::string where = host + ":" + std::to_string(port);
  context = SSL_CTX_new(TLS_client_method());
  if (!context) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (options.verify) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    const char* file = options.ca_file.c_str();
    const int loaded = options.ca_file.empty()
                           ? SSL_CTX_set_default_verify_paths(context)
                           : SSL_CTX_load_verify_locations(context, file, nullptr);
    if (loaded != 1) return connect_problem(where, "cannot read " + options.ca_file);
  }
  ssl = SSL_new(context);
  if (!ssl) throw std::bad_alloc();
  SSL_set_fd(ssl, fd);
  X509_VERIFY_PARAM* verify = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(verify, host.c_str()) != 1) {
    SSL_set1_host(ssl, host.c_str());
    SSL_set_tlsext_host_name(ssl, host.c_str());
  }
  for (;;) {
    const int n = SSL_connect(ssl);
    if (n == 1) return done();
    const int want = SSL_get_error(ssl, n);
    if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE) {
      const char* why = ERR_reason_error_string(ERR_peek_error());
      return connect_problem(where, why ? why : "TLS failed");
    }
    if (!wait(want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, options.timeout_ms)) {
      return connect_problem(where, "TLS timed out");
    }
  }
}

Status Client::Impl::connect() {
  close();
  Status connected = connect_tcp();
  if (connected && options.tls) connected = connect_tls();
  if (!connected) close();
  return connected;
}

bool Client::Impl::write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (fd < 0) return false;
    ERR_clear_error();
    const ssize_t n = ssl ? SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size()))
                          : ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
      continue;
    }
    short events = POLLOUT;
    if (ssl) {
      const int want = SSL_get_error(ssl, static_cast<int>(n));
      if (want == SSL_ERROR_WANT_READ)
        events = POLLIN;
      else if (want != SSL_ERROR_WANT_WRITE)
        return false;
    } else if (errno == EINTR) {
      continue;
    } else if (errno != EAGAIN) {
      return false;
    }
    if (!wait(events, options.timeout_ms)) return false;
  }
  return true;
}

// What has come, at most size_max; "" when closed or nothing came in time (closed: fd is -1).
std::string Client::Impl::read_some(std::size_t size_max, int timeout_ms) {
  std::string out(size_max, '\0');
  while (fd >= 0) {
    ERR_clear_error();
    const ssize_t n = ssl ? SSL_read(ssl, out.data(), static_cast<int>(out.size()))
                          : ::recv(fd, out.data(), out.size(), 0);
    if (n > 0) {
      out.resize(static_cast<std::size_t>(n));
      return out;
    }
    short events = POLLIN;
    if (ssl) {
      const int want = SSL_get_error(ssl, static_cast<int>(n));
      if (want == SSL_ERROR_WANT_WRITE)
        events = POLLOUT;
      else if (want != SSL_ERROR_WANT_READ)
        break;
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
      break;
    }
    if (!wait(events, timeout_ms)) return "";
  }
  close();
  return "";
}

bool Client::Impl::fill() {
  std::string kept = std::move(in);
  std::string more = read_some(16 * 1024, options.timeout_ms);
  in = std::move(kept) + more;
  return !more.empty();
}

Status Client::Impl::need(std::size_t bytes) {
  while (in.size() < bytes) {
    if (fill()) continue;
    if (fd < 0) {
      return client_problem("http.closed", "连接在回答完成前被关闭。",
                            "The connection closed before the answer was complete.");
    }
    return client_problem("http.timeout", "等待回答超时。", "Timed out waiting for the answer.");
  }
  return done();
}

std::optional<std::string> Client::Impl::line() {
  for (std::size_t searched = 0;;) {
    const std::size_t end = in.find('\n', searched);
    if (end != std::string::npos) {
      std::string out = in.substr(0, end);
      in.erase(0, end + 1);
      if (out.ends_with('\r')) out.pop_back();
      return out;
    }
    searched = in.size();
    if (in.size() > (1 << 20) || !need(in.size() + 1)) return std::nullopt;
  }
}

Result<ClientResponse> Client::Impl::read_head() {
  if (auto first = need(1); !first) return first.problem();
  ClientResponse r;
  auto status = line();
  if (!status || status->size() < 12 || !status->starts_with("HTTP/1.")) return answer_problem();
  r.status = to_int<int>(std::string_view(*status).substr(9, 3)).value_or(0);
  if (r.status < 100) return answer_problem();
  for (;;) {
    auto field = line();
    if (!field || r.headers.all().size() > 200) return answer_problem();
    if (field->empty()) return r;
    const std::size_t colon = field->find(':');
    if (colon == std::string::npos) return answer_problem();
    r.headers.add(field->substr(0, colon), trim(std::string_view(*field).substr(colon + 1)));
  }
}

Status Client::Impl::read_chunked(std::string& body) {
  for (;;) {
    auto head = line();
    if (!head || head->empty() || head->size() > 16) return answer_problem();
    std::size_t size = 0;
    auto [end, error] = std::from_chars(head->data(), head->data() + head->size(), size, 16);
    if (error != std::errc{} || end != head->data() + head->size()) return answer_problem();
    if (body.size() + size > options.body_max) {
      return client_problem("http.too_large", "回答过大。", "The answer is too large.");
    }
    if (auto got = need(size + 2); !got) return got;
    body.append(in, 0, size);
    in.erase(0, size + 2);
    if (size == 0) return done();
  }
}

Status Client::Impl::read_body(ClientResponse& r) {
  if (equals_ignore_case(r.headers.get_or("Transfer-Encoding"), "chunked")) {
    return read_chunked(r.body);
  }
  if (auto length = r.headers.get("Content-Length")) {
    auto size = to_int<std::size_t>(*length);
    if (!size) return answer_problem();
    if (*size > options.body_max) {
      return client_problem("http.too_large", "回答过大。", "The answer is too large.");
    }
    if (auto got = need(*size); !got) return got;
    r.body = in.substr(0, *size);
    in.erase(0, *size);
    return done();
  }
  while (fd >= 0 && in.size() <= options.body_max && fill()) {
  }
  r.body = std::exchange(in, {});
  close();
  return done();
}

Client::Client(std::string host, std::uint16_t port, ClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(host), port, std::move(options))) {}
Client::~Client() = default;

Status Client::connect() { return impl_->connect(); }
bool Client::connected() const { return impl_->fd >= 0; }
void Client::close() { impl_->close(); }
bool Client::write(std::string_view bytes) { return impl_->write(bytes); }
std::uint64_t Client::heartbeats() const { return impl_->heartbeats; }

std::string Client::read(std::size_t size_max, int timeout_ms) {
  if (!impl_->in.empty()) {
    std::string out = impl_->in.substr(0, size_max);
    impl_->in.erase(0, out.size());
    return out;
  }
  return impl_->read_some(size_max, timeout_ms);
}

std::string Client::tls_version() const { return impl_->ssl ? SSL_get_version(impl_->ssl) : ""; }

Result<ClientResponse> Client::read_response(bool head) {
  auto response = impl_->read_head();
  while (response && response->status == 100) response = impl_->read_head();
  if (!response) return response;
  const int s = response->status;
  if (!head && s != 204 && s != 304) {
    if (auto body = impl_->read_body(*response); !body) return body.problem();
  }
  if (equals_ignore_case(response->headers.get_or("Connection"), "close")) impl_->close();
  return response;
}

namespace {

std::string client_request_text(const std::string& host, std::uint16_t port,
                                std::string_view method, std::string_view target,
                                const Headers& headers, std::string_view body) {
  std::string out;
  out.append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
  const bool v6 = host.find(':') != std::string::npos;
  if (!headers.has("Host")) {
    out += "Host: " + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port) + "\r\n";
  }
  for (const auto& [name, value] : headers.all()) {
    out.append(name).append(": ").append(value).append("\r\n");
  }
  if (!body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
    out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  out += "\r\n";
  return out.append(body);
}

}  // namespace

Result<ClientResponse> Client::request(std::string_view method, std::string_view target,
                                       const Headers& headers, std::string_view body) {
  const std::string text =
      client_request_text(impl_->host, impl_->port, method, target, headers, body);
  // An idle connection with something to read has been closed (or is out of step): not used again.
  if (connected() && (impl_->wait(POLLIN, 0) || !impl_->in.empty())) close();
  const bool reused = connected();
  const bool head = method == "HEAD";
  auto once = [&]() -> Result<ClientResponse> {
    if (!connected()) {
      if (auto opened = connect(); !opened) return opened.problem();
    }
    write(text);  // a refusal may come before everything is written, so read in any case
    return read_response(head);
  };
  auto response = once();
  const bool went_away = !response && reused && !connected() && impl_->in.empty();
  if (went_away && (head || method == "GET")) return once();  // nothing else may happen twice
  return response;
}

Result<ClientResponse> Client::get(std::string_view target, const Headers& headers) {
  return request("GET", target, headers);
}

Result<ClientResponse> Client::post_json(std::string_view target, const json::value& body,
                                         Headers headers) {
  headers.set("Content-Type", "application/json");
  return request("POST", target, headers, json::serialize(body));
}

Result<ClientResponse> Client::open_events(std::string_view target, const Headers& headers) {
  Headers all = headers;
  all.set("Accept", "text/event-stream");
  if (auto opened = connect(); !opened) return opened.problem();
  write(client_request_text(impl_->host, impl_->port, "GET", target, all, {}));
  auto response = impl_->read_head();
  if (response && response->status != 200) {
    if (auto body = impl_->read_body(*response); !body) return body.problem();
  }
  return response;
}

std::optional<Event> Client::next_event(int timeout_ms) {
  Impl& i = *impl_;
  const SystemClock clock;
  const std::int64_t until_ns = clock.monotonic_ns() + timeout_ms * 1'000'000LL;
  for (;;) {
    for (std::size_t end; (end = i.in.find('\n')) != std::string::npos;) {
      std::string text = i.in.substr(0, end);
      i.in.erase(0, end + 1);
      if (text.ends_with('\r')) text.pop_back();
      if (text.empty()) {
        if (i.event.data.empty() && i.event.id.empty()) continue;
        if (i.event.data.ends_with('\n')) i.event.data.pop_back();
        return std::exchange(i.event, {});
      }
      const std::size_t colon = text.find(':');
      if (colon == 0) {
        ++i.heartbeats;
        continue;
      }
      std::string value = colon == std::string::npos ? "" : text.substr(colon + 1);
      if (value.starts_with(' ')) value.erase(0, 1);
      const std::string name = text.substr(0, colon);
      if (name == "id") i.event.id = value;
      if (name == "event") i.event.event = value;
      if (name == "data") i.event.data += value + "\n";
    }
    std::string kept = std::move(i.in);
    Event half = std::move(i.event);
    const std::int64_t left_ms = (until_ns - clock.monotonic_ns()) / 1'000'000;
    // Clears both when the stream has ended.
    std::string more = i.read_some(16 * 1024, static_cast<int>(std::max<std::int64_t>(0, left_ms)));
    if (more.empty()) {
      if (i.fd >= 0) i.in = std::move(kept), i.event = std::move(half);
      return std::nullopt;
    }
    i.in = std::move(kept) + more;
    i.event = std::move(half);
  }
}

}  // namespace cw::http
