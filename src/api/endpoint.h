// How an endpoint is declared: a line in one of the add_*() tables, a struct for what it takes and
// one for what it gives, and a function between them. Everything else (who is calling, CSRF,
// idempotency, reading, problems, the document) happens here once.
//
//   t.get<Page<CaseBrief>>("/cases", {"case.read", "Cases", {{"state", "…"}}}, [](Call& c) { … });
//   t.post<TakeIn, Written>("/alerts/{id}/take", {"alert.triage", "Take an alert"},
//                           [](Call& c, TakeIn& in) -> Result<Written> { … }).takes_if_match();
//   t.create<StartIn, Started>("/cases", {"case.start", "Start a case"}, start_case);  // 201
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "api.h"
#include "base/text.h"
#include "wire.h"

namespace cw::api {

// One request under way.
struct Call {
  Services& s;
  http::Request& http;
  Principal who;
  Command command;                      // from Idempotency-Key, bound to the caller and the request
  std::optional<std::uint64_t> if_seq;  // from If-Match
  http::Headers answer;                 // headers for the answer
  int status = 200;                     // as the table says

  const std::string& id() const { return http.param("id"); }
  std::string query(std::string_view name) const {
    auto v = http.query_get(name);
    return v ? std::string(*v) : std::string();
  }
  std::vector<std::string> queries(std::string_view name) const {  // repeated, or comma-separated
    std::vector<std::string> out;
    for (auto all : http.query_all(name))
      for (auto one : split(all, ','))
        if (!one.empty()) out.emplace_back(one);
    return out;
  }
  // A number in the query; the Problem names it.
  Result<std::int64_t> number(std::string_view name, std::int64_t fallback, std::int64_t least,
                              std::int64_t most) const;
  // The organisations in which the caller may, narrowed to `org` (and below) when the query says.
  std::vector<std::string> orgs(Permission permission) const;
  // Whether the caller may there. Under the state lock or not.
  Status may(Permission permission, std::string_view org) const;
  void etag(std::uint64_t seq) { answer.set("ETag", "\"" + std::to_string(seq) + "\""); }
};

struct QueryInfo {
  const char* name;
  const char* about;
};

struct Spec {
  const char* access;   // "public", "session" or a permission
  const char* summary;  // for the document
  std::vector<QueryInfo> query = {};
  std::size_t body_max = 256 << 10;
  const char* answers = "application/json";  // of raw endpoints
};

struct Endpoint {
  EndpointInfo info;
  std::vector<QueryInfo> query;
  std::size_t body_max = 0;
  std::string tag, answers;
  std::function<json::object(Schemas&)> takes, gives;  // empty: no body
  std::function<Result<http::Response>(Call&)> run;

  Endpoint& created() { return info.status = 201, *this; }
  Endpoint& gives_etag() { return info.gives_etag = true, *this; }
  Endpoint& takes_if_match() { return info.takes_if_match = true, *this; }
};

struct Nothing {};
BOOST_DESCRIBE_STRUCT(Nothing, (), ())

class Table {
 public:
  explicit Table(std::vector<Endpoint>& into) : into_(into) {}
  void tag(std::string name) { tag_ = std::move(name); }

  template <typename Out>
  Endpoint& get(std::string path, Spec spec, Result<Out> (*f)(Call&)) {
    return add("GET", std::move(path), std::move(spec), {}, &schema_of<Out>, answer<Out>(f));
  }
  template <typename In, typename Out>
  Endpoint& post(std::string path, Spec spec, Result<Out> (*f)(Call&, In&)) {
    return body<In, Out>("POST", std::move(path), std::move(spec), f);
  }
  // A POST that makes something: answered with 201.
  template <typename In, typename Out>
  Endpoint& create(std::string path, Spec spec, Result<Out> (*f)(Call&, In&)) {
    return post<In, Out>(std::move(path), std::move(spec), f).created();
  }
  template <typename In, typename Out>
  Endpoint& put(std::string path, Spec spec, Result<Out> (*f)(Call&, In&)) {
    return body<In, Out>("PUT", std::move(path), std::move(spec), f);
  }
  template <typename In, typename Out>
  Endpoint& patch(std::string path, Spec spec, Result<Out> (*f)(Call&, In&)) {
    return body<In, Out>("PATCH", std::move(path), std::move(spec), f);
  }
  template <typename Out>
  Endpoint& remove(std::string path, Spec spec, Result<Out> (*f)(Call&)) {
    return add("DELETE", std::move(path), std::move(spec), {}, &schema_of<Out>, answer<Out>(f));
  }
  // Bytes in or out: files, event streams, printed pages.
  Endpoint& raw(std::string method, std::string path, Spec spec,
                std::function<Result<http::Response>(Call&)> f) {
    return add(std::move(method), std::move(path), std::move(spec), {}, {}, std::move(f));
  }

 private:
  using Run = std::function<Result<http::Response>(Call&)>;
  using SchemaOf = std::function<json::object(Schemas&)>;

  template <typename Out>
  static Run answer(Result<Out> (*f)(Call&)) {
    return [f](Call& call) -> Result<http::Response> {
      auto out = f(call);
      if (!out) return std::move(out).problem();
      return http::json_response(call.status, wire(*out));
    };
  }
  template <typename In, typename Out>
  Endpoint& body(std::string method, std::string path, Spec spec, Result<Out> (*f)(Call&, In&)) {
    Run run = [f](Call& call) -> Result<http::Response> {
      auto value = read_body(call);
      if (!value) return std::move(value).problem();
      In in{};
      std::vector<FieldProblem> wrong;
      read_wire(*value, in, "", wrong);
      if (!wrong.empty()) return wrong_fields(std::move(wrong));
      auto out = f(call, in);
      if (!out) return std::move(out).problem();
      return http::json_response(call.status, wire(*out));
    };
    return add(std::move(method), std::move(path), std::move(spec), &schema_of<In>, &schema_of<Out>,
               std::move(run));
  }
  static Result<json::value> read_body(Call& call);
  static Problem wrong_fields(std::vector<FieldProblem> wrong);
  // The line just declared, to say more of it; good until the next.
  Endpoint& add(std::string method, std::string path, Spec spec, SchemaOf takes, SchemaOf gives,
                Run run);

  std::vector<Endpoint>& into_;
  std::string tag_;
};

const std::vector<Endpoint>& all_endpoints();

// One function for each group of endpoints.
void add_session(Table& t);
void add_cases(Table& t);
void add_work(Table& t);
void add_procedures(Table& t);
void add_alerts(Table& t);
void add_ledger(Table& t);
void add_people(Table& t);
void add_delegations(Table& t);
void add_organisation(Table& t);
void add_roster(Table& t);
void add_simulate(Table& t);
void add_drills(Table& t);
void add_definitions(Table& t);
void add_revisions(Table& t);
void add_migrations(Table& t);
void add_notices(Table& t);
void add_live(Table& t);
void add_system(Table& t);

}  // namespace cw::api
