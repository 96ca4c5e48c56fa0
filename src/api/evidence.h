// Files that belong to a case: sealed like everything that people hand in, found again by a read
// model over "evidence.added" entries. Thread-safe as Projector demands.
#pragma once

#include <string>
#include <vector>

#include "journal/views.h"

namespace cw::api {

struct EvidenceRow {
  std::string content, sha256, actor;
  std::int64_t size = 0, seq = 0, at_ms = 0;
};

class EvidenceList final : public Projector {
 public:
  std::string_view name() const override { return "evidence"; }
  const char* schema() const override;
  void drop(Database& db) const override;
  void project(const Entry& entry, Database& db) override;

  static std::vector<EvidenceRow> of_case(Database& db, std::string_view case_id);
};

// A sealed file: a line of JSON with its name and type, then its bytes.
std::string pack_file(std::string_view name, std::string_view type, std::string_view bytes);
struct UnpackedFile {
  std::string name, type, bytes;
};
UnpackedFile unpack_file(std::string text);

}  // namespace cw::api
