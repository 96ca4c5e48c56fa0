#include "answer.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "wire.h"

namespace cw::http {

// Styles set by script (element.style) are not inline styles; the console has none in its markup.
const char* const kStrictPolicy =
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'";

namespace {

const char* reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

// RFC 9110 §5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(std::int64_t now_ms) {
  static constexpr const char* days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::int64_t seconds = now_ms / 1000;
  const std::int64_t day = seconds / 86'400;
  const int rest = static_cast<int>(seconds % 86'400);
  const Civil date = civil_from_days(day);
  char out[40];
  std::snprintf(out, sizeof out, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[day % 7], date.day,
                months[date.month - 1], date.year, rest / 3600, rest / 60 % 60, rest % 60);
  return out;
}

bool answer_field_ok(const Headers::Field& field) {
  auto printable = [](unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7f); };
  return !field.first.empty() &&
         std::all_of(field.first.begin(), field.first.end(), is_token_char) &&
         std::all_of(field.second.begin(), field.second.end(), printable);
}

// The server alone says how long a message is and whether the connection goes on.
bool answer_field_is_ours(std::string_view name) {
  static constexpr std::string_view ours[] = {"Content-Length", "Transfer-Encoding", "Connection",
                                              "Date",           "X-Request-Id",      "Keep-Alive"};
  return std::any_of(std::begin(ours), std::end(ours),
                     [&](std::string_view o) { return equals_ignore_case(o, name); });
}

void add_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void add_defaults(std::string& out, const Headers& set, const AnswerContext& context) {
  const std::pair<std::string_view, std::string_view> defaults[] = {
      {"Content-Security-Policy", context.content_security_policy},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
      {"Cache-Control", "no-store"},
  };
  for (const auto& [name, value] : defaults) {
    if (!set.has(name)) add_field(out, name, value);
  }
  if (context.tls && !set.has("Strict-Transport-Security")) {
    add_field(out, "Strict-Transport-Security", "max-age=31536000");
  }
}

}  // namespace

bool answer_has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

std::optional<std::string> answer_header(const Response& response, const AnswerContext& context) {
  const auto& fields = response.headers.all();
  if (response.status < 200 || response.status > 599 ||
      !std::all_of(fields.begin(), fields.end(), answer_field_ok)) {
    return std::nullopt;
  }
  std::string out;
  out.reserve(1024);
  out = "HTTP/1.1 " + std::to_string(response.status) + " " + reason_of(response.status) + "\r\n";
  add_field(out, "Date", http_date(context.now_ms));
  add_field(out, "X-Request-Id", context.request_id);
  for (const auto& [name, value] : fields) {
    if (!answer_field_is_ours(name)) add_field(out, name, value);
  }
  add_defaults(out, response.headers, context);
  if (!context.stream && !answer_has_no_body(response.status)) {
    add_field(out, "Content-Length", std::to_string(response.body.size()));
  }
  add_field(out, "Connection", context.keep_alive ? "keep-alive" : "close");
  out += "\r\n";
  return out;
}

std::string event_text(const Event& event) {
  auto one_line = [](std::string_view name, std::string_view value, std::string& out) {
    if (value.empty()) return;
    out.append(name).append(": ");
    for (char c : value) {
      if (c != '\r' && c != '\n' && c != '\0') out += c;
    }
    out += '\n';
  };
  std::string out;
  one_line("id", event.id, out);
  one_line("event", event.event, out);
  out += "data: ";
  for (std::size_t i = 0; i < event.data.size(); ++i) {
    const char c = event.data[i];
    if (c == '\r' && i + 1 < event.data.size() && event.data[i + 1] == '\n') continue;
    if (c == '\n' || c == '\r') {
      out += "\ndata: ";
    } else {
      out += c;
    }
  }
  out += "\n\n";
  return out;
}

}  // namespace cw::http
