// A filed form as a page of A4, drawn by the server, so that paper can be checked: the footer bears
// the entry's number, its hash and the checkpoint that covers it.
#pragma once

#include <string>

#include "endpoint.h"

namespace cw::api {

// `form` is the name of the start, task or action ("start", "detail"); the newest filing of it.
Result<std::string> print_form(Call& call, const std::string& case_id, const std::string& form,
                               const std::string& lang);
std::string_view print_style();  // the page's style sheet: strict CSP allows no inline style

}  // namespace cw::api
