// What the endpoints of definitions and of revisions share.
#pragma once

#include "common.h"
#include "publish/publish.h"

namespace cw::api {

Publish& publishing(Call& call);

// {kind} and {id} of the path, or a Problem: there is no such kind.
Result<DefinitionId> definition_of(const Call& call);

Text definition_title(const Library& library, const DefinitionId& of);

// A member of a sealed content that holds JSON: {"text"} of a remark, {"title"}, {"why"}.
std::string said(const Services& s, const std::string& commitment, const char* member = "text");

struct MistakeOut {
  std::string file;
  std::int64_t line = 0, column = 0;
  std::string code;
  Text text;
};
BOOST_DESCRIBE_STRUCT(MistakeOut, (), (file, line, column, code, text))
std::vector<MistakeOut> mistakes_out(const std::vector<Mistake>& mistakes);

struct DocumentIn {  // either a text, or `retire`
  std::string kind, id;
  std::optional<LongText> text;
  std::optional<bool> retire;
};
BOOST_DESCRIBE_STRUCT(DocumentIn, (), (kind, id, text, retire))
Result<std::vector<DefinitionText>> documents_in(std::vector<DocumentIn>& documents);

struct SimulationOut {
  std::int64_t at = 0, runs = 0, seed = 0, threshold = 0;
  PersonRef by;
  std::string people, digest;
  bool pass = false;
};
BOOST_DESCRIBE_STRUCT(SimulationOut, (), (at, runs, seed, threshold, by, people, digest, pass))
SimulationOut simulation_out(const Services& s, const SimulationRecord& r);  // under the state lock

std::vector<PersonRef> people_out(const Services& s, const std::set<std::string>& ids);

}  // namespace cw::api
