// What `callwarden help [COMMAND]` and `COMMAND --help` say. Pure.
#pragma once

#include <string>
#include <string_view>

namespace cw {

// Of one command ("serve"), or of all when there is none of that name. Ends with a newline.
std::string usage_of(std::string_view command, bool english);

}  // namespace cw
