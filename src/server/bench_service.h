// The service half of `callwarden bench http`. Call from one thread.
#pragma once

#include <filesystem>
#include <string>

#include "base/json.h"

namespace cw {

// Fills an installation below `folder` with `cases` tickets and asks it through loopback with four
// connections: workbench, cases, counts, each {per_s, p50_us, p99_us, bytes}, and signals {per_s,
// p50_us, p99_us, raw_commits_per_s}: the baseline is what SQLite alone commits one by one.
// views_per_s: entries a second from the first command until every list shows them.
json::object bench_service(std::size_t cases, const std::string& folder,
                           const std::filesystem::path& content);

}  // namespace cw
