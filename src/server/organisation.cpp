// `callwarden organisation load`: a house's file into a data folder whose server is stopped.
#include "organisation/organisation.h"

#include <iostream>

#include "commands.h"
#include "installation.h"
#include "options.h"
#include "storage/file.h"

namespace cw {
namespace {

int told(const std::vector<Mistake>& mistakes) {
  for (const Mistake& m : mistakes)
    std::cout << describe(m, speaks_english() ? "en" : "zh") << "\n";
  return 1;
}

int load(const Args& args, const std::filesystem::path& content) {
  const std::string name = args.rest()[1], data = args.get("data");
  auto text = read_file(name);
  if (!text) {
    std::cerr << name << ": 无法读取 / cannot be read\n";
    return 2;
  }
  std::vector<Mistake> mistakes;
  auto file = read_organisation(*text, name, templates_in(content), mistakes);
  if (!file) return told(mistakes);
  if (args.has("dry-run") && !std::filesystem::exists(data + "/journal.db")) {
    complain(invalid("args.data", "--data",
                     {"试算须有已存在的数据目录", "A dry run needs a data folder that is there"}));
    return 2;
  }
  SystemClock clock;
  SystemRandom random;
  Installation in({.data = data, .content = content, .version = CW_VERSION, .threads = false},
                  clock, random);
  if (auto opened = in.open(); !opened) return complain(opened.problem()), 1;
  const char* lang = speaks_english() ? "en" : "zh";
  if (args.has("dry-run")) {
    auto plan =
        in.journal().read([&] { return plan_organisation(*file, in.identity(), mistakes); });
    if (!mistakes.empty()) return told(mistakes);
    std::cout << to_text(plan, lang);
    return 0;
  }
  in.journal().read([&] { return plan_organisation(*file, in.identity(), mistakes); });
  if (!mistakes.empty()) return told(mistakes);
  auto done = load_organisation(*file, in.identity(), in.journal(), Principal::system());
  if (!done) return complain(done.problem()), 1;
  std::cout << to_text(done->plan, lang);
  const bool en = speaks_english();
  if (const auto& first = in.first())
    done->issued.insert(done->issued.begin(),
                        OrganisationLoaded::Issued{first->login, first->one_time_password});
  for (const auto& issued : done->issued)
    std::cout << (en ? "login " : "账号 ") << issued.login
              << (en ? ", one-time password " : "，一次性密码 ") << issued.secret << "\n";
  return 0;
}

}  // namespace

int organisation_main(const Words& words, const std::filesystem::path& content) {
  if (!words.empty() && words[0] == "check")
    return organisation_check_main(std::span(words).subspan(1), content, std::cout, std::cerr);
  Args args(words, {"dry-run"});
  if (auto allowed = args.only({"data", "dry-run"}); !allowed)
    return complain(allowed.problem()), 2;
  if (args.rest().size() != 2 || args.rest()[0] != "load" || !args.has("data")) {
    complain(invalid("args.organisation", "--data",
                     {"用法：organisation load FILE --data DIR [--dry-run]",
                      "usage: organisation load FILE --data DIR [--dry-run]"}));
    return 2;
  }
  return load(args, content);
}

}  // namespace cw
