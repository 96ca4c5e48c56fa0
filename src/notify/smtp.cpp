// E-mail: RFC 5322 text in base 64, handed to an SMTP server by libcurl.
#include <fmt/format.h>

#include <cstring>

#include "base/text.h"
#include "impl.h"
#include "transfer.h"

namespace cw {
namespace {

struct Upload {
  std::string_view rest;
};

std::size_t give_bytes(char* to, std::size_t size, std::size_t count, void* user) {
  auto& u = *static_cast<Upload*>(user);
  std::size_t n = std::min(size * count, u.rest.size());
  std::memcpy(to, u.rest.data(), n);
  u.rest.remove_prefix(n);
  return n;
}

// RFC 2047: pieces of at most 75 characters that break between code points.
std::string encoded_words(std::string_view utf8) {
  std::string out;
  while (!utf8.empty()) {
    std::size_t n = std::min<std::size_t>(utf8.size(), 42);
    while (n < utf8.size() && n > 0 && (static_cast<unsigned char>(utf8[n]) & 0xC0) == 0x80) --n;
    if (!out.empty()) out += "\r\n ";
    out += "=?UTF-8?B?" + to_base64(utf8.substr(0, n)) + "?=";
    utf8.remove_prefix(n);
  }
  return out;
}

// RFC 5322 §3.3, in UTC.
std::string mail_date(std::int64_t utc_ms) {
  static constexpr const char* days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::int64_t s = utc_ms / 1000, day = s / 86'400, of_day = s % 86'400;
  Civil c = civil_from_days(day);
  return fmt::format("{}, {} {} {} {:02}:{:02}:{:02} +0000", days[day % 7], c.day,
                     months[c.month - 1], c.year, of_day / 3600, of_day / 60 % 60, of_day % 60);
}

}  // namespace

std::string mail_bytes(const Mail& mail, const SmtpOptions& smtp) {
  std::string domain = smtp.from.substr(smtp.from.find('@') + 1);
  std::string out = "From: Callwarden <" + smtp.from + ">\r\nTo: <" + mail.to +
                    ">\r\nSubject: " + encoded_words(mail.subject) +
                    "\r\nDate: " + mail_date(mail.at_ms) + "\r\nMessage-ID: <" + mail.id + "@" +
                    domain +
                    ">\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: base64\r\nAuto-Submitted: auto-generated\r\n\r\n";
  std::string body = to_base64(mail.text);
  for (std::size_t i = 0; i < body.size(); i += 76) out += body.substr(i, 76) + "\r\n";
  return out;
}

Attempt send_mail(const Mail& mail, const SmtpOptions& smtp, int timeout_ms) {
  CurlHandle c = make_transfer(timeout_ms);
  std::string bytes = mail_bytes(mail, smtp);
  Upload upload{bytes};
  bool implicit = smtp.tls == SmtpOptions::Tls::tls;
  std::string url = fmt::format("{}://{}:{}/{}", implicit ? "smtps" : "smtp", smtp.host, smtp.port,
                                smtp.from.substr(smtp.from.find('@') + 1));
  curl_easy_setopt(c.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(c.get(), CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  if (smtp.tls != SmtpOptions::Tls::none)
    curl_easy_setopt(c.get(), CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
  if (!smtp.ca_file.empty()) curl_easy_setopt(c.get(), CURLOPT_CAINFO, smtp.ca_file.c_str());
  if (!smtp.user.empty()) {
    curl_easy_setopt(c.get(), CURLOPT_USERNAME, smtp.user.c_str());
    curl_easy_setopt(c.get(), CURLOPT_PASSWORD, smtp.password.c_str());
  }
  curl_easy_setopt(c.get(), CURLOPT_MAIL_FROM, ("<" + smtp.from + ">").c_str());
  CurlList to = add_line(nullptr, "<" + mail.to + ">");
  curl_easy_setopt(c.get(), CURLOPT_MAIL_RCPT, to.get());
  curl_easy_setopt(c.get(), CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(c.get(), CURLOPT_READFUNCTION, give_bytes);
  curl_easy_setopt(c.get(), CURLOPT_READDATA, &upload);
  CURLcode code = curl_easy_perform(c.get());
  if (code == CURLE_OK) return {.ok = true};
  long answer = 0;
  curl_easy_getinfo(c.get(), CURLINFO_RESPONSE_CODE, &answer);
  std::string named = transfer_error(code);
  bool said_no =
      answer >= 400 &&
      (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_WEIRD_SERVER_REPLY ||
       code == CURLE_FTP_WEIRD_SERVER_REPLY || code == CURLE_QUOTE_ERROR);
  if (!said_no) return {.code = named};  // nothing was decided by the server: try again
  return {.permanent = answer >= 500, .code = "smtp." + std::to_string(answer)};
}

}  // namespace cw
