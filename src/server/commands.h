// The subcommands of the binary that live here; each returns the process's exit code.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "http/http.h"

namespace cw {

using Words = std::vector<std::string>;
using Console = std::vector<http::Asset>;  // its files; empty: the API alone

// serve --data DIR [--listen HOST:PORT] [--config FILE] …: until SIGTERM or SIGINT.
int serve_main(const Words& words, const std::filesystem::path& content, const Console& console);
// demo --data DIR [--listen HOST:PORT]; demo --once --data DIR: the main job, headless.
int demo_main(const Words& words, const std::filesystem::path& content, const Console& console);
// bench engine|journal|ledger|detect|http [--json] …
int bench_main(const Words& words, const std::filesystem::path& content);

// Prints a Problem with its fields to standard error in the language of LANG.
void complain(const Problem& problem);
bool speaks_english();

}  // namespace cw
