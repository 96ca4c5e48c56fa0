// What an entry says, as a sentence in both languages, from its kind and its definition.
#pragma once

#include "endpoint.h"

namespace cw::api {

Text entry_title(const Services& s, const Entry& entry);  // under the state lock
// What an entry says beyond its title: of a correction, each fact's old and new value. Under the
// state lock.
std::optional<Text> entry_detail(const Services& s, const Entry& e);
// Why an actor could act: "post:duty-officer" as people say it.
Text basis_title(std::string_view basis);
// Whether an entry belongs to a timeline's short form.
bool is_key_entry(const Entry& entry);

}  // namespace cw::api
