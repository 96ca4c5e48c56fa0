// What is done to a request on the caller's thread, before the writer decides it.
#pragma once

#include "impl.h"

namespace cw {

// A form that was validated and sealed.
struct Written {
  int form = -1;  // index in the definition; -1 = no form
  json::object filled;
  SealedContent content;  // empty commitment when there is no form
};

// Validates `submitted` against a form of the definition and seals it for the case. `form` -1:
// anything submitted is refused. Fields at fault are under "/form".
Result<Written> write_form(const Engine::Impl& m, const Definition& d, int form,
                           const json::object& submitted, const std::string& case_id);
// Seals a free text of 1 to 10,000 code points; `field` is named when it is not.
Result<SealedContent> write_text(const Engine::Impl& m, const std::string& case_id,
                                 const std::string& field, const std::string& text);
Status check_evidence(const std::vector<std::string>& evidence);  // "sha256:…", "hmac-sha256:…"
Status check_text(const std::string& field, const std::string& text);

Problem unknown_case();
Problem closed_case();
Problem moved_case();

// Nobody starts a case with a retired procedure.
Problem retired(const Definition& d);

}  // namespace cw
