// Ways to reach a log's files, private to the module. Thread-safe.
//
//   std::unique_ptr<LogFiles> files = folder_log("/var/lib/callwarden/ledger");
#pragma once

#include <memory>
#include <string>

#include "ledger.h"

namespace cw {

std::unique_ptr<LogFiles> folder_log(const std::string& folder);
std::unique_ptr<LogFiles> url_log(const std::string& url);

}  // namespace cw
