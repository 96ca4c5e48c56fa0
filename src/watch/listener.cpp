#include "listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/text.h"

namespace cw::watch {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr int kDatagramsPerRound = 4096;
constexpr std::size_t kSkipMax = 16 << 20;

void set_option(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

std::string address_text(const sockaddr_storage& peer) {
  char text[INET6_ADDRSTRLEN] = "";
  if (peer.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(peer).sin_addr, text, sizeof text);
  } else if (peer.ss_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(peer);
    if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
      inet_ntop(AF_INET, six.sin6_addr.s6_addr + 12, text, sizeof text);
    } else {
      inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof text);
    }
  }
  return text;
}

Problem cannot_bind(const SourceConfig& c, int error) {
  std::string where = c.bind + ":" + std::to_string(c.port);
  std::string why = std::strerror(error);
  return problem(Refusal::unavailable, "source.bind",
                 {"来源 " + c.id + " 无法监听 " + where + ":" + why + "。",
                  "Source " + c.id + " cannot listen on " + where + ": " + why + "."},
                 {{"/sources/" + c.id + "/port",
                   {"换一个端口,或停掉占用它的程序。",
                    "Choose another port, or stop the program that holds it."}}});
}

}  // namespace

// ---- framing
// -------------------------------------------------------------------------------------

void Framer::drop() {
  begin_ += used_;
  used_ = 0;
  if (begin_ > kReadBytes || begin_ == buffer_.size()) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
}

Framer::Step Framer::take(std::string_view& out) {
  out = {};
  std::string_view s = std::string_view(buffer_).substr(begin_);
  if (skip_ > 0) {
    used_ = std::min(skip_, s.size());
    skip_ -= used_;
    return used_ == 0 ? Step::more : Step::skip;
  }
  if (s.empty()) return Step::more;
  // "123 <34>1 …": a count, a space, and a priority. Anything else is a line.
  std::size_t digits = 0;
  while (digits < s.size() && digits < 8 && s[digits] >= '0' && s[digits] <= '9') ++digits;
  bool undecided = !skip_line_ && digits > 0 && s[0] != '0' &&
                   (digits == s.size() || (s[digits] == ' ' && digits + 1 == s.size()));
  if (undecided) return Step::more;
  bool counted =
      !skip_line_ && digits > 0 && s[0] != '0' && s[digits] == ' ' && s[digits + 1] == '<';
  if (counted) {
    std::size_t size = *to_int<std::size_t>(s.substr(0, digits));
    if (size > line_max_) {
      ++counts_.refused;
      if (size > kSkipMax) return Step::broken;
      skip_ = size;
      used_ = digits + 1;
      return Step::skip;
    }
    if (s.size() < digits + 1 + size) return Step::more;
    out = s.substr(digits + 1, size);
    used_ = digits + 1 + size;
    return Step::message;
  }
  std::size_t lf = s.find('\n');
  if (lf == std::string_view::npos && s.size() <= line_max_) return Step::more;
  if (lf == std::string_view::npos) {  // no end in sight: give what fits, skip the rest
    bool again = std::exchange(skip_line_, true);
    used_ = s.size();
    if (again) return Step::skip;
    ++counts_.cut;
    out = s.substr(0, line_max_);
    return Step::message;
  }
  used_ = lf + 1;
  if (std::exchange(skip_line_, false)) return Step::skip;
  if (lf > line_max_) ++counts_.cut;
  out = s.substr(0, std::min(lf, line_max_));
  while (out.ends_with('\r') || out.ends_with('\0')) out.remove_suffix(1);
  return Step::message;
}

std::string_view Framer::rest() {
  if (skip_ > 0 || skip_line_) return {};
  return std::string_view(buffer_).substr(begin_);
}

// ---- sockets
// -------------------------------------------------------------------------------------

struct Listener::Socket {
  int fd = -1;
  std::size_t source = 0;
  SourceConfig config;
  SourceCounters* counters = nullptr;
  std::size_t open = 0;       // TCP connections
  std::uint32_t dropped = 0;  // by the kernel, as last told
  ~Socket() {
    if (fd >= 0) close(fd);
  }
};

struct Listener::Connection {
  int fd;
  Socket* socket;
  std::string peer;
  std::int64_t last_ms;
  Framer framer;
  Framer::Counts told;
};

Listener::Listener(BatchQueue& queue, Clock& clock) : queue_(queue), clock_(clock) {
  if (pipe2(wake_, O_CLOEXEC | O_NONBLOCK) != 0)
    throw std::system_error(errno, std::generic_category());
}

Listener::~Listener() {
  for (Connection& c : connections_) close(c.fd);
  for (int fd : wake_) close(fd);
}

void Listener::wake() {
  char byte = 0;
  if (write(wake_[1], &byte, 1) < 0) return;  // full: it will wake anyway
}

Status Listener::add(std::size_t source, const SourceConfig& config, SourceCounters& counters) {
  bool udp = config.kind == SourceConfig::Kind::syslog_udp;
  addrinfo hints{}, *found = nullptr;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = udp ? SOCK_DGRAM : SOCK_STREAM;
  if (getaddrinfo(config.bind.c_str(), std::to_string(config.port).c_str(), &hints, &found) != 0) {
    return invalid("source.bind", "/sources/" + config.id + "/bind",
                   {"请填写本机的 IP 地址。", "Give an IP address of this machine."});
  }
  auto s = std::make_unique<Socket>();
  s->fd = socket(found->ai_family, hints.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (s->fd >= 0) {
    if (!udp) set_option(s->fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (udp) {
      set_option(s->fd, SOL_SOCKET, SO_RCVBUF, 8 << 20);
      set_option(s->fd, SOL_SOCKET, SO_RXQ_OVFL, 1);  // the kernel tells how many it dropped
    }
  }
  bool ok = s->fd >= 0 && bind(s->fd, found->ai_addr, found->ai_addrlen) == 0 &&
            (udp || listen(s->fd, 128) == 0);
  int error = errno;
  freeaddrinfo(found);
  if (!ok) return cannot_bind(config, error);
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  getsockname(s->fd, reinterpret_cast<sockaddr*>(&bound), &size);
  counters.port =
      ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                                        : reinterpret_cast<sockaddr_in&>(bound).sin_port);
  s->source = source;
  s->config = config;
  s->counters = &counters;
  sockets_.push_back(std::move(s));
  return done();
}

void Listener::push(Batch& batch, SourceCounters& counters, bool read_already) {
  if (batch.ends.empty()) return;
  std::size_t lines = batch.ends.size();
  counters.last_ms = batch.received_ms;
  bool ok = queue_.try_push(std::move(batch), read_already);
  (ok ? counters.lines_out : counters.refused) += lines;
}

void Listener::read_datagrams(Socket& s) {
  SourceCounters& counters = *s.counters;
  Batch batch{.source = s.source, .received_ms = clock_.now_ms()};
  sockaddr_storage last{};
  char buffer[kReadBytes];
  for (int n = 0; n < kDatagramsPerRound; ++n) {
    sockaddr_storage peer{};
    iovec io{buffer, sizeof buffer};
    alignas(cmsghdr) char control[64];
    msghdr m{&peer, sizeof peer, &io, 1, control, sizeof control, 0};
    ssize_t size = recvmsg(s.fd, &m, 0);
    if (size < 0) break;
    for (cmsghdr* c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
      if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL) continue;
      std::uint32_t dropped = 0;
      std::memcpy(&dropped, CMSG_DATA(c), sizeof dropped);
      std::uint32_t more = dropped - s.dropped;
      s.dropped = dropped;
      counters.lines += more;
      counters.refused += more;
    }
    std::string_view text(buffer, static_cast<std::size_t>(size));
    ++counters.lines;
    counters.bytes += text.size();
    if (text.size() > s.config.line_max) {
      text = text.substr(0, s.config.line_max);
      ++counters.cut;
    }
    bool other = std::memcmp(&peer, &last, sizeof peer) != 0;
    if (!batch.ends.empty() && (other || batch.bytes.size() >= BatchQueue::kBatchBytes)) {
      std::int64_t at = batch.received_ms;
      std::string sender = batch.sender;
      push(batch, counters, false);
      batch = Batch{.source = s.source, .sender = sender, .received_ms = at};
    }
    if (other) {
      batch.sender = address_text(peer);
      last = peer;
    }
    batch.add(text);
  }
  push(batch, counters, false);
}

void Listener::accept_all(Socket& s) {
  while (true) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    int fd = accept4(s.fd, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    if (s.open >= s.config.connections_max) {
      ++s.counters->connections_refused;
      close(fd);
      continue;
    }
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    ++s.open;
    ++s.counters->connections;
    connections_.push_back(
        {fd, &s, address_text(peer), clock_.now_ms(), Framer(s.config.line_max), {}});
  }
}

bool Listener::read_connection(Connection& c) {
  SourceCounters& counters = *c.socket->counters;
  Batch batch{.source = c.socket->source, .sender = c.peer, .received_ms = clock_.now_ms()};
  char buffer[kReadBytes];
  bool open = true;
  for (int n = 0; n < 4 && open; ++n) {
    ssize_t size = recv(c.fd, buffer, sizeof buffer, 0);
    if (size < 0) {
      open = errno == EAGAIN || errno == EINTR;
      break;
    }
    if (size == 0) {
      if (std::string_view rest = c.framer.rest(); !trim(rest).empty()) {
        batch.add(rest);
        ++counters.lines;
      }
      open = false;
      break;
    }
    c.last_ms = batch.received_ms;
    counters.bytes += static_cast<std::uint64_t>(size);
    open = c.framer.feed({buffer, static_cast<std::size_t>(size)}, [&](std::string_view line) {
      ++counters.lines;
      batch.add(line);
    });
  }
  const Framer::Counts& now = c.framer.counts();
  counters.cut += now.cut - c.told.cut;
  counters.lines += now.refused - c.told.refused;
  counters.refused += now.refused - c.told.refused;
  c.told = now;
  push(batch, counters, true);
  return open;
}

bool Listener::poll(std::chrono::milliseconds wait) {
  bool room = queue_.room();
  std::vector<pollfd> fds{{wake_[0], POLLIN, 0}};
  for (const auto& s : sockets_) {
    // Datagrams are read even without room: what is lost must be counted.
    fds.push_back({s->fd, POLLIN, 0});
  }
  for (const Connection& c : connections_) {
    fds.push_back({c.fd, static_cast<short>(room ? POLLIN : 0), 0});
  }
  int timeout = static_cast<int>(room ? wait.count() : std::min<std::int64_t>(wait.count(), 10));
  int ready = ::poll(fds.data(), fds.size(), timeout);
  bool any = false;
  if (ready > 0 && fds[0].revents) {
    char bytes[64];
    while (read(wake_[0], bytes, sizeof bytes) > 0) {
    }
  }
  std::int64_t now = clock_.now_ms();
  std::size_t at = 1 + sockets_.size();
  for (auto c = connections_.begin(); c != connections_.end(); ++at) {
    bool open = true;
    // One batch a connection and a round, and only while there is room: nothing read is refused.
    if (ready > 0 && fds[at].revents && queue_.room()) {
      open = read_connection(*c);
      any = true;
    }
    if (open && now - c->last_ms <= c->socket->config.idle_ms) {
      ++c;
      continue;
    }
    close(c->fd);
    --c->socket->open;
    c = connections_.erase(c);
  }
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    if (ready <= 0 || !fds[1 + i].revents) continue;
    any = true;
    if (sockets_[i]->config.kind == SourceConfig::Kind::syslog_udp)
      read_datagrams(*sockets_[i]);
    else
      accept_all(*sockets_[i]);
  }
  return any;
}

}  // namespace cw::watch
