// Signatures of a playbook (CACAO 2.0, data type `signature` and appendix A): over the canonical
// form (RFC 8785) of the playbook with that one signature, less its value.
#pragma once

#include "cacao.h"

namespace cw::cacao {

// Every signature, verified or with the reason why it could not be. Refuses (`cacao.signature`)
// when one does not hold. `playbook` has been parsed as an object; at most 20 signatures.
Result<std::vector<Seal>> check_seals(const json::object& playbook);

}  // namespace cw::cacao
