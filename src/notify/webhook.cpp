// Signed webhooks: docs/formats/webhook.md. Only URLs an administrator configured are called; no
// redirects, no proxies, and the address is judged after the name was resolved, at the socket.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "impl.h"
#include "transfer.h"

namespace cw {
namespace {

constexpr std::size_t kAnswerMax = 64 << 10;  // an answer's body is read so far and thrown away

struct SocketRule {
  bool loopback = false, refused = false;
};

bool forbidden_v4(std::uint32_t ip, bool loopback) {
  std::uint32_t top = ip >> 24;
  if (top == 127) return !loopback;
  return top == 0 || top >= 224 ||
         (ip >> 16) == 0xA9FE;  // unspecified, multicast and above, 169.254/16
}

bool forbidden_v6(const in6_addr& a, bool loopback) {
  if (IN6_IS_ADDR_LOOPBACK(&a)) return !loopback;
  if (IN6_IS_ADDR_V4MAPPED(&a) || IN6_IS_ADDR_V4COMPAT(&a)) {
    std::uint32_t ip = 0;
    for (int i = 12; i < 16; ++i) ip = ip << 8 | a.s6_addr[i];
    return forbidden_v4(ip, loopback);
  }
  return IN6_IS_ADDR_UNSPECIFIED(&a) || IN6_IS_ADDR_LINKLOCAL(&a) || IN6_IS_ADDR_MULTICAST(&a);
}

curl_socket_t open_socket(void* user, curlsocktype, curl_sockaddr* to) {
  auto& rule = *static_cast<SocketRule*>(user);
  bool forbidden = true;
  if (to->family == AF_INET) {
    forbidden = forbidden_v4(
        ntohl(reinterpret_cast<const sockaddr_in*>(&to->addr)->sin_addr.s_addr), rule.loopback);
  } else if (to->family == AF_INET6) {
    forbidden =
        forbidden_v6(reinterpret_cast<const sockaddr_in6*>(&to->addr)->sin6_addr, rule.loopback);
  }
  if (forbidden) {
    rule.refused = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

std::size_t count_answer(char*, std::size_t size, std::size_t count, void* user) {
  auto& seen = *static_cast<std::size_t*>(user);
  seen += size * count;
  return seen > kAnswerMax ? 0 : size * count;
}

}  // namespace

Status check_webhook_url(std::string_view url, std::string_view pointer) {
  bool scheme = url.starts_with("https://") || url.starts_with("http://");
  std::string_view rest = scheme ? url.substr(url.find("//") + 2) : url;
  std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  bool plain = true;
  for (unsigned char c : url)
    plain = plain && c > 0x20 && c < 0x7F && c != '"' && c != '<' && c != '>' && c != '\\';
  if (scheme && plain && url.size() <= 2048 && !authority.empty() &&
      authority.find('@') == std::string_view::npos)
    return done();
  return invalid("notify.url", std::string(pointer),
                 {"请填写完整的 https:// 地址（至多 2,048 个字符，不含用户名）",
                  "Give a whole https:// address (at most 2,048 characters, without a user name)"});
}

std::string webhook_signature(std::string_view secret, std::string_view id, std::int64_t unix_s,
                              std::string_view body) {
  constexpr std::string_view prefix = "whsec_";
  auto key = from_base64(secret.starts_with(prefix) ? secret.substr(prefix.size()) : secret);
  CW_CHECK(key.has_value());
  std::string signed_text =
      std::string(id) + "." + std::to_string(unix_s) + "." + std::string(body);
  return "v1," + to_base64(bytes_of(hmac_sha256(*key, signed_text)));
}

Attempt send_webhook(const Delivery& d, int timeout_ms) {
  CurlHandle c = make_transfer(timeout_ms);
  SocketRule rule{.loopback = d.loopback};
  std::size_t answered = 0;
  std::int64_t at_s = d.at_ms / 1000;
  CurlList headers = add_line(nullptr, "Content-Type: application/json");
  headers = add_line(std::move(headers), "User-Agent: Callwarden");
  headers = add_line(std::move(headers), "Expect:");
  headers = add_line(std::move(headers), "webhook-id: " + d.id);
  headers = add_line(std::move(headers), "webhook-timestamp: " + std::to_string(at_s));
  headers = add_line(std::move(headers),
                     "webhook-signature: " + webhook_signature(d.secret, d.id, at_s, d.body));
  curl_easy_setopt(c.get(), CURLOPT_URL, d.url.c_str());
  curl_easy_setopt(c.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(c.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(d.body.size()));
  curl_easy_setopt(c.get(), CURLOPT_POSTFIELDS, d.body.data());
  curl_easy_setopt(c.get(), CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(c.get(), CURLOPT_OPENSOCKETDATA, &rule);
  curl_easy_setopt(c.get(), CURLOPT_WRITEFUNCTION, count_answer);
  curl_easy_setopt(c.get(), CURLOPT_WRITEDATA, &answered);
  CURLcode code = curl_easy_perform(c.get());
  if (rule.refused) return {.permanent = true, .code = "address"};
  long status = 0;
  curl_easy_getinfo(c.get(), CURLINFO_RESPONSE_CODE, &status);
  bool has_status = code == CURLE_OK || (code == CURLE_WRITE_ERROR && answered > kAnswerMax);
  if (!has_status) return {.code = transfer_error(code)};
  if (status >= 200 && status < 300) return {.ok = true};
  bool later = status == 408 || status == 425 || status == 429 || status >= 500;
  return {.permanent = !later, .code = "http." + std::to_string(status)};
}

}  // namespace cw
