#include <fmt/format.h>

#include "endpoint.h"

namespace cw::api {

namespace {

json::object problem_schema() {
  return {
      {"type", "object"},
      {"description", "RFC 9457. code is stable; title and detail are in the caller's language."},
      {"properties",
       {{"type", {{"type", "string"}}},
        {"title", {{"type", "string"}}},
        {"status", {{"type", "integer"}}},
        {"code", {{"type", "string"}}},
        {"detail", {{"type", "string"}}},
        {"request_id", {{"type", "string"}}},
        {"fields",
         {{"type", "array"},
          {"items",
           {{"type", "object"},
            {"properties",
             {{"pointer", {{"type", "string"}}}, {"text", {{"type", "string"}}}}}}}}}}},
      {"required", {"status", "code", "title"}}};
}

json::array parameters_of(const Endpoint& e) {
  json::array out;
  std::string_view path = e.info.path;
  for (std::size_t at = 0; (at = path.find('{', at)) != std::string_view::npos; ++at) {
    std::string name(path.substr(at + 1, path.find('}', at) - at - 1));
    if (name.ends_with('*')) name.pop_back();
    out.push_back(
        {{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  }
  for (const auto& q : e.query)
    out.push_back({{"name", q.name},
                   {"in", "query"},
                   {"description", q.about},
                   {"schema", {{"type", "string"}}}});
  auto shared = [&](const char* name) {
    out.push_back(json::object{{"$ref", std::string("#/components/parameters/") + name}});
  };
  if (e.info.writes && e.info.access != "public") shared("Idempotency-Key");
  if (e.info.takes_if_match) shared("If-Match");
  if (e.info.gives_etag && e.info.method == "GET") shared("If-None-Match");
  shared("Accept-Language");
  return out;
}

// Headers of requests that mean the same on every endpoint that has them.
json::object shared_parameters() {
  auto header = [](const char* name, const char* about, json::object schema) {
    return json::object{
        {"name", name}, {"in", "header"}, {"description", about}, {"schema", std::move(schema)}};
  };
  const json::object etag{{"type", "string"}, {"pattern", R"(^(\*|"[0-9]+")$)"}};
  return {
      {"Accept-Language",
       header(
           "Accept-Language",
           "zh or en: the language of problems and of what is printed. Absent: the person's own, "
           "else zh.",
           {{"type", "string"}})},
      {"Idempotency-Key",
       header("Idempotency-Key",
              "A repeated key of the same caller and request gets the first answer.",
              {{"type", "string"}, {"maxLength", 200}})},
      {"If-Match",
       header("If-Match",
              "The ETag of what the caller saw. Done only if nothing changed since, else "
              "412; absent or *: done in any case.",
              etag)},
      {"If-None-Match",
       header("If-None-Match", "304 without a body if it is still this ETag.", etag)}};
}

json::object problem_answer(const char* about) {
  return {
      {"description", about},
      {"content",
       {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}};
}

json::object operation_of(const Endpoint& e, Schemas& schemas) {
  json::object operation{
      {"summary", e.info.summary}, {"tags", {e.tag}}, {"x-access", e.info.access}};
  std::string id = to_lower(e.info.method);
  for (auto part : split(std::string_view(e.info.path).substr(8), '/')) {
    for (char c : part)
      if (c != '{' && c != '}' && c != '*') id += c == '-' || c == '.' ? '_' : c;
    id += '_';
  }
  id.pop_back();
  operation["operationId"] = id;
  if (auto parameters = parameters_of(e); !parameters.empty()) operation["parameters"] = parameters;
  if (e.takes)
    operation["requestBody"] = {
        {"required", true}, {"content", {{"application/json", {{"schema", e.takes(schemas)}}}}}};
  json::object good{{"description", e.info.status == 201 ? "Made" : "OK"}};
  if (e.gives)
    good["content"] = {{"application/json", {{"schema", e.gives(schemas)}}}};
  else
    good["content"] = {{e.answers, json::object{}}};
  if (e.info.gives_etag) good["headers"] = {{"ETag", {{"$ref", "#/components/headers/ETag"}}}};
  json::object& responses = operation["responses"].emplace_object();
  responses[std::to_string(e.info.status)] = good;
  if (e.info.gives_etag && e.info.method == "GET")
    responses["304"] = {{"description", "It is still the one of If-None-Match"}};
  if (e.info.takes_if_match)
    responses["412"] = problem_answer("It changed since the ETag of If-Match");
  responses["default"] = problem_answer("A problem");
  if (e.info.access == "public") operation["security"] = json::array{};
  return operation;
}

void pretty(const json::value& v, std::string& out, int depth) {
  auto indent = [&](int d) {
    out += '\n';
    out.append(static_cast<std::size_t>(d) * 2, ' ');
  };
  if (v.is_object() && !v.get_object().empty()) {
    out += '{';
    bool first = true;
    for (const auto& [key, value] : v.get_object()) {
      if (!std::exchange(first, false)) out += ',';
      indent(depth + 1);
      canonical_string(key, out);
      out += ": ";
      pretty(value, out, depth + 1);
    }
    indent(depth);
    out += '}';
  } else if (v.is_array() && !v.get_array().empty() && !v.get_array()[0].is_string()) {
    out += '[';
    bool first = true;
    for (const auto& item : v.get_array()) {
      if (!std::exchange(first, false)) out += ',';
      indent(depth + 1);
      pretty(item, out, depth + 1);
    }
    indent(depth);
    out += ']';
  } else {
    canonical_to(v, out);
  }
}

}  // namespace

std::string api_document() {
  Schemas schemas;
  schemas.by_name.emplace("Problem", problem_schema());
  json::object paths;
  for (const Endpoint& e : all_endpoints()) {
    if (e.info.path.starts_with("/api/v1/test/")) continue;
    std::string path = e.info.path;
    std::erase(path, '*');
    auto& item = paths[path];
    if (item.is_null()) item = json::object{};
    item.get_object()[to_lower(e.info.method)] = operation_of(e, schemas);
  }
  json::object all_schemas;
  for (auto& [name, schema] : schemas.by_name) all_schemas[name] = schema;
  json::object document{
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "Callwarden"},
        {"version", "1"},
        {"description", "Times are UTC milliseconds. Lists have items, next (a cursor) and total."},
        {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
      {"servers", {json::object{{"url", "/"}}}},
      {"security",
       {json::object{{"session", json::array{}}}, json::object{{"token", json::array{}}}}},
      {"paths", paths},
      {"components",
       {{"schemas", all_schemas},
        {"parameters", shared_parameters()},
        {"headers",
         {{"ETag",
           {{"description", "The version of what is told or was changed, for If-Match"},
            {"schema", {{"type", "string"}, {"pattern", "^\"[0-9]+\"$"}}}}}}},
        {"securitySchemes",
         {{"session",
           {{"type", "apiKey"},
            {"in", "cookie"},
            {"name", "__Host-cw"},
            {"description",
             "Writes need the session's X-CSRF header too. Over plain HTTP on loopback the cookie "
             "is named cw."}}},
          {"token", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
  std::string out;
  pretty(document, out, 0);
  return out + "\n";
}

}  // namespace cw::api
