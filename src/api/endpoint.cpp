#include "endpoint.h"

#include <algorithm>

#include "crypto/crypto.h"
#include "live.h"

namespace cw::api {
namespace {

std::vector<Endpoint> make_endpoints() {
  std::vector<Endpoint> all;
  Table t(all);
  add_session(t);
  add_work(t);
  add_cases(t);
  add_procedures(t);
  add_alerts(t);
  add_ledger(t);
  add_people(t);
  add_delegations(t);
  add_organisation(t);
  add_roster(t);
  add_simulate(t);
  add_drills(t);
  add_definitions(t);
  add_revisions(t);
  add_migrations(t);
  add_notices(t);
  add_live(t);
  add_system(t);
  return all;
}

Problem signed_out_problem() {
  return problem(Refusal::unauthenticated, "session.required", {"请先登录", "Sign in first"});
}

std::string cookie_name(const http::Request& request) { return request.tls ? "__Host-cw" : "cw"; }

// A bearer token, or the session's cookie.
Result<Principal> caller(Services& s, http::Request& request) {
  if (auto header = request.headers.get("Authorization")) {
    constexpr std::string_view scheme = "Bearer ";
    if (!header->starts_with(scheme))
      return problem(Refusal::unauthenticated, "token.refused",
                     {"Authorization 须为 Bearer 令牌", "Authorization must be a Bearer token"});
    return s.identity.access().by_token(header->substr(scheme.size()));
  }
  auto cookie = request.cookie(cookie_name(request));
  if (!cookie) return signed_out_problem();
  return s.identity.access().by_cookie(*cookie);
}

Status allowed(Services& s, const Principal& who, const Endpoint& e, const http::Request& request) {
  bool reads = request.method == "GET" || request.method == "HEAD";
  if (!reads && !who.is_token() && !Access::csrf_matches(who, request.headers.get_or("X-CSRF"))) {
    return problem(Refusal::forbidden, "session.csrf",
                   {"请求缺少有效的 X-CSRF，请刷新页面后重试",
                    "The request lacks a valid X-CSRF; reload the page and try again"});
  }
  if (e.info.access == "session") {
    if (!who.is_token()) return done();
    return problem(Refusal::forbidden, "token.person-only",
                   {"此操作只供人员使用，不能用令牌", "This is for people; a token cannot do it"});
  }
  if (who.must_change_password) {
    return problem(Refusal::forbidden, "session.must-change-password",
                   {"请先修改一次性密码", "Change the one-time password first"});
  }
  auto names = s.journal.read([&] { return s.identity.permissions_of(who); });
  if (std::find(names.begin(), names.end(), e.info.access) != names.end()) return done();
  return problem(Refusal::forbidden, "permission.missing",
                 {"没有权限：" + e.info.access, "Permission is missing: " + e.info.access});
}

// The client's key, bound to the caller and the request, so that no one gets another's answer.
std::string command_id(const http::Request& request, const Principal& who, std::string_view key) {
  if (key.empty()) return {};
  Hash h = sha256_of({who.actor, "\n", request.method, "\n", request.path, "\n", key});
  return "key-" + to_hex(bytes_of(h)).substr(0, 48);
}

Status read_conditions(Call& call) {
  auto key = call.http.headers.get_or("Idempotency-Key");
  if (key.size() > 200)
    return problem(Refusal::malformed, "api.idempotency-key",
                   {"Idempotency-Key 不得超过 200 字节", "Idempotency-Key is at most 200 bytes"});
  call.command.id = command_id(call.http, call.who, key);
  if (auto match = call.http.headers.get("If-Match"); match && *match != "*") {
    auto number = to_int<std::uint64_t>(match->size() > 2 ? match->substr(1, match->size() - 2)
                                                          : std::string_view());
    if (!number || match->front() != '"' || match->back() != '"')
      return problem(
          Refusal::malformed, "api.if-match",
          {"If-Match 须为先前得到的 ETag", "If-Match must be an ETag that was given before"});
    call.if_seq = *number;
  }
  return done();
}

http::Response serve(Services& s, const Endpoint& e, http::Request& request) {
  auto refuse = [&](const Problem& p) { return http::problem_response(request, p); };
  Principal who;
  if (e.info.access != "public") {
    auto found = caller(s, request);
    if (!found) return refuse(found.problem());
    who = std::move(*found);
    if (!request.headers.has("Accept-Language")) request.lang = who.lang;
    if (auto may = allowed(s, who, e, request); !may) return refuse(may.problem());
  }
  Call call{s, request, std::move(who)};
  call.status = e.info.status;
  if (auto good = read_conditions(call); !good) return refuse(good.problem());
  auto response = e.run(call);
  if (!response) return refuse(response.problem());
  for (const auto& [name, value] : call.answer.all()) response->headers.add(name, value);
  if (!response->headers.has("Cache-Control")) response->headers.set("Cache-Control", "no-store");
  if (auto etag = response->headers.get("ETag");
      etag && request.headers.get("If-None-Match") == etag && response->status == 200) {
    response->status = 304;
    response->body.clear();
  }
  return std::move(*response);
}

}  // namespace

const std::vector<Endpoint>& all_endpoints() {
  static const std::vector<Endpoint> all = make_endpoints();
  return all;
}

Result<std::int64_t> Call::number(std::string_view name, std::int64_t fallback, std::int64_t least,
                                  std::int64_t most) const {
  auto text = http.query_get(name);
  if (!text || text->empty()) return fallback;
  auto value = to_int<std::int64_t>(*text);
  if (!value || *value < least || *value > most) {
    std::string range = std::to_string(least) + "–" + std::to_string(most);
    return invalid("api.query", "/query/" + std::string(name),
                   {"应为 " + range + " 之间的整数", "This must be an integer in " + range});
  }
  return *value;
}

std::vector<std::string> Call::orgs(Permission permission) const {
  std::string only = query("org");
  return s.journal.read([&] {
    auto all = s.identity.orgs_where(who, permission);
    if (!only.empty())
      std::erase_if(all, [&](const auto& org) { return !s.identity.within(org, only); });
    return all;
  });
}

Status Call::may(Permission permission, std::string_view org) const {
  auto basis = s.journal.read([&] { return s.identity.may(who, permission, org); });
  if (!basis) return std::move(basis).problem();
  return done();
}

Result<json::value> Table::read_body(Call& call) {
  auto type = call.http.headers.get_or("Content-Type");
  if (!call.http.body.empty() && !to_lower(type).starts_with("application/json"))
    return problem(Refusal::malformed, "api.content-type",
                   {"Content-Type 须为 application/json", "Content-Type must be application/json"});
  if (call.http.body.empty()) return json::value(json::object{});
  return parse_json(call.http.body, {.size_max = call.http.body.size()});  // bounded: body_max
}

Problem Table::wrong_fields(std::vector<FieldProblem> wrong) {
  std::string n = std::to_string(wrong.size());
  return problem(
      Refusal::invalid, "api.fields",
      {"有 " + n + " 处需要更正，未写入任何内容", "Correct " + n + " fields; nothing was written"},
      std::move(wrong));
}

Endpoint& Table::add(std::string method, std::string path, Spec spec, SchemaOf takes,
                     SchemaOf gives, Run run) {
  Endpoint e;
  e.info = {.method = method,
            .path = "/api/v1" + path,
            .access = spec.access,
            .summary = spec.summary,
            .writes = method != "GET"};
  e.query = std::move(spec.query);
  e.body_max = spec.body_max;
  e.tag = tag_;
  e.answers = spec.answers;
  e.takes = std::move(takes);
  e.gives = std::move(gives);
  e.run = std::move(run);
  std::string_view access = spec.access;
  CW_CHECK(access == "public" || access == "session" || permission_named(access));
  return into_.emplace_back(std::move(e));
}

struct Api::Impl {
  explicit Impl(Services services)
      : s(std::move(services)),
        by_peer({.per_s = double(s.requests_per_second), .burst = 3.0 * s.requests_per_second},
                s.clock),
        sign_ins({.per_s = s.sign_ins_per_minute / 60.0, .burst = double(s.sign_ins_per_minute)},
                 s.clock),
        live(s) {
    s.live = &live;
  }
  Services s;
  http::RateLimiter by_peer, sign_ins;
  Live live;
};

Api::Api(Services services) : impl_(std::make_shared<Impl>(std::move(services))) {}
Api::~Api() = default;

void Api::add_to(http::Router& router) {
  for (const Endpoint& e : all_endpoints()) {
    if (e.info.path.starts_with("/api/v1/test/") && !impl_->s.test_clock) continue;
    router.add(e.info.method, e.info.path,
               [impl = impl_, &e](http::Request& request) { return serve(impl->s, e, request); },
               {.body_max = e.body_max, .access = e.info.access});
  }
  router.add("GET", "/api/openapi.json",
             [](http::Request&) {
               static const std::string document = api_document();
               return http::text_response(200, document, "application/json");
             },
             {.access = "public"});
}

std::function<std::optional<http::Response>(http::Request&)> Api::gate() {
  return [impl = impl_](http::Request& request) -> std::optional<http::Response> {
    if (!request.path.starts_with("/api/")) return std::nullopt;
    int wait = impl->by_peer.take(request.peer);
    if (wait == 0 && request.method == "POST" && request.path == "/api/v1/session")
      wait = impl->sign_ins.take(request.peer);
    // Who brings no credential at all is told before a byte of the body is read.
    if (wait == 0 && request.route && request.route->options.access != "public" &&
        !request.headers.has("Authorization") && !request.cookie(cookie_name(request)))
      return http::problem_response(request, signed_out_problem());
    if (wait == 0) return std::nullopt;
    Problem p = problem(Refusal::too_many, "api.too-many",
                        {"请求过于频繁，请稍后重试", "Too many requests; try again later"});
    p.retry_after_s = wait;
    return http::problem_response(request, p);
  };
}

std::vector<EndpointInfo> endpoints() {
  std::vector<EndpointInfo> out;
  for (const Endpoint& e : all_endpoints()) out.push_back(e.info);
  return out;
}

}  // namespace cw::api
