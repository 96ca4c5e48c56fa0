// The subcommands of the binary that live here; each returns the process's exit code.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "http/http.h"
#include "ledger/cli.h"

namespace cw {

using Words = std::vector<std::string>;
using Console = std::vector<http::Asset>;  // its files; empty: the API alone

// serve --data DIR [--listen HOST:PORT] [--config FILE] …: until SIGTERM or SIGINT.
int serve_main(const Words& words, const std::filesystem::path& content, const Console& console);
// demo --data DIR [--listen HOST:PORT]; demo --once --data DIR: the main job, headless.
int demo_main(const Words& words, const std::filesystem::path& content, const Console& console);
// organisation check FILE…; organisation load FILE --data DIR [--dry-run].
int organisation_main(const Words& words, const std::filesystem::path& content);
// bench engine|journal|ledger|detect|http [--json] …
int bench_main(const Words& words, const std::filesystem::path& content);

// The listener of `ledger witness --listen`: C2SP tlog-witness over HTTP until SIGTERM or SIGINT.
int serve_witness(Witness& witness, const WitnessListen& listen);
// Its parts: POST /add-checkpoint (thread-safe; the witness outlives it), and the limits of a
// server that strangers may ask. `clock` outlives the server.
http::Router witness_router(Witness& witness);
http::ServerOptions witness_limits(http::ServerOptions options, const Clock& clock);

// SIGTERM, SIGINT and SIGHUP, for wait_for_end alone: call before any thread is made.
void hold_signals();
// Until SIGTERM or SIGINT, which it returns; on SIGHUP reads the certificate of `server` again.
int wait_for_end(http::Server& server);

// Prints a Problem with its fields to standard error in the language of LANG.
void complain(const Problem& problem);
bool speaks_english();

}  // namespace cw
