// callwarden: the server and its tools in one binary.
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <span>

#include "api/api.h"
#include "calendar/calendar.h"
#include "commands.h"
#include "detect/cli.h"
#include "language/definition.h"
#include "ledger/cli.h"

namespace {

// content/: named by CALLWARDEN_CONTENT, else beside the binary's installation or source tree.
std::filesystem::path content_folder() {
  if (const char* named = std::getenv("CALLWARDEN_CONTENT")) return named;
  char path[4096];
  ssize_t size = ::readlink("/proc/self/exe", path, sizeof path - 1);
  std::filesystem::path binary = size > 0 ? std::filesystem::path(std::string(path, static_cast<std::size_t>(size))).parent_path() : ".";
  for (const auto& candidate : {binary / "../share/callwarden/content", binary / "../../content", std::filesystem::path("content")})
    if (std::filesystem::is_directory(candidate / "procedures")) return std::filesystem::weakly_canonical(candidate);
  return "content";
}

int usage() {
  std::cerr << "callwarden " CW_VERSION "\n"
               "  serve --data DIR [--listen HOST:PORT] [--config FILE]   run the server\n"
               "  demo --data DIR [--listen HOST:PORT] | --once           a believable call centre\n"
               "  ledger verify|prove|export|witness …                    the record, checked offline\n"
               "  procedure check FILE…                                   mistakes with line and column\n"
               "  calendar due --calendar ID --from TIME --add SPAN       working time explained\n"
               "  rules check|test|replay …                               detection rules\n"
               "  bench engine|journal|ledger|detect|http [--json]        figures beside their baselines\n"
               "  openapi                                                 the API's document\n"
               "  version\n";
  return 2;
}

int run(const std::string& command, const std::vector<std::string>& rest, int argc, char** argv) {
  if (command == "serve") return cw::serve_main(rest, content_folder());
  if (command == "demo") return cw::demo_main(rest, content_folder());
  if (command == "ledger") return cw::ledger_main(argc - 1, argv + 1);
  if (command == "rules") return cw::detect::rules_main(rest, std::cin, std::cout, std::cerr);
  if (command == "calendar") return cw::calendar_main(rest, content_folder(), std::cout, std::cerr);
  if (command == "procedure" && !rest.empty() && rest[0] == "check")
    return cw::procedure_check_main(std::span(rest).subspan(1), content_folder(), std::cout, std::cerr);
  if (command == "bench") return cw::bench_main(rest);
  if (command == "openapi") return std::cout << cw::api::api_document(), 0;
  if (command == "version" || command == "--version") return std::cout << "callwarden " CW_VERSION "\n", 0;
  return usage();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return usage();
  try {
    return run(argv[1], std::vector<std::string>(argv + 2, argv + argc), argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "callwarden: " << e.what() << "\n";
    return 70;
  }
}
