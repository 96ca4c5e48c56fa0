#include <fmt/format.h>

#include "common.h"
#include "storage/file.h"
#include "words.h"

// The ledger: its checkpoint, entries, proofs, verification, the tiles as files for strangers.
namespace cw::api {
namespace {

struct WitnessOut {
  std::string name;
  std::int64_t size = 0, cosigned_at_ms = 0;  // 0: not since the start
  std::optional<Text> trouble;
};
BOOST_DESCRIBE_STRUCT(WitnessOut, (), (name, size, cosigned_at_ms, trouble))

struct LedgerOut {
  std::string origin;
  std::int64_t size = 0, journal_size = 0;
  std::string root, checkpoint, key;
  std::vector<WitnessOut> witnesses;
  std::optional<Text> trouble;
};
BOOST_DESCRIBE_STRUCT(LedgerOut, (),
                      (origin, size, journal_size, root, checkpoint, key, witnesses, trouble))

struct EntryRow {
  std::int64_t seq = 0, at_ms = 0;
  PersonRef actor;
  std::string kind, name;
  Text title;
  std::optional<CaseRef> case_ref;
  std::string hash;
};
BOOST_DESCRIBE_STRUCT(EntryRow, (), (seq, at_ms, actor, kind, name, title, case_ref, hash))

struct EntryOut {
  EntryRow row;
  std::string canonical;
  bool published = false;
};
BOOST_DESCRIBE_STRUCT(EntryOut, (), (row, canonical, published))

struct VerifyIn {
  std::optional<std::int64_t> from, to;
};
BOOST_DESCRIBE_STRUCT(VerifyIn, (), (from, to))
struct VerifyOut {
  bool ok = false;
  std::int64_t from = 0, to = 0, size = 0, took_ms = 0;
  std::optional<std::string> place;  // "/entries/7", "/tile/…", "/checkpoint/3"
  std::optional<Text> what;
};
BOOST_DESCRIBE_STRUCT(VerifyOut, (), (ok, from, to, size, took_ms, place, what))

// An entry that the caller may not read, for its case's readers or for where it is: the
// organisation of its case, alert or drill, else of who acted. It counts and can be proved, but
// says nothing.
bool hidden(const Call& call, const Entry& entry) {
  return call.s.journal.read([&] {
    const Services& s = call.s;
    if (s.engine.restricted(entry.case_id) && !s.engine.may_read(entry.case_id, call.who.actor))
      return true;
    if (s.identity.may(call.who, Permission::ledger_read, "").ok()) return false;
    std::string org = s.engine.org_of(entry.case_id);
    if (org.empty()) org = text_or(entry.body, "org");
    const auto* alert = s.alerts.find(text_or(entry.body, "alert"));
    if (alert != nullptr) org = alert->org;
    const auto* drill =
        s.drills ? s.drills->find(std::string(text_or(entry.body, "drill"))) : nullptr;
    if (drill != nullptr) org = drill->org;
    // Of an alert that only the read model still has, nobody knows here where it was.
    if (org.empty() && entry.kind.starts_with("alert.")) return true;
    if (org.empty())
      if (const auto actor = s.identity.person(entry.actor)) org = actor->org;
    return !org.empty() && !s.identity.may(call.who, Permission::ledger_read, org).ok();
  });
}

std::string leaf_hash(const std::string& bytes) {
  return to_hex(bytes_of(sha256_of({std::string_view("\0", 1), bytes})));
}

EntryRow entry_row(Call& call, const std::string& bytes) {
  auto entry = Entry::parse(bytes);
  CW_CHECK(entry.ok());
  if (hidden(call, *entry)) {
    EntryRow row;
    row.seq = static_cast<std::int64_t>(entry->seq);
    row.at_ms = entry->at_ms;
    row.kind = "restricted";
    row.title = {"限阅案件或其他组织的条目",
                 "An entry of a restricted case or of another organisation"};
    row.hash = leaf_hash(bytes);
    return row;
  }
  EntryRow row{static_cast<std::int64_t>(entry->seq),
               entry->at_ms,
               {},
               entry->kind,
               entry->name,
               {},
               std::nullopt,
               leaf_hash(bytes)};
  call.s.journal.read([&] {
    row.actor = person_ref(call.s, entry->actor);
    row.title = entry_title(call.s, *entry);
    row.case_ref = case_ref(call.s, call.who, entry->case_id);
  });
  return row;
}

Result<LedgerOut> ledger_now(Call& call) {
  Ledger& l = call.s.ledger;
  LedgerOut out;
  out.checkpoint = l.checkpoint();
  out.origin = out.checkpoint.substr(0, out.checkpoint.find('\n'));
  out.size = static_cast<std::int64_t>(l.size());
  out.journal_size = static_cast<std::int64_t>(call.s.journal.size());
  Hash root = l.root();
  out.root = to_base64(bytes_of(root));
  out.key = l.verifier_key();
  for (const WitnessState& w : l.witnesses()) {
    auto& row = out.witnesses.emplace_back(
        WitnessOut{w.name, static_cast<std::int64_t>(w.size), w.at_s * 1000, std::nullopt});
    if (w.trouble) row.trouble = w.trouble->text;
  }
  if (auto trouble = l.trouble()) out.trouble = trouble->text;
  return out;
}

Result<Page<EntryRow>> list_entries(Call& call) {
  auto size = static_cast<std::int64_t>(call.s.journal.size());
  auto limit = call.number("limit", 50, 1, 500);
  if (!limit) return std::move(limit).problem();
  auto before = call.number("before", size, 0, INT64_MAX);
  if (!before) return std::move(before).problem();
  std::int64_t end = std::min(*before, size), from = std::max<std::int64_t>(0, end - *limit);
  auto all = call.s.journal.entries(static_cast<std::uint64_t>(from),
                                    static_cast<std::size_t>(end - from));
  Page<EntryRow> page;
  for (auto it = all.rbegin(); it != all.rend(); ++it) page.items.push_back(entry_row(call, *it));
  if (from > 0) page.next = std::to_string(from);
  page.total = size;
  return page;
}

Result<std::uint64_t> entry_number(Call& call) {
  auto seq = to_int<std::uint64_t>(call.id());
  if (!seq || *seq >= call.s.journal.size()) return no_such({"这一条目", "such an entry"});
  return *seq;
}

Result<EntryOut> one_entry(Call& call) {
  auto seq = entry_number(call);
  if (!seq) return std::move(seq).problem();
  auto bytes = call.s.journal.entries(*seq, 1).at(0);
  EntryOut out{entry_row(call, bytes), bytes, *seq < call.s.ledger.size()};
  if (out.row.kind == "restricted") out.canonical.clear();
  return out;
}

Result<http::Response> prove_entry(Call& call) {
  auto seq = entry_number(call);
  if (!seq) return std::move(seq).problem();
  if (*seq >= call.s.ledger.size()) {
    if (auto s = call.s.ledger.advance(); !s) return std::move(s).problem();
  }
  auto proof = call.s.ledger.prove(*seq);
  if (!proof) return std::move(proof).problem();
  // The proof holds the entry itself; whoever may not read it gets the proof of its hash.
  auto entry = Entry::parse(call.s.journal.entries(*seq, 1).at(0));
  if (!entry || hidden(call, *entry)) {
    const auto from = proof->find("\nextra "), to = proof->find('\n', from + 1);
    if (from != std::string::npos) proof->erase(from, to - from);
  }
  auto response = http::text_response(200, *proof);
  response.headers.set("Content-Disposition",
                       fmt::format("attachment; filename=\"entry-{}.tlog-proof\"", *seq));
  return response;
}

Result<VerifyOut> verify(Call& call, VerifyIn& in) {
  std::int64_t begun = call.s.clock.monotonic_ns();
  auto log = open_log(call.s.ledger_folder);
  if (!log) return std::move(log).problem();
  VerifyOptions options{.key = call.s.ledger.verifier_key()};
  if (in.from) options.from = static_cast<std::uint64_t>(*in.from);
  if (in.to) options.to = static_cast<std::uint64_t>(*in.to);
  options.threads = 1;
  auto report = verify_log(**log, options);
  VerifyOut out;
  out.took_ms = (call.s.clock.monotonic_ns() - begun) / 1'000'000;
  if (report) {
    out.ok = true;
    out.from = static_cast<std::int64_t>(report->from);
    out.to = static_cast<std::int64_t>(report->to);
    out.size = static_cast<std::int64_t>(report->checkpoint.size);
    return out;
  }
  if (report.problem().refusal != Refusal::conflict) return std::move(report).problem();
  out.what = report.problem().text;
  if (!report.problem().fields.empty()) out.place = report.problem().fields[0].pointer;
  return out;
}

// Whether a bundle ("tile/entries/x001/234", "tile/entries/000.p/12") holds an entry that the
// caller may not read. Hashes and proofs are for everybody; the whole log is exported on the
// server.
bool hides(const Call& call, std::string_view path) {
  constexpr std::string_view bundles = "tile/entries/";
  if (!path.starts_with(bundles) || !call.s.journal.read([&] {
        return call.s.engine.any_restricted() ||
               !call.s.identity.may(call.who, Permission::ledger_export, "").ok();
      }))
    return false;
  path.remove_prefix(bundles.size());
  std::string digits;
  for (char c : path.substr(0, path.find(".p")))
    if (c != 'x' && c != '/') digits += c;
  const auto number = to_int<std::uint64_t>(digits);
  if (!number || *number > UINT32_MAX) return true;
  for (const std::string& bytes : call.s.journal.entries(*number * 256, 256)) {
    auto entry = Entry::parse(bytes);
    if (!entry || hidden(call, *entry)) return true;
  }
  return false;
}

// The published log, file by file, as any third-party tool reads it.
Result<http::Response> log_file(Call& call) {
  const std::string& path = call.http.param("path");
  auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' || c == '.';
  };
  bool safe = !path.empty() && path.size() < 200 && path.find("..") == std::string::npos &&
              std::all_of(path.begin(), path.end(), plain) &&
              (path == "checkpoint" || path == "vkey" || path.starts_with("tile/"));
  auto bytes =
      safe && !hides(call, path) ? read_file(call.s.ledger_folder + "/" + path) : std::nullopt;
  if (!bytes) return no_such({"这个文件", "such a file"});
  auto response = http::text_response(
      200, *bytes,
      path.starts_with("tile/") ? "application/octet-stream" : "text/plain; charset=utf-8");
  if (path.starts_with("tile/") && path.find(".p/") == std::string::npos)
    response.headers.set("Cache-Control", "private, max-age=31536000, immutable");
  return response;
}

}  // namespace

void add_ledger(Table& t) {
  t.tag("ledger");
  t.get<LedgerOut>("/ledger", {"ledger.read", "The published checkpoint"}, ledger_now);
  t.get<Page<EntryRow>>(
      "/ledger/entries",
      {"ledger.read", "Entries, newest first", {{"before", "an entry number"}, {"limit", "1–500"}}},
      list_entries);
  t.get<EntryOut>("/ledger/entries/{id}", {"ledger.read", "One entry with its canonical bytes"},
                  one_entry);
  t.raw("GET", "/ledger/entries/{id}/proof",
        {"ledger.read", "Proof of inclusion (c2sp.org/tlog-proof@v1)", {}, 1024, "text/plain"},
        prove_entry);
  t.post<VerifyIn, VerifyOut>(
      "/ledger/verify", {"ledger.read", "Verify the published log, or a range of it"}, verify);
  t.raw("GET", "/ledger/log/{path*}",
        {"ledger.export",
         "The log's files: checkpoint, vkey, tile/…",
         {},
         1024,
         "application/octet-stream"},
        log_file);
}

}  // namespace cw::api
