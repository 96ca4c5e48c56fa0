// What an installation is configured with: a JSON file in the data folder, and options of the
// command line that win over it. docs/formats/config.md. Pure.
#pragma once

#include <string>

#include "base/json.h"
#include "installation.h"

namespace cw {

struct ServeConfig {
  InstallationOptions installation;
  http::ServerOptions http;
  bool tls = false;
  std::string certificate_file, key_file;
  std::vector<std::string> certificate_names;  // of a self-signed one, beside localhost
};

// Reads the members of `file`; unknown ones are refused by name ("/smtp/port").
Status read_config(const json::object& file, ServeConfig& into);
// "127.0.0.1:8080", "[::1]:8080"; a loopback address is served in plain HTTP, any other with TLS.
Status read_listen(const std::string& text, ServeConfig& into);

}  // namespace cw
