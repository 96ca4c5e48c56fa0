#include "wire.h"

#include <algorithm>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "base/text.h"
#include "internal.h"

namespace cw::http {

namespace bhttp = boost::beast::http;

Refused refused(int status, std::string code, std::string zh, std::string en) {
  const Refusal refusal = status == 413   ? Refusal::too_large
                          : status == 503 ? Refusal::unavailable
                                          : Refusal::malformed;
  return {status, problem(refusal, std::move(code), {std::move(zh), std::move(en)})};
}

bool is_token_char(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string language_of(std::string_view accept_language) {
  int best_zh = -1, best_en = -1;  // thousandths
  int listed = 0;
  for (std::string_view item : split(accept_language, ',')) {
    if (++listed > 32) break;
    auto parts = split(item, ';');
    std::string_view tag = trim(parts[0]);
    int q = 1000;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      std::string_view p = trim(parts[i]);
      if (!p.starts_with("q=")) continue;
      p.remove_prefix(2);
      q = p.starts_with("1") ? 1000 : 0;
      if (p.starts_with("0.")) {
        std::string digits(p.substr(2, 3));
        digits.resize(3, '0');
        q = to_int<int>(digits).value_or(0);
      }
    }
    std::string_view primary = split(tag, '-')[0];
    if (equals_ignore_case(primary, "zh") || primary == "*") best_zh = std::max(best_zh, q);
    if (equals_ignore_case(primary, "en")) best_en = std::max(best_en, q);
  }
  return best_en > best_zh && best_en > 0 ? "en" : "zh";
}

namespace {

// RFC 9112 §3: method SP request-target SP HTTP-version, each exactly once.
std::optional<Refused> check_request_line(std::string_view line) {
  auto first = line.find(' ');
  auto last = line.rfind(' ');
  std::string_view method = line.substr(0, first);
  if (first == std::string_view::npos || first == last || first == 0 || method.size() > 32 ||
      !std::all_of(method.begin(), method.end(), is_token_char)) {
    return refused(400, "wire.request-line", "请求行无效：应为“方法 目标 HTTP/1.1”。",
                   "The request line is not: method, target, HTTP/1.1.");
  }
  std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    if (version.starts_with("HTTP/")) {
      return refused(505, "wire.version", "本服务只支持 HTTP/1.1 和 HTTP/1.0。",
                     "This server speaks HTTP/1.1 and HTTP/1.0 only.");
    }
    return refused(400, "wire.request-line", "请求行缺少有效的 HTTP 版本。",
                   "The request line lacks a valid HTTP version.");
  }
  std::string_view target = line.substr(first + 1, last - first - 1);
  if (target.size() > kTargetMax) {
    return refused(414, "wire.target-long", "网址过长，超过 8 KiB。",
                   "The address is longer than 8 KiB.");
  }
  if (target.empty() || !std::all_of(target.begin(), target.end(), [](unsigned char c) {
        return c > 0x20 && c < 0x7f && c != '#' && c != '\\' && c != '"' && c != '<' && c != '>';
      })) {
    return refused(400, "wire.target", "请求目标为空或含有不允许的字符。",
                   "The request target is empty or holds a character that is not allowed.");
  }
  return std::nullopt;
}

// One "name: value" line (RFC 9112 §5): no space before the colon, no folding.
std::optional<Refused> check_field_line(std::string_view line) {
  if (line[0] == ' ' || line[0] == '\t') {
    return refused(400, "wire.folded", "不接受折行的请求头。",
                   "Folded header lines are not accepted.");
  }
  auto colon = line.find(':');
  std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || name.empty() ||
      !std::all_of(name.begin(), name.end(), is_token_char)) {
    return refused(400, "wire.field", "请求头名称无效，或冒号前有空格。",
                   "A header name is not valid, or a space stands before its colon.");
  }
  std::string_view value = line.substr(colon + 1);
  for (unsigned char c : value) {
    if ((c < 0x20 && c != '\t') || c == 0x7f) {
      return refused(400, "wire.field", "请求头的值含有控制字符。",
                     "A header value holds a control character.");
    }
  }
  if (!is_utf8(value)) {
    return refused(400, "wire.field", "请求头的值不是有效的 UTF-8。",
                   "A header value is not valid UTF-8.");
  }
  return std::nullopt;
}

bool host_is_valid(std::string_view host) {
  if (host.empty() || host.size() > 262) return false;
  if (host[0] == '[') {  // an IPv6 address
    auto close = host.find(']');
    if (close == std::string_view::npos || close < 3) return false;
    auto inside = host.substr(1, close - 1);
    constexpr std::string_view digits = "0123456789abcdefABCDEF:.";
    if (inside.find_first_not_of(digits) != std::string_view::npos) return false;
    host.remove_prefix(close + 1);
    if (host.empty()) return true;
    if (host[0] != ':') return false;
  }
  auto colon = host.find(':');
  std::string_view name = host.substr(0, colon);
  for (char c : name) {
    if (c != '.' && c != '-' && c != '_' && !isalnum(static_cast<unsigned char>(c))) return false;
  }
  if (colon == std::string_view::npos) return true;
  return to_int<std::uint16_t>(host.substr(colon + 1)).has_value();
}

// Fields that must not come twice, because two readers could take different ones.
std::optional<Refused> check_singletons(const Headers& headers) {
  static constexpr std::string_view once[] = {
      "Host",   "Content-Length", "Transfer-Encoding", "Authorization", "Content-Type",
      "Cookie", "Origin",         "If-Match",          "If-None-Match", "Idempotency-Key",
      "Expect", "Last-Event-ID",  "Content-Encoding"};
  for (std::string_view name : once) {
    auto same = [&](const Headers::Field& f) { return equals_ignore_case(f.first, name); };
    if (std::count_if(headers.all().begin(), headers.all().end(), same) > 1) {
      return refused(400, "wire.twice", "请求头 " + std::string(name) + " 只能出现一次。",
                     "The header " + std::string(name) + " may be given only once.");
    }
  }
  return std::nullopt;
}

// Content-Length or Transfer-Encoding, never both (RFC 9112 §6.3, the strict side of each choice).
std::optional<Refused> check_framing(Head& head) {
  const Headers& h = head.request.headers;
  auto length = h.get("Content-Length");
  auto encoding = h.get("Transfer-Encoding");
  if (length && encoding) {
    return refused(400, "wire.framing", "Content-Length 与 Transfer-Encoding 不能同时出现。",
                   "Content-Length and Transfer-Encoding must not both be given.");
  }
  if (encoding) {
    if (!head.http11 || !equals_ignore_case(*encoding, "chunked")) {
      return refused(400, "wire.transfer-encoding", "Transfer-Encoding 只能是 chunked。",
                     "Transfer-Encoding must be exactly chunked.");
    }
    head.chunked = true;
  }
  if (length) {
    auto value = to_int<std::uint64_t>(*length);
    if (!value || length->size() > 18 || (*length)[0] == '+') {
      return refused(400, "wire.content-length", "Content-Length 必须是一个十进制整数。",
                     "Content-Length must be one decimal number.");
    }
    head.content_length = *value;
  }
  const std::string& m = head.request.method;
  if ((head.chunked || head.content_length > 0) && (m == "GET" || m == "HEAD" || m == "OPTIONS")) {
    return refused(400, "wire.body", m + " 请求不得带有内容。",
                   "A " + m + " request must not have a body.");
  }
  if (auto coding = h.get("Content-Encoding"); coding && !equals_ignore_case(*coding, "identity")) {
    return refused(415, "wire.content-encoding", "不接受压缩的请求内容。",
                   "Compressed request bodies are not accepted.");
  }
  return std::nullopt;
}

std::optional<Refused> check_meaning(Head& head) {
  Request& r = head.request;
  if (auto bad = check_singletons(r.headers)) return bad;
  auto host = r.headers.get("Host");
  if ((!host && head.http11) || (host && !host_is_valid(*host))) {
    return refused(400, "wire.host", "Host 缺失或无效。", "Host is missing or not valid.");
  }
  if (auto expect = r.headers.get("Expect")) {
    if (!equals_ignore_case(*expect, "100-continue")) {
      return refused(417, "wire.expect", "只支持 Expect: 100-continue。",
                     "Only Expect: 100-continue is supported.");
    }
    head.expect_continue = head.http11;
  }
  if (auto bad = check_framing(head)) return bad;
  const std::string target = r.target;
  return decode_target(target, host.value_or(""), r);
}

Refused disagreement() {
  return refused(400, "wire.malformed", "请求头无法读取。", "The header cannot be read.");
}

// The whole header block, already checked line by line, through Beast: a second opinion. Both must
// accept it and agree about the framing.
std::optional<Refused> parse_block(std::string_view block, Head& head) {
  bhttp::request_parser<bhttp::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(block.size()) + 1);
  parser.body_limit(boost::none);
  boost::beast::error_code ec;
  std::size_t used = parser.put(boost::asio::const_buffer(block.data(), block.size()), ec);
  if (ec || used != block.size() || !parser.is_header_done()) return disagreement();
  const auto& message = parser.get();
  head.request.method = std::string(message.method_string());
  head.request.target = std::string(message.target());
  head.http11 = message.version() == 11;
  head.keep_alive = parser.keep_alive();
  for (const auto& field : message) {
    auto name = field.name_string();
    auto value = trim({field.value().data(), field.value().size()});
    head.request.headers.add({name.data(), name.size()}, value);
  }
  head.request.lang = language_of(head.request.headers.get_or("Accept-Language"));
  if (auto bad = check_meaning(head)) return bad;
  if (parser.chunked() != head.chunked ||
      parser.content_length().value_or(0) != head.content_length) {
    return disagreement();
  }
  return std::nullopt;
}

// The caller's language in a header that was refused before it could be parsed.
std::string language_in(std::string_view raw) {
  for (std::string_view line : split(raw.substr(0, 64 * 1024), '\n')) {
    constexpr std::string_view name = "accept-language:";
    if (line.size() > name.size() && equals_ignore_case(line.substr(0, name.size()), name)) {
      return language_of(trim(line.substr(name.size())));
    }
  }
  return "zh";
}

std::optional<Refused> check_lines(std::string_view block, std::size_t count_max) {
  std::size_t at = block.find("\r\n") + 2;
  for (std::size_t count = 0; at + 2 < block.size(); ++count) {
    if (count == count_max) {
      return refused(431, "wire.header-count", "请求头的数量过多。", "There are too many headers.");
    }
    std::size_t end = block.find("\r\n", at);
    if (auto bad = check_field_line(block.substr(at, end - at))) return bad;
    at = end + 2;
  }
  return std::nullopt;
}

// Bytes that can stand nowhere in a header: NUL, a bare CR or LF.
const char* stray_byte(std::string_view in, std::size_t at) {
  const char c = in[at];
  if (c == '\0') return "NUL";
  if (c == '\n' && (at == 0 || in[at - 1] != '\r')) return "LF";
  if (at > 0 && in[at - 1] == '\r' && c != '\n') return "CR";
  return nullptr;
}

}  // namespace

Step HeadReader::refuse(Refused why, std::string_view in) {
  if (!head_.request.headers.has("Accept-Language")) head_.request.lang = language_in(in);
  refusal_ = std::move(why);
  return Step::refused;
}

Step HeadReader::read(std::string_view in, std::size_t& used) {
  used = 0;
  const std::size_t scan = std::min(in.size(), limits_.header_bytes_max);
  for (; seen_ < scan; ++seen_) {
    if (const char* stray = stray_byte(in, seen_)) {
      return refuse(refused(400, "wire.stray-byte",
                            std::string("请求头中有单独的 ") + stray + " 字节。行尾必须是 CR LF。",
                            std::string("The header holds a stray ") + stray +
                                " byte. Lines must end with CR LF."),
                    in);
    }
    if (in[seen_] != '\n') continue;
    if (!line_checked_) {
      line_checked_ = true;
      if (auto bad = check_request_line(in.substr(0, seen_ - 1))) return refuse(*bad, in);
    }
    if (seen_ >= 3 && in.substr(seen_ - 3, 4) == "\r\n\r\n") {
      std::string_view block = in.substr(0, ++seen_);
      if (auto bad = check_lines(block, limits_.header_count_max)) return refuse(*bad, in);
      if (auto bad = parse_block(block, head_)) return refuse(*bad, in);
      used = block.size();
      return Step::done;
    }
  }
  if (in.size() < limits_.header_bytes_max) return Step::more;
  if (!line_checked_) {
    return refuse(refused(414, "wire.target-long", "网址过长。", "The address is too long."), in);
  }
  return refuse(refused(431, "wire.header-large", "请求头过大，超过上限。",
                        "The header is larger than the limit."),
                in);
}

}  // namespace cw::http
