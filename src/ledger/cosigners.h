// The witnesses that a ledger asks, private to the module: who is due, what each remembers, and how
// long one that failed is left out. Thread-safe; one ask() at a time.
//
//   Cosigners cosigners(options.witnesses, options.witness_retry_ms, options.clock);
//   std::string note = cosigners.ask(files, signed_note);   // with every line that came
#pragma once

#include <mutex>

#include "ledger.h"

namespace cw {

// The witness has seen another log under this name: not a fault of the network.
bool accuses(const Problem& trouble);

class Cosigners {
 public:
  // `clock` times the waits alone; null: the machine's.
  Cosigners(std::vector<WitnessPeer> peers, int retry_ms, const Clock* clock);

  // Somebody's cosignature is not on this note, and it is time to ask for it.
  bool due(const std::string& note) const;
  // The note with the cosignatures of those who were due, asked all at once. Never refuses: the
  // log's own signature stands alone when nobody answers.
  std::string ask(const LogFiles& files, const std::string& note);
  std::vector<WitnessState> states() const;

 private:
  struct Peer {
    WitnessPeer peer;
    WitnessState state;
    std::int64_t next_ns = 0;  // left out until then
    int failures = 0;
  };
  std::vector<std::size_t> due_now(const std::string& note) const;
  void take(Peer& p, const SignedNote& with);
  void fail(Peer& p, const Problem& why);

  std::int64_t now_ns() const { return clock_->monotonic_ns(); }

  const int retry_ms_;
  SystemClock system_;
  const Clock* clock_;
  mutable std::mutex mutex_;  // guards what is in peers_, but for key and post, which never change
  std::vector<Peer> peers_;
};

}  // namespace cw
