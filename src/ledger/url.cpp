// HTTP with libcurl: reading a log from a web address, and asking a witness.
#include <curl/curl.h>

#include <new>

#include "log_files.h"

namespace cw {
namespace {

constexpr long url_timeout_ms = 30'000;
constexpr long url_connect_timeout_ms = 10'000;
constexpr long witness_timeout_ms = 3'000;
constexpr std::size_t witness_reply_max = 64 * 1024;

struct CurlHandle {
  CurlHandle() {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    handle = ready == CURLE_OK ? curl_easy_init() : nullptr;
    if (handle == nullptr) throw std::bad_alloc();
  }
  ~CurlHandle() { curl_easy_cleanup(handle); }
  CurlHandle(const CurlHandle&) = delete;
  CurlHandle& operator=(const CurlHandle&) = delete;
  CURL* handle;
};

struct UrlBody {
  std::string bytes;
  std::size_t size_max = 0;
  bool too_large = false;
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* to) {
  auto& body = *static_cast<UrlBody*>(to);
  if (body.bytes.size() + size > body.size_max) {
    body.too_large = true;
    return 0;
  }
  body.bytes.append(data, size);
  return size;
}

struct UrlAnswer {
  CURLcode code = CURLE_OK;
  long status = 0;
  std::string content_type;
  UrlBody body;
};

// One exchange; `post` null for GET. Keeps the handle's connection open between calls.
UrlAnswer exchange(CURL* h, const std::string& url, const std::string* post, std::size_t size_max,
                   const std::string& ca_file = {}) {
  curl_easy_reset(h);
  UrlAnswer answer;
  answer.body.size_max = size_max;
  curl_easy_setopt(h, CURLOPT_URL, url.c_str());
  curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, post != nullptr ? witness_timeout_ms : url_timeout_ms);
  if (!ca_file.empty()) curl_easy_setopt(h, CURLOPT_CAINFO, ca_file.c_str());
  curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, url_connect_timeout_ms);
  curl_easy_setopt(h, CURLOPT_USERAGENT, "callwarden-ledger");
  curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(h, CURLOPT_WRITEDATA, &answer.body);
  curl_slist* headers = nullptr;
  if (post != nullptr) {
    headers = curl_slist_append(headers, "Content-Type: text/plain; charset=utf-8");
    headers = curl_slist_append(headers, "Expect:");
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(h, CURLOPT_POSTFIELDS, post->data());
    curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(post->size()));
  } else {
    curl_easy_setopt(h, CURLOPT_ACCEPT_ENCODING, "gzip, identity");
  }
  answer.code = curl_easy_perform(h);
  curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &answer.status);
  char* type = nullptr;
  if (curl_easy_getinfo(h, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type != nullptr)
    answer.content_type = type;
  curl_slist_free_all(headers);
  return answer;
}

Problem unreachable(const std::string& url, const std::string& why) {
  return problem(Refusal::unavailable, "ledger.unreachable",
                 {"无法读取 " + url + "：" + why, "cannot read " + url + ": " + why});
}

class UrlLog final : public LogFiles {
 public:
  explicit UrlLog(std::string url) : url_(std::move(url)) {
    while (url_.ends_with("/")) url_.pop_back();
  }

  std::optional<std::string> read(const std::string& path, std::size_t size_max) const override {
    std::string url = url_ + "/" + path;
    thread_local CurlHandle curl;
    UrlAnswer answer = exchange(curl.handle, url, nullptr, size_max);
    if (answer.body.too_large) {
      Problem p = unreachable(url, "larger than " + std::to_string(size_max) + " bytes");
      p.refusal = Refusal::conflict;
      p.fields.push_back({"/" + path, p.text});
      throw LogUnreadable(std::move(p));
    }
    if (answer.code != CURLE_OK)
      throw LogUnreadable(unreachable(url, curl_easy_strerror(answer.code)));
    if (answer.status == 404 || answer.status == 410) return std::nullopt;
    if (answer.status != 200)
      throw LogUnreadable(unreachable(url, "HTTP " + std::to_string(answer.status)));
    return std::move(answer.body.bytes);
  }

  std::optional<std::vector<std::string>> list() const override { return std::nullopt; }

 private:
  std::string url_;
};

}  // namespace

std::unique_ptr<LogFiles> url_log(const std::string& url) { return std::make_unique<UrlLog>(url); }

WitnessPost witness_at(const std::string& url, const std::string& ca_file) {
  std::string base = url;
  while (base.ends_with("/")) base.pop_back();
  auto curl = std::make_shared<CurlHandle>();
  return [curl, ca_file, to = base + "/add-checkpoint"](const std::string& request) {
    UrlAnswer answer = exchange(curl->handle, to, &request, witness_reply_max, ca_file);
    if (answer.code != CURLE_OK)
      throw LogUnreadable(unreachable(to, curl_easy_strerror(answer.code)));
    return WitnessReply{int(answer.status), std::move(answer.content_type),
                        std::move(answer.body.bytes)};
  };
}

}  // namespace cw
