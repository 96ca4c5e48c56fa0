#include <algorithm>
#include <optional>

#include "wire.h"

namespace cw::http {

// Chunked framing is decoded here and not by Beast 1.81, which accepts extensions and trailers and
// asserts on a last chunk that arrives byte by byte.
BodyReader::BodyReader(const Head& head, std::size_t body_max)
    : body_max_(body_max),
      at_(head.chunked ? At::size_start : At::length),
      left_(head.content_length) {
  if (!head.chunked && left_ == 0) at_ = At::end;
}

Step BodyReader::refuse(Refused why) {
  refusal_ = std::move(why);
  return Step::refused;
}

namespace {

Refused body_too_large(std::size_t body_max) {
  return refused(413, "wire.body-large",
                 "内容过大：上限为 " + std::to_string(body_max) + " 字节。未保存任何内容。",
                 "The body is too large: the limit is " + std::to_string(body_max) +
                     " bytes. Nothing was saved.");
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

// One byte of framing: chunk-size CRLF data CRLF … "0" CRLF CRLF (RFC 9112 §7.1), nothing else.
Step BodyReader::framing(char c, std::size_t have) {
  auto bad = [&] {
    return refuse(refused(400, "wire.chunk", "分块内容的格式无效（不接受扩展与尾部字段）。",
                          "The chunked body is not valid (extensions and trailers are refused)."));
  };
  switch (at_) {
    case At::size_start:
    case At::size:
      if (int digit = hex_digit(c); digit >= 0) {
        if (at_ == At::size_start) left_ = 0, digits_ = 0;
        if (++digits_ > 8) return bad();
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        at_ = At::size;
        return Step::more;
      }
      if (c != '\r' || at_ == At::size_start) return bad();
      at_ = At::size_lf;
      return Step::more;
    case At::size_lf:
      if (c != '\n') return bad();
      if (left_ > body_max_ - have) return refuse(body_too_large(body_max_));
      at_ = left_ == 0 ? At::last_cr : At::data;
      return Step::more;
    case At::data_cr:
    case At::last_cr:
      if (c != '\r') return bad();
      at_ = at_ == At::data_cr ? At::data_lf : At::last_lf;
      return Step::more;
    case At::data_lf:
    case At::last_lf:
      if (c != '\n') return bad();
      at_ = at_ == At::data_lf ? At::size_start : At::end;
      return at_ == At::end ? Step::done : Step::more;
    case At::length:
    case At::data:
    case At::end:
      break;
  }
  CW_CHECK(false);
  return Step::refused;
}

Step BodyReader::read(std::string_view in, std::size_t& used, std::string& out) {
  used = 0;
  if (at_ == At::length && left_ > body_max_) return refuse(body_too_large(body_max_));
  if (at_ == At::end) return Step::done;
  while (used < in.size()) {
    if (at_ != At::length && at_ != At::data) {
      const Step step = framing(in[used++], out.size());
      if (step != Step::more) return step;
      continue;
    }
    const std::size_t take = std::min<std::uint64_t>(left_, in.size() - used);
    out.append(in, used, take);
    used += take;
    left_ -= take;
    if (left_ > 0) break;
    if (at_ == At::length) {
      at_ = At::end;
      return Step::done;
    }
    at_ = At::data_cr;
  }
  return Step::more;
}

Result<Request> read_request(std::string_view bytes, std::size_t body_max, std::size_t piece) {
  HeadReader head_reader{WireLimits{}};
  std::optional<BodyReader> body_reader;
  std::string received;  // not yet used, as a connection holds it
  if (piece == 0) piece = std::max<std::size_t>(bytes.size(), 1);
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    received.append(bytes.substr(at, piece));
    std::size_t used = 0;
    if (!body_reader) {
      const Step step = head_reader.read(received, used);
      if (step == Step::refused) return head_reader.refusal().problem;
      if (step == Step::more) continue;
      received.erase(0, used);
      body_reader.emplace(head_reader.head(), body_max);
    }
    Request& request = head_reader.head().request;
    const Step step = body_reader->read(received, used, request.body);
    CW_CHECK(used <= received.size() && request.body.size() <= body_max);
    received.erase(0, used);
    if (step == Step::refused) return body_reader->refusal().problem;
    if (step == Step::done) return std::move(request);
  }
  return problem(Refusal::malformed, "wire.incomplete",
                 {"请求不完整。", "The request is not complete."});
}

}  // namespace cw::http
