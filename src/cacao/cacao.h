// Procedures as CACAO Security Playbooks 2.0 (OASIS, committee specification 01, 27 November 2023)
// and back: an exchange format only (docs/formats/cacao.md). What CACAO cannot say travels in one
// extension, so that a procedure of ours comes home unchanged; a stranger's playbook becomes a
// draft that passes `procedure check`, with a report of what was mapped and what was lost.
// Nothing is executed, fetched or published. Pure functions: thread-safe.
//
//   json::object playbook = cacao::write_playbook(*definition, {.at_ms = clock.now_ms()});
//   Result<cacao::Draft> draft = cacao::read_playbook(text, library);
//   if (!draft) return draft.problem();                    // fields: "/workflow/…/type"
//   for (const cacao::File& f : draft->files) show(f.path, f.text);
//   for (const cacao::Note& n : draft->notes) show(n.pointer, n.text);
#pragma once

#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "language/definition.h"

namespace cw::cacao {

inline constexpr std::size_t playbook_size_max = 8 << 20;  // bytes
inline constexpr std::size_t playbook_depth_max = 64;      // nesting
inline constexpr std::size_t steps_max = 10'000;           // of a workflow, and states made of it

// ---- export -------------------------------------------------------------------------------

struct ExportOptions {
  std::int64_t at_ms = 0;   // `created` and `modified`
  std::string lang = "en";  // of names and descriptions, "zh" or "en"; both are in the extension
  std::string identity;     // `created_by`, "identity--…"; empty = the one of Callwarden itself
};

// The same definition and options give the same bytes. Two versions of a procedure share the
// playbook's id, as CACAO wants it, and differ in `modified`.
json::object write_playbook(const Definition& definition, const ExportOptions& options);

// "playbook--" and a version 5 UUID of the procedure's id.
std::string playbook_id(std::string_view procedure);
bool is_identity(std::string_view id);  // "identity--" and a UUID

// ---- import -------------------------------------------------------------------------------

struct File {
  std::string path;  // "ID.yaml", "forms/ID.yaml": as `procedure check` finds them
  std::string text;
};

// One line of the report.
struct Note {
  enum class Kind {
    mapped,  // said in another way here
    lost,    // not taken over
    check,   // a person must look at it before the draft is used
  };
  Kind kind = Kind::check;
  std::string code;     // stable: "agent", "condition", "signature" …
  std::string pointer;  // into the playbook
  Text text;
};

// A signature of the playbook. One that does not hold refuses the import, so that what stands here
// is verified or could not be.
struct Seal {
  bool verified = false;
  std::string id, signee, algorithm;
  std::string key;  // SHA-256 of the public key in hex: whose it is, people must compare
  Text text;
};

struct Draft {
  std::string procedure;    // its id
  bool exact = false;       // came from our own extension: nothing was lost
  std::vector<File> files;  // the procedure first, then its forms
  std::vector<Note> notes;
  std::vector<Seal> seals;
  std::vector<Mistake> mistakes;  // of the files, as `procedure check` tells them here. Not empty
                                  // only for an exact one that names what this house does not have
};

// Refuses with every fault's JSON pointer: what is no playbook of CACAO 2.0, an unknown type of
// step (by its name), a reference to nothing, a signature that does not hold, sizes over the limits
// above, and a playbook that would not fit into one procedure file (1 MiB, 100,000 nodes).
Result<Draft> read_playbook(std::string_view text, const Library& library);

json::object to_json(const Draft& draft);

// ---- commands -----------------------------------------------------------------------------

// `callwarden procedure export --cacao FILE|ID [--at TIME] [--lang zh|en] [--identity ID]`
// `callwarden procedure import --cacao FILE [--out DIR] [--json] [--lang zh|en]`
// Arguments after the verb. Exit code 0: done; 1: refused, or the draft has mistakes; 2: wrong
// usage or an unreadable file.
int export_main(std::span<const std::string> args, const std::filesystem::path& content,
                const Clock& clock, std::ostream& out, std::ostream& err);
int import_main(std::span<const std::string> args, const std::filesystem::path& content,
                std::ostream& out, std::ostream& err);

}  // namespace cw::cacao
