// One client's connection: read a header, guard it, read the body, run the handler, answer, again.
// Every member function runs on the network thread, but `respond_later`, which any thread may call.
//
//   handshake ─► idle ─► header ─► body ─► handling ─► writing ─► idle …
//                           └───── refusal ────────────────┘└─► streaming | lingering ─► closed
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <optional>
#include <string>

#include "core.h"
#include "stream.h"
#include "wire.h"

namespace cw::http {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Tcp = boost::asio::ip::tcp;
  Connection(std::shared_ptr<Core> core, Tcp::socket socket, std::string peer);

  void start();
  // Enforces the deadline of the present phase and sends heartbeats. Called a few times a second.
  void sweep(std::int64_t now_ns);
  // The server stops: idle ends now, streams end, a request under way is still answered.
  void wind_down();
  void close();
  // May be closed for a newcomer: nothing of it is being served. An honest client is in these
  // phases for milliseconds or is idle, so the one whose deadline is nearest goes first.
  bool evictable() const {
    return phase_ == Phase::idle || phase_ == Phase::header || phase_ == Phase::handshake;
  }
  std::int64_t deadline_ns() const { return deadline_ns_; }

  void respond_later(Response response, std::shared_ptr<StreamState> stream);
  void flush_stream();

 private:
  enum class Phase {
    handshake,
    idle,
    header,
    body,
    handling,
    writing,
    streaming,
    lingering,
    closed
  };
  using Error = boost::system::error_code;
  using Done = void (Connection::*)(const Error&, std::size_t);

  void enter(Phase phase, std::int64_t wait_ms);
  void read(Done done);
  void write_out(Done done);
  void on_handshake(const Error& error);
  void begin_request();
  void on_read(const Error& error, std::size_t size);
  void read_header();
  void on_header();
  std::optional<Response> route();
  void apply_proxy(Request& request);
  void begin_body();
  void on_continue_written(const Error& error, std::size_t size);
  void read_body();
  void dispatch();
  void refuse(const Refused& why);
  void refuse_busy(const char* zh, const char* en);
  Request stub() const;
  void respond(Response response, std::shared_ptr<StreamState> stream);
  void on_written(const Error& error, std::size_t size);
  void on_stream_written(const Error& error, std::size_t size);
  void on_stream_read(const Error& error, std::size_t size);
  void write_stream(std::string bytes);
  void drop_stream();
  void linger();
  void drain(const Error& error, std::size_t size);
  bool charge_body();
  void release_body();

  const std::shared_ptr<Core> core_;
  Tcp::socket socket_;
  std::optional<boost::asio::ssl::stream<Tcp::socket&>> tls_;
  const std::string peer_;

  Phase phase_ = Phase::handshake;
  std::int64_t deadline_ns_ = 0;
  bool timed_out_ = false;  // the read under way was cancelled by its deadline
  std::uint64_t requests_ = 0;
  std::array<char, 8 * 1024> chunk_;
  std::string in_;  // received, not yet used
  std::optional<HeadReader> head_reader_;
  std::optional<BodyReader> body_reader_;
  Head head_;                // of the request under way
  std::size_t charged_ = 0;  // bytes of it counted in Core::body_bytes

  // Of the request under way, kept while a worker has the request itself.
  std::string id_, lang_;
  bool head_only_ = false, tls_seen_ = false;
  bool keep_alive_ = false;
  std::string out_header_, out_body_;

  std::shared_ptr<StreamState> stream_;
  bool stream_writing_ = false, stream_last_ = false;
  std::int64_t stream_wrote_ns_ = 0;
  std::size_t drained_ = 0;
};

}  // namespace cw::http
