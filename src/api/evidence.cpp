#include "evidence.h"

namespace cw::api {

const char* EvidenceList::schema() const {
  return "CREATE TABLE IF NOT EXISTS evidence(seq INTEGER PRIMARY KEY, case_id TEXT, content TEXT, "
         "sha256 TEXT, size INTEGER, actor TEXT, at INTEGER) STRICT;"
         "CREATE INDEX IF NOT EXISTS evidence_case ON evidence(case_id)";
}

void EvidenceList::drop(Database& db) const { db.exec("DROP TABLE IF EXISTS evidence"); }

void EvidenceList::project(const Entry& e, Database& db) {
  if (e.kind != "evidence.added") return;
  db.run("INSERT INTO evidence VALUES($1,$2,$3,$4,$5,$6,$7)", e.seq, e.case_id, e.content,
         text_or(e.body, "sha256"), int_or(e.body, "size"), e.actor, e.at_ms);
}

std::vector<EvidenceRow> EvidenceList::of_case(Database& db, std::string_view case_id) {
  std::vector<EvidenceRow> out;
  db.query(
      "SELECT content,sha256,actor,size,seq,at FROM evidence WHERE case_id=$1 ORDER BY seq LIMIT "
      "1000",
      [&](const Row& r) {
        out.push_back({std::string(r.text(0)), std::string(r.text(1)), std::string(r.text(2)),
                       r.integer(3), r.integer(4), r.integer(5)});
      },
      case_id);
  return out;
}

std::string pack_file(std::string_view name, std::string_view type, std::string_view bytes) {
  std::string out = canonical(json::object{{"name", name}, {"type", type}});
  out += '\n';
  out += bytes;
  return out;
}

UnpackedFile unpack_file(std::string text) {
  UnpackedFile file;
  std::size_t end = text.find('\n');
  if (end == std::string::npos) return file;
  if (auto head = parse_json(std::string_view(text).substr(0, end)); head && head->is_object()) {
    file.name = text_or(head->get_object(), "name");
    file.type = text_or(head->get_object(), "type");
  }
  text.erase(0, end + 1);
  file.bytes = std::move(text);
  return file;
}

}  // namespace cw::api
