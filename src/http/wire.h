// The wire guard: bytes in, one request or one refusal out. Pure, no I/O, so that it can be fuzzed.
// Where RFC 9112 lets a recipient be lenient, this refuses: a message that two parsers could read
// in two ways is never passed on. One thread at a time.
//
//   HeadReader head(limits);
//   switch (head.read(received, used)) { case Step::more: …; case Step::done: use(head.head()); }
//   BodyReader body(head.head(), body_max);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http.h"

namespace cw::http {

struct WireLimits {
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t header_count_max = 100;
};

// A refusal by the guard: the status to answer and why.
struct Refused {
  int status = 400;
  Problem problem;
};

Refused refused(int status, std::string code, std::string zh, std::string en);

// Everything the header says, decoded into `request` (without body, peer, id).
struct Head {
  Request request;
  bool http11 = true;
  bool keep_alive = true;
  bool chunked = false;
  bool expect_continue = false;
  std::uint64_t content_length = 0;
};

enum class Step { more, done, refused };

class HeadReader {
 public:
  explicit HeadReader(WireLimits limits) : limits_(limits) {}
  // `in` is everything received and not yet used, and only grows between calls. `used` is set
  // when done; after a refusal nothing that follows may be parsed.
  Step read(std::string_view in, std::size_t& used);
  Head& head() { return head_; }
  const Refused& refusal() const { return refusal_; }

 private:
  Step refuse(Refused why, std::string_view in);

  const WireLimits limits_;
  std::size_t seen_ = 0;       // bytes scanned
  bool line_checked_ = false;  // the request line has been looked at
  Head head_;
  Refused refusal_;
};

// Length-delimited or chunked; a chunk extension or a trailer field is refused.
class BodyReader {
 public:
  BodyReader(const Head& head, std::size_t body_max);
  // Uses as much of `in` as it can; `out` grows to at most the limit.
  Step read(std::string_view in, std::size_t& used, std::string& out);
  const Refused& refusal() const { return refusal_; }

 private:
  enum class At {
    length,
    size_start,
    size,
    size_lf,
    data,
    data_cr,
    data_lf,
    last_cr,
    last_lf,
    end
  };
  Step refuse(Refused why);
  Step framing(char c, std::size_t have);

  const std::size_t body_max_;
  At at_;
  std::uint64_t left_ = 0;  // of the body or of this chunk
  int digits_ = 0;
  Refused refusal_;
};

// "zh" or "en" from Accept-Language; zh when it prefers neither.
std::string language_of(std::string_view accept_language);

// Decodes the request target (RFC 9112 §3.2: origin-form, absolute-form for `host`, or "*" of
// OPTIONS) into target, path, segments and query; a refusal when it is not exactly one of them.
std::optional<Refused> decode_target(std::string_view target, std::string_view host, Request& out);

bool is_token_char(char c);  // RFC 9110 §5.6.2

}  // namespace cw::http
