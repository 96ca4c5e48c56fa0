// `callwarden ledger …` and the ledger's part of `callwarden bench`. Call from one thread.
//
//   return cw::ledger_main(argc - 1, argv + 1);   // argv[0] is "ledger"
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "base/json.h"
#include "ledger/ledger.h"

namespace cw {

// Where `witness --listen` is served. Without certificate files a self-signed one is made in
// `folder`.
struct WitnessListen {
  std::string address;  // HOST:PORT
  std::string certificate_file, key_file;
  std::string folder;
  bool english = false;
};
// Serves the witness until the process is told to end; returns the exit code. HTTP is a later
// module, so the binary hands it in.
using WitnessServe = std::function<int(Witness&, const WitnessListen&)>;

// verify DIR|URL, prove DIR|URL N, export SRC DST, witness; `--help` lists their options. Results
// go to standard output, everything else to standard error, in the language of --lang or LANG.
// Returns 0: done, it verifies; 1: it does not verify or was refused, the place is named;
// 2: wrong use; 3: it could not be read (no such log, disk, network, key file).
int ledger_main(int argc, char** argv, const WitnessServe& serve = {});

// Builds and verifies a log of `entries` entries of about 300 bytes in a temporary folder.
// append_per_s, verify_per_s with their seconds, and the baselines of the same run: copying the
// same bytes to one file with fsync, and hashing them with SHA-256.
json::object bench_ledger(std::size_t entries);

}  // namespace cw
