// Syslog over UDP and TCP: one thread, many sockets, bounded everything. TCP frames by octet
// counting or by LF, told apart frame by frame (RFC 6587). When the queue has no room, connections
// are not read (the senders wait) and datagrams are counted as refused.
//
//   Listener listener(queue, clock);
//   Status s = listener.add(source_index, config, counters);   // binds
//   listener.poll(100ms);                                       // one round; on one thread
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "queue.h"
#include "watch.h"

namespace cw::watch {

// What a source counted so far. Written by several threads.
struct SourceCounters {
  std::atomic<std::uint64_t> lines{0}, lines_out{0}, refused{0}, bytes{0}, cut{0};
  std::atomic<std::uint64_t> events{0}, late{0}, decoded_lines{0};
  std::atomic<std::uint64_t> connections{0}, connections_refused{0}, rotations{0};
  std::atomic<std::int64_t> last_ms{0}, silent_after_ms{0};
  std::atomic<std::uint16_t> port{0};
  std::atomic<bool> silent{false}, reading{true};
};

// Cuts a TCP stream into messages. Bounded by `line_max`.
class Framer {
 public:
  explicit Framer(std::size_t line_max) : line_max_(line_max) {}
  struct Counts {
    std::uint64_t cut = 0, refused = 0;
  };
  // Gives the complete messages; false when the stream is beyond repair and must be closed.
  template <typename F>
  bool feed(std::string_view bytes, F&& message) {
    buffer_ += bytes;
    std::string_view next;
    while (true) {
      Step step = take(next);
      if (step == Step::more) return true;
      if (step == Step::broken) return false;
      if (step == Step::message && !next.empty()) message(next);
      drop();
    }
  }
  std::string_view rest();  // at the end of the stream: what is left without an LF
  const Counts& counts() const { return counts_; }

 private:
  enum class Step { message, skip, more, broken };
  Step take(std::string_view& out);
  void drop();
  std::size_t line_max_;
  std::string buffer_;
  std::size_t begin_ = 0, used_ = 0;  // of buffer_: where the frame begins, how much it takes
  std::size_t skip_ = 0;              // bytes of an oversize counted frame still to come
  bool skip_line_ = false;            // the rest of an oversize line
  Counts counts_;
};

class Listener {
 public:
  Listener(BatchQueue& queue, Clock& clock);
  ~Listener();

  Status add(std::size_t source, const SourceConfig& config, SourceCounters& counters);
  // Waits for something to read, at most `wait`, and reads it. True if anything was read.
  bool poll(std::chrono::milliseconds wait);
  void wake();  // from another thread: poll returns

 private:
  struct Socket;
  struct Connection;
  void read_datagrams(Socket& s);
  void accept_all(Socket& s);
  bool read_connection(Connection& c);  // false: closed
  void push(Batch& batch, SourceCounters& counters, bool read_already);

  BatchQueue& queue_;
  Clock& clock_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::list<Connection> connections_;
  int wake_[2] = {-1, -1};
};

}  // namespace cw::watch
