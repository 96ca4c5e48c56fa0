#include <map>

#include "base/text.h"
#include "http.h"

namespace cw::http {

namespace {

bool accepts_gzip(std::string_view accept_encoding) {
  for (std::string_view item : split(accept_encoding, ',')) {
    auto parts = split(item, ';');
    if (!equals_ignore_case(trim(parts[0]), "gzip")) continue;
    if (parts.size() < 2) return true;
    std::string_view q = trim(parts[1]);
    return !q.starts_with("q=0") || q.find_first_of("123456789") != std::string_view::npos;
  }
  return false;
}

// RFC 9110 §13.1.2; weak comparison.
bool etag_matches(std::string_view if_none_match, std::string_view etag) {
  for (std::string_view item : split(if_none_match, ',')) {
    item = trim(item);
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (item == "*" || item == etag) return true;
  }
  return false;
}

// A page of the console's own router, as a browser asks for it.
bool is_console_path(const Request& request) {
  if (request.segments.empty() || request.segments[0] == "api") return false;
  // Ids of procedures hold dots; a file is asked for at the top or below /assets.
  if (request.segments.size() > 1) return request.segments[0] != "assets";
  return request.segments[0].find('.') == std::string::npos;
}

// The two variants are different representations, so each needs its own tag.
std::string etag_of(const Asset& asset, bool gzip) {
  std::string tag(asset.etag);
  if (gzip && tag.size() >= 2) tag.insert(tag.size() - 1, "-gz");
  return tag;
}

Response serve_asset(const Request& request, const Asset& asset) {
  const bool gzip = !asset.gzip.empty() && accepts_gzip(request.headers.get_or("Accept-Encoding"));
  const std::string etag = etag_of(asset, gzip);
  Response r;
  r.headers.set("Cache-Control", asset.hashed ? "public, max-age=31536000, immutable" : "no-cache");
  if (!asset.gzip.empty()) r.headers.set("Vary", "Accept-Encoding");
  if (!etag.empty()) {
    r.headers.set("ETag", etag);
    if (etag_matches(request.headers.get_or("If-None-Match"), etag)) {
      r.status = 304;
      return r;
    }
  }
  r.headers.set("Content-Type", asset.mime);
  if (gzip) r.headers.set("Content-Encoding", "gzip");
  r.body = gzip ? asset.gzip : asset.bytes;
  return r;
}

}  // namespace

Handler static_files(std::vector<Asset> assets, std::string index) {
  std::map<std::string, Asset, std::less<>> table;
  for (const Asset& asset : assets) table.emplace(asset.path, asset);
  return [table = std::move(table), index = std::move(index)](Request& request) {
    auto found = table.find(request.path);
    if (found == table.end() && is_console_path(request)) found = table.find(index);
    if (found != table.end()) return serve_asset(request, found->second);
    return problem_response(request, problem(Refusal::not_found, "http.not-found",
                                             {"没有这个页面或资源。请检查网址。",
                                              "There is no such page or resource."}));
  };
}

}  // namespace cw::http
