#include <algorithm>
#include <array>

#include "base/text.h"
#include "http.h"

namespace cw::http {

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const auto& [field, value] : fields_) {
    if (equals_ignore_case(field, name)) return value;
  }
  return std::nullopt;
}

std::string_view Headers::get_or(std::string_view name, std::string_view fallback) const {
  return get(name).value_or(fallback);
}

Headers& Headers::set(std::string_view name, std::string_view value) {
  std::string kept(value);  // `value` may point into a field that goes
  remove(name);
  fields_.emplace_back(std::string(name), std::move(kept));
  return *this;
}

Headers& Headers::add(std::string_view name, std::string_view value) {
  fields_.emplace_back(std::string(name), std::string(value));
  return *this;
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [&](const Field& f) { return equals_ignore_case(f.first, name); });
}

const std::string& Request::param(std::string_view name) const {
  auto found =
      std::find_if(params.begin(), params.end(), [&](const auto& p) { return p.first == name; });
  CW_CHECK(found != params.end());
  return found->second;
}

std::optional<std::string_view> Request::query_get(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Request::query_all(std::string_view name) const {
  std::vector<std::string_view> out;
  for (const auto& [key, value] : query) {
    if (key == name) out.push_back(value);
  }
  return out;
}

std::optional<std::string_view> Request::cookie(std::string_view name) const {
  std::optional<std::string_view> found;
  for (std::string_view pair : split(headers.get_or("Cookie"), ';')) {
    pair = trim(pair);
    auto equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
    if (found) return std::nullopt;  // two of one name: someone planted one; trust neither
    found = pair.substr(equals + 1);
  }
  return found;
}

std::string_view Request::last_event_id() const {
  if (auto header = headers.get("Last-Event-ID")) return *header;
  return query_get("last_event_id").value_or("");
}

Response text_response(int status, std::string_view body, std::string_view mime) {
  Response r;
  r.status = status;
  r.headers.set("Content-Type", mime);
  r.body = body;
  return r;
}

Response json_response(int status, const json::value& value) {
  return text_response(status, json::serialize(value), "application/json");
}

Response empty_response(int status) {
  Response r;
  r.status = status;
  return r;
}

int status_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::invalid:
      return 422;
    case Refusal::malformed:
      return 400;
    case Refusal::unauthenticated:
      return 401;
    case Refusal::forbidden:
      return 403;
    case Refusal::not_found:
      return 404;
    case Refusal::conflict:
      return 409;
    case Refusal::stale:
      return 412;
    case Refusal::too_large:
      return 413;
    case Refusal::too_many:
      return 429;
    case Refusal::unavailable:
      return 503;
  }
  return 500;
}

namespace {

struct StatusTitle {
  int status;
  const char* zh;
  const char* en;
};

constexpr std::array<StatusTitle, 22> kTitles = {{
    {400, "请求无法读取", "The request cannot be read"},
    {401, "需要登录", "Sign-in is needed"},
    {403, "没有权限", "Not permitted"},
    {404, "不存在", "Not found"},
    {405, "不支持该方法", "Method not allowed"},
    {406, "无法提供所需格式", "Not acceptable"},
    {408, "请求超时", "The request took too long"},
    {409, "与当前状态冲突", "In conflict with the current state"},
    {411, "缺少长度", "A length is needed"},
    {412, "内容已被他人更改", "Changed by someone else"},
    {413, "内容过大", "Too large"},
    {414, "网址过长", "The address is too long"},
    {415, "不支持的内容类型", "Unsupported content type"},
    {417, "无法满足 Expect", "The expectation cannot be met"},
    {421, "主机名不属于本服务", "Not a name of this server"},
    {422, "内容有误", "Some of the content is wrong"},
    {428, "缺少先决条件", "A precondition is needed"},
    {429, "请求过于频繁", "Too many requests"},
    {431, "请求头过大", "The header is too large"},
    {500, "服务器内部错误", "Internal error"},
    {503, "暂时无法服务", "Not available for the moment"},
    {505, "不支持的 HTTP 版本", "Unsupported HTTP version"},
}};

std::string title_of(int status, std::string_view lang) {
  for (const auto& t : kTitles) {
    if (t.status == status) return lang == "en" ? t.en : t.zh;
  }
  return lang == "en" ? "Refused" : "已拒绝";
}

}  // namespace

Response problem_response(const Request& request, const Problem& problem, int status) {
  json::object body;
  body["type"] = "urn:callwarden:problem:" + problem.code;
  body["title"] = title_of(status, request.lang);
  body["status"] = status;
  body["code"] = problem.code;
  body["detail"] = problem.text.in(request.lang);
  body["request_id"] = request.id;
  if (!problem.fields.empty()) {
    json::array fields;
    for (const auto& field : problem.fields) {
      fields.push_back({{"pointer", field.pointer}, {"text", field.text.in(request.lang)}});
    }
    body["fields"] = std::move(fields);
  }
  Response r = text_response(status, json::serialize(body), "application/problem+json");
  r.headers.set("Content-Language", request.lang == "en" ? "en" : "zh");
  if (problem.retry_after_s > 0) {
    r.headers.set("Retry-After", std::to_string(problem.retry_after_s));
  }
  return r;
}

Response problem_response(const Request& request, const Problem& problem) {
  return problem_response(request, problem, status_of(problem.refusal));
}

}  // namespace cw::http
