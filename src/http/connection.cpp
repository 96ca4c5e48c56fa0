#include "connection.h"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>

#include "answer.h"
#include "base/log.h"
#include "internal.h"

namespace cw::http {

namespace asio = boost::asio;

namespace {

constexpr std::int64_t kLingerMs = 3'000;
constexpr std::size_t kDrainMax = 16 << 20;  // bytes thrown away after a refusal

}  // namespace

Connection::Connection(std::shared_ptr<Core> core, Tcp::socket socket, std::string peer)
    : core_(std::move(core)), socket_(std::move(socket)), peer_(std::move(peer)) {
  if (core_->tls) {
    SSL* ssl = SSL_new(core_->tls.get());
    if (!ssl) throw std::bad_alloc();
    tls_.emplace(socket_, ssl);
  }
}

void Connection::enter(Phase phase, std::int64_t wait_ms) {
  phase_ = phase;
  deadline_ns_ = core_->real.monotonic_ns() + wait_ms * 1'000'000;
}

void Connection::start() {
  Error ignored;
  socket_.set_option(Tcp::no_delay(true), ignored);
  if (!tls_) return begin_request();
  enter(Phase::handshake, core_->options.header_ms);
  tls_->async_handshake(asio::ssl::stream_base::server,
                        [self = shared_from_this()](const Error& e) { self->on_handshake(e); });
}

void Connection::on_handshake(const Error& error) {
  if (phase_ == Phase::closed) return;
  if (!error) return begin_request();
  if (error.category() == asio::error::get_ssl_category() &&
      ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_HTTP_REQUEST) {
    tls_.reset();  // someone typed http:// for https://: tell them, in clear
    head_.request.lang = lang_ = "zh";
    return refuse(refused(400, "http.tls-needed", "此端口只接受 HTTPS。请把网址改为 https://。",
                          "This port speaks HTTPS only: use https:// in the address."));
  }
  close();
}

void Connection::read(Done done) {
  auto call = [self = shared_from_this(), done](const Error& e, std::size_t n) {
    ((*self).*done)(e, n);
  };
  if (tls_) {
    tls_->async_read_some(asio::buffer(chunk_), std::move(call));
  } else {
    socket_.async_read_some(asio::buffer(chunk_), std::move(call));
  }
}

void Connection::write_out(Done done) {
  const std::array<asio::const_buffer, 2> out{asio::buffer(out_header_), asio::buffer(out_body_)};
  auto call = [self = shared_from_this(), done](const Error& e, std::size_t n) {
    ((*self).*done)(e, n);
  };
  if (tls_) {
    asio::async_write(*tls_, out, std::move(call));
  } else {
    asio::async_write(socket_, out, std::move(call));
  }
}

void Connection::begin_request() {
  release_body();
  head_ = Head{};
  id_.clear();
  lang_ = "zh";
  head_only_ = false;
  tls_seen_ = tls_.has_value();
  body_reader_.reset();
  head_reader_.emplace(
      WireLimits{core_->options.header_bytes_max, core_->options.header_count_max});
  if (core_->stopping) return linger();
  enter(Phase::idle, requests_ == 0 ? core_->options.header_ms : core_->options.idle_ms);
  if (in_.empty()) return read(&Connection::on_read);
  read_header();
}

void Connection::on_read(const Error& error, std::size_t size) {
  if (phase_ == Phase::closed) return;
  if (timed_out_) {
    timed_out_ = false;
    return refuse(refused(408, "http.timeout", "请求没有在限定时间内发送完。未保存任何内容。",
                          "The request was not sent within the time limit. Nothing was saved."));
  }
  if (error) return close();
  in_.append(chunk_.data(), size);
  if (phase_ == Phase::body) return read_body();
  read_header();
}

void Connection::on_written(const Error& error, std::size_t) {
  if (phase_ == Phase::closed) return;
  if (error) return close();
  out_header_.clear();
  out_body_ = std::string();
  if (stream_) {
    enter(Phase::streaming, 0);
    if (core_->stopping) stream_->finish();
    stream_wrote_ns_ = core_->real.monotonic_ns();
    read(&Connection::on_stream_read);
    return flush_stream();
  }
  if (keep_alive_) return begin_request();
  linger();
}

// Nothing is expected from the client of a stream; reading tells when it goes.
void Connection::on_stream_read(const Error& error, std::size_t size) {
  if (phase_ == Phase::closed) return;
  drained_ += size;
  if (error || drained_ > core_->options.header_bytes_max) return close();
  if (phase_ == Phase::streaming) read(&Connection::on_stream_read);
}

void Connection::flush_stream() {
  if (phase_ != Phase::streaming || stream_writing_) return;
  auto [bytes, last] = stream_->take();
  stream_last_ = last;
  if (!bytes.empty()) return write_stream(std::move(bytes));
  if (last) close();  // everything was written; the client resumes with Last-Event-ID
}

void Connection::write_stream(std::string bytes) {
  out_header_.clear();
  out_body_ = std::move(bytes);
  stream_writing_ = true;
  enter(Phase::streaming, core_->options.write_ms + slow_line_ms(out_body_.size()));
  write_out(&Connection::on_stream_written);
}

void Connection::on_stream_written(const Error& error, std::size_t) {
  if (phase_ == Phase::closed) return;
  if (error) return close();
  stream_writing_ = false;
  out_body_ = std::string();
  stream_wrote_ns_ = core_->real.monotonic_ns();
  flush_stream();
}

void Connection::sweep(std::int64_t now_ns) {
  if (phase_ == Phase::handling || phase_ == Phase::closed) return;
  if (phase_ == Phase::streaming && !stream_writing_) {
    if (now_ns - stream_wrote_ns_ >= core_->options.heartbeat_ms * 1'000'000LL) {
      write_stream(":\n\n");
    }
    return;
  }
  if (now_ns < deadline_ns_) return;
  if ((phase_ == Phase::header || phase_ == Phase::body) && !timed_out_) {
    timed_out_ = true;  // on_read answers 408; if even that is stuck, the next deadline closes
    deadline_ns_ = now_ns + 1'000'000'000;
    Error ignored;
    socket_.cancel(ignored);
    return;
  }
  close();
}

void Connection::wind_down() {
  if (phase_ == Phase::idle || phase_ == Phase::handshake) return close();
  if (phase_ == Phase::streaming) return stream_->finish();
  if (phase_ == Phase::lingering) deadline_ns_ = core_->real.monotonic_ns() + 300'000'000;
}

// The answer must reach a client that is still sending, so the connection is not reset: stop
// sending, throw away what comes, close when the client does or after a while.
void Connection::linger() {
  enter(Phase::lingering, core_->stopping ? 300 : kLingerMs);
  in_.clear();
  drained_ = 0;
  auto after = [self = shared_from_this()](const Error&) {
    if (self->phase_ == Phase::closed) return;
    self->tls_.reset();
    Error ignored;
    self->socket_.shutdown(Tcp::socket::shutdown_send, ignored);
    self->read(&Connection::drain);
  };
  if (tls_) {
    tls_->async_shutdown(std::move(after));
  } else {
    after({});
  }
}

void Connection::drain(const Error& error, std::size_t size) {
  if (phase_ == Phase::closed) return;
  drained_ += size;
  if (error || drained_ > kDrainMax) return close();
  read(&Connection::drain);
}

void Connection::drop_stream() {
  if (!stream_) return;
  stream_->detach();
  stream_.reset();
  --core_->streams;
}

void Connection::close() {
  if (phase_ == Phase::closed) return;
  phase_ = Phase::closed;
  drop_stream();
  release_body();
  Error ignored;
  socket_.close(ignored);
  core_->connections.erase(shared_from_this());
  if (--core_->open == 0) {
    std::lock_guard lock(core_->empty_mutex);
    core_->emptied.notify_all();
  }
}

}  // namespace cw::http
