#include "base/text.h"
#include "internal.h"
#include "wire.h"

namespace cw::http {

namespace {

bool target_is_plain(unsigned char c) {  // RFC 3986 pchar without "%"
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("-._~!$&'()*+,;=:@").find(static_cast<char>(c)) != std::string_view::npos;
}

bool target_query_extra(char c) {  // what browsers leave unescaped in a query
  return std::string_view("/?[]{}|^`").find(c) != std::string_view::npos;
}

bool decoded_ok(std::string_view text) {
  for (unsigned char c : text) {
    if (c < 0x20 || c == 0x7f) return false;
  }
  return is_utf8(text);
}

// Percent-decodes; nothing on a bad escape, a control character or invalid UTF-8.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      auto byte = from_hex(text.substr(i + 1, 2));
      if (!byte) return std::nullopt;
      out += *byte;
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  if (!decoded_ok(out)) return std::nullopt;
  return out;
}

Refused bad_target(const char* zh, const char* en) { return refused(400, "wire.target", zh, en); }

std::optional<Refused> decode_path(std::string_view path, Request& out) {
  for (char c : path) {
    if (c != '/' && c != '%' && !target_is_plain(static_cast<unsigned char>(c))) {
      return bad_target("路径含有不允许的字符。请对其进行百分号编码后重发。",
                        "The path holds a character that is not allowed; percent-encode it.");
    }
  }
  out.segments.clear();
  out.path.clear();
  for (std::string_view raw : split(path.substr(1), '/')) {
    auto segment = percent_decode(raw, false);
    if (!segment || segment->find_first_of("/\\") != std::string::npos) {
      return bad_target("路径的百分号编码无效，或编码了斜杠、控制字符、非 UTF-8 字节。",
                        "The path has a bad escape, or one of a slash, a control character or "
                        "bytes that are not UTF-8.");
    }
    if (*segment == "." || *segment == "..") {
      return bad_target("路径不得含有 . 或 .. 段。", "The path must not hold . or .. segments.");
    }
    if (out.segments.size() == kSegmentsMax) {
      return bad_target("路径层级过多。", "The path has too many segments.");
    }
    out.path += '/';
    out.path += *segment;
    out.segments.push_back(std::move(*segment));
  }
  return std::nullopt;
}

std::optional<Refused> decode_query(std::string_view query, Request& out) {
  out.query.clear();
  if (query.empty()) return std::nullopt;
  for (char c : query) {
    if (c != '%' && !target_is_plain(static_cast<unsigned char>(c)) && !target_query_extra(c)) {
      return bad_target("查询串含有不允许的字符。请对其进行百分号编码后重发。",
                        "The query holds a character that is not allowed; percent-encode it.");
    }
  }
  for (std::string_view pair : split(query, '&')) {
    if (pair.empty()) continue;
    auto equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = equals == std::string_view::npos ? std::optional<std::string>("")
                                                  : percent_decode(pair.substr(equals + 1), true);
    if (!name || !value) {
      return bad_target("查询串的百分号编码无效，或编码了控制字符、非 UTF-8 字节。",
                        "The query has a bad escape, or one of a control character or bytes that "
                        "are not UTF-8.");
    }
    if (out.query.size() == kQueryMax) {
      return bad_target("查询参数过多。", "The query has too many parameters.");
    }
    out.query.emplace_back(std::move(*name), std::move(*value));
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refused> decode_target(std::string_view target, std::string_view host, Request& out) {
  if (target == "*") {
    if (out.method != "OPTIONS") {
      return bad_target("目标 * 仅用于 OPTIONS。", "The target * is for OPTIONS only.");
    }
    out.target = out.path = "*";
    return std::nullopt;
  }
  std::string_view rest = target;
  if (!rest.starts_with('/')) {  // absolute-form; its authority must be the one in Host
    const std::size_t scheme = equals_ignore_case(rest.substr(0, 7), "http://")    ? 7
                               : equals_ignore_case(rest.substr(0, 8), "https://") ? 8
                                                                                   : 0;
    const std::size_t end = rest.find_first_of("/?", scheme);
    if (scheme == 0 || !equals_ignore_case(rest.substr(scheme, end - scheme), host)) {
      return bad_target("请求目标必须以 / 开头，或为与 Host 一致的完整网址。",
                        "The request target must begin with / or be a whole URL whose authority "
                        "equals Host.");
    }
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
  }
  out.target = rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
  const std::size_t question = out.target.find('?');
  const std::string_view whole = out.target;
  if (auto bad = decode_path(whole.substr(0, question), out)) return bad;
  if (question == std::string::npos) {
    out.query.clear();
    return std::nullopt;
  }
  return decode_query(whole.substr(question + 1), out);
}

}  // namespace cw::http
