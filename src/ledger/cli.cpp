#include "cli.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <system_error>

#include "base/text.h"
#include "files.h"
#include "ledger.h"

namespace cw {
namespace {

constexpr int exit_good = 0, exit_refused = 1, exit_usage = 2, exit_unreadable = 3;
constexpr std::size_t cli_file_max = 256 * 1024;

constexpr const char* usage_zh =
    "用法：\n"
    "  callwarden ledger verify 文件夹|网址 [--key 公钥] [--from N] [--to M] [--witness 公钥]\n"
    "                           [--since 先前保存的检查点文件]\n"
    "  callwarden ledger verify --proof 文件 --key 公钥 [--entry 文件]\n"
    "  callwarden ledger prove 文件夹|网址 序号 [--out 文件]\n"
    "  callwarden ledger export 来源 目标文件夹 [--key 公钥]\n"
    "  callwarden ledger witness --state 目录 --key 密钥文件 --log 文件夹|网址\n"
    "                            [--name 名称] [--log-key 公钥] [--out 文件]\n"
    "  callwarden ledger witness --state 目录 --key 密钥文件 --listen 地址:端口\n"
    "                            [--name 名称] [--log-key 公钥]… [--tls-cert 文件] [--tls-key "
    "文件]\n"
    "通用选项：--json 输出 JSON；--lang zh|en；--threads N（verify、export）\n"
    "--key 应从机构另行取得；省略时使用账本自带的 vkey，只能说明账本自身前后一致。\n"
    "退出码：0 通过；1 未通过或被拒绝（指出位置）；2 用法错误；3 无法读取\n";
constexpr const char* usage_en =
    "usage:\n"
    "  callwarden ledger verify DIR|URL [--key VKEY] [--from N] [--to M] [--witness VKEY]\n"
    "                           [--since KEPT_CHECKPOINT]\n"
    "  callwarden ledger verify --proof FILE --key VKEY [--entry FILE]\n"
    "  callwarden ledger prove DIR|URL N [--out FILE]\n"
    "  callwarden ledger export SRC DST [--key VKEY]\n"
    "  callwarden ledger witness --state DIR --key KEYFILE --log DIR|URL\n"
    "                            [--name NAME] [--log-key VKEY] [--out FILE]\n"
    "  callwarden ledger witness --state DIR --key KEYFILE --listen HOST:PORT\n"
    "                            [--name NAME] [--log-key VKEY]… [--tls-cert FILE] [--tls-key "
    "FILE]\n"
    "everywhere: --json; --lang zh|en; --threads N (verify, export)\n"
    "Get --key from the organisation by another way; without it the log's own vkey is used, which\n"
    "only shows that the log agrees with itself.\n"
    "exit: 0 it verifies; 1 it does not, or was refused (the place is named); 2 wrong use;\n"
    "3 it could not be read\n";

struct LedgerArgs {
  std::string lang = "zh";
  std::string command;
  std::vector<std::string> words;
  std::map<std::string, std::string> options;
  std::vector<std::string> log_keys;  // --log-key may be given for each log
  bool json = false, help = false;
  std::string wrong;  // the argument that is not understood

  std::string option(const std::string& name) const {
    auto it = options.find(name);
    return it == options.end() ? std::string() : it->second;
  }
  void say(const Text& text) const { std::fprintf(stderr, "%s\n", text.in(lang).c_str()); }
};

LedgerArgs parse_ledger_args(int argc, char** argv) {
  static const std::set<std::string> with_value{
      "--key",     "--proof",   "--entry",  "--from",     "--to",     "--out",
      "--witness", "--threads", "--lang",   "--state",    "--log",    "--name",
      "--log-key", "--since",   "--listen", "--tls-cert", "--tls-key"};
  LedgerArgs args;
  for (const char* name : {"LC_ALL", "LANG"}) {
    const char* set = std::getenv(name);
    if (set == nullptr || *set == '\0') continue;
    if (std::string_view(set).starts_with("en")) args.lang = "en";
    break;
  }
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--json") {
      args.json = true;
    } else if (word == "--help" || word == "-h") {
      args.help = true;
    } else if (with_value.contains(word)) {
      if (i + 1 == argc) {
        args.wrong = word;
      } else {
        args.options[word] = argv[++i];
        if (word == "--log-key") args.log_keys.push_back(argv[i]);
      }
    } else if (word.starts_with("--")) {
      args.wrong = word;
    } else if (args.command.empty()) {
      args.command = word;
    } else {
      args.words.push_back(word);
    }
  }
  if (std::string lang = args.option("--lang"); lang == "zh" || lang == "en") {
    args.lang = lang;
  } else if (!lang.empty()) {
    args.wrong = "--lang " + lang;
  }
  for (const char* name : {"--from", "--to", "--threads"}) {
    auto it = args.options.find(name);
    if (it != args.options.end() && !to_int<std::uint64_t>(it->second))
      args.wrong = it->first + " " + it->second;
  }
  return args;
}

int wrong_use(const LedgerArgs& args, const std::string& what) {
  if (!what.empty()) args.say({"不理解的参数：" + what, "not understood: " + what});
  std::fputs(args.lang == "en" ? usage_en : usage_zh, stderr);
  return exit_usage;
}

int exit_of(const Problem& p) {
  if (p.refusal == Refusal::conflict) return exit_refused;
  return p.refusal == Refusal::invalid ? exit_usage : exit_unreadable;
}

int fail(const LedgerArgs& args, const Problem& p) {
  std::string place = p.fields.empty() ? "" : p.fields.front().pointer;
  if (args.json) {
    json::object out{{"ok", false},
                     {"code", p.code},
                     {"place", place},
                     {"text", {{"zh", p.text.zh}, {"en", p.text.en}}}};
    std::printf("%s\n", canonical(out).c_str());
  } else {
    args.say(p.text);
    if (!place.empty()) args.say({"位置：" + place, "place: " + place});
  }
  return exit_of(p);
}

int pass(const LedgerArgs& args, const VerifyReport& report) {
  const Checkpoint& c = report.checkpoint;
  std::string root = to_base64(bytes_of(c.root));
  if (args.json) {
    json::object out{{"ok", true},          {"origin", c.origin},
                     {"size", c.size},      {"root", root},
                     {"from", report.from}, {"to", report.to},
                     {"key", report.key},   {"key_from_log", report.key_from_log}};
    std::printf("%s\n", canonical(out).c_str());
    return exit_good;
  }
  std::string size = std::to_string(c.size), from = std::to_string(report.from);
  std::string last = std::to_string(report.to == 0 ? 0 : report.to - 1);
  Text text{"通过：账本 " + c.origin + " 共 " + size + " 条，已验证第 " + from + "–" + last +
                " 号，根 " + root,
            "verified: log " + c.origin + " of " + size + " entries, entries " + from + " to " +
                last + ", root " + root};
  std::printf("%s\n", text.in(args.lang).c_str());
  if (report.key_from_log) {
    args.say({"注意：公钥取自账本自身，请与机构公布的核对：" + report.key,
              "note: the key came from the log itself; compare it with the published one: " +
                  report.key});
  }
  return exit_good;
}

VerifyOptions verify_options(const LedgerArgs& args) {
  VerifyOptions options{.key = args.option("--key")};
  if (args.options.contains("--from")) options.from = to_int<std::uint64_t>(args.option("--from"));
  if (args.options.contains("--to")) options.to = to_int<std::uint64_t>(args.option("--to"));
  if (args.options.contains("--threads"))
    options.threads = unsigned(to_int<std::uint64_t>(args.option("--threads")).value_or(0));
  if (args.options.contains("--witness")) options.witnesses.push_back(args.option("--witness"));
  if (::isatty(STDERR_FILENO) && !args.json) {
    options.progress = [](std::uint64_t done, std::uint64_t all) {
      std::fprintf(stderr, "\r%llu / %llu%s", static_cast<unsigned long long>(done),
                   static_cast<unsigned long long>(all), done == all ? "\n" : "");
    };
  }
  return options;
}

int verify_proof_file(const LedgerArgs& args) {
  auto proof = read_whole_file(args.option("--proof"), cli_file_max);
  if (!proof) return fail(args, proof.problem());
  std::optional<std::string> entry;
  if (args.options.contains("--entry")) {
    auto bytes = read_whole_file(args.option("--entry"), cli_file_max);
    if (!bytes) return fail(args, bytes.problem());
    entry = std::move(*bytes);
  }
  std::string key = args.option("--key");
  bool from_log = key.empty() && args.words.size() == 1;
  if (from_log) {
    auto log = open_log(args.words[0]);
    if (!log) return fail(args, log.problem());
    key = (*log)->read("vkey", cli_file_max).value_or("");
  }
  auto report = verify_proof(*proof, key, entry);
  if (!report) return fail(args, report.problem());
  report->key_from_log = from_log;
  return pass(args, *report);
}

int run_verify(const LedgerArgs& args) {
  if (args.options.contains("--proof")) return verify_proof_file(args);
  if (args.words.size() != 1) return wrong_use(args, "");
  auto log = open_log(args.words[0]);
  if (!log) return fail(args, log.problem());
  VerifyOptions options = verify_options(args);
  if (args.options.contains("--since")) {
    auto kept = read_whole_file(args.option("--since"), cli_file_max);
    if (!kept) return fail(args, kept.problem());
    options.since = std::move(*kept);
  }
  auto report = verify_log(**log, options);
  return report ? pass(args, *report) : fail(args, report.problem());
}

int print_or_write(const LedgerArgs& args, const std::string& text) {
  if (std::string out = args.option("--out"); !out.empty()) {
    write_file_durably(out, text);
  } else {
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
  return exit_good;
}

int run_prove(const LedgerArgs& args) {
  auto index = args.words.size() == 2 ? to_int<std::uint64_t>(args.words[1]) : std::nullopt;
  if (!index) return wrong_use(args, "");
  auto log = open_log(args.words[0]);
  if (!log) return fail(args, log.problem());
  auto proof = prove_from(**log, *index);
  return proof ? print_or_write(args, *proof) : fail(args, proof.problem());
}

int run_export(const LedgerArgs& args) {
  if (args.words.size() != 2) return wrong_use(args, "");
  auto log = open_log(args.words[0]);
  if (!log) return fail(args, log.problem());
  auto report = export_log(**log, args.words[1], verify_options(args));
  return report ? pass(args, *report) : fail(args, report.problem());
}

Result<NoteSigner> witness_signer(const LedgerArgs& args) {
  SystemRandom random;
  auto signer = read_signer(args.option("--key"), args.option("--name"));
  if (!signer && signer.problem().refusal == Refusal::not_found &&
      args.options.contains("--name")) {
    signer = create_signer(args.option("--key"), args.option("--name"), random);
    if (signer)
      args.say({"已生成见证人密钥，公钥：" + signer->verifier(4).text(),
                "a witness key was made; its verifier key: " + signer->verifier(4).text()});
  }
  return signer;
}

int visit_log(const LedgerArgs& args, Witness& witness) {
  auto log = open_log(args.option("--log"));
  if (!log) return fail(args, log.problem());
  auto cosigned = witness.visit(**log, args.option("--log-key"));
  if (!cosigned) return fail(args, cosigned.problem());
  if (args.json) {
    std::printf("%s\n", canonical(json::object{{"ok", true}, {"checkpoint", *cosigned}}).c_str());
    if (args.option("--out").empty()) return exit_good;
  }
  return print_or_write(args, *cosigned);
}

int listen_for_logs(const LedgerArgs& args, Witness& witness, const WitnessServe& serve) {
  for (const std::string& text : args.log_keys) {
    auto key = VerifierKey::parse(text);
    if (!key) return fail(args, key.problem());
    if (Status known = witness.know(*key); !known) return fail(args, known.problem());
  }
  for (const VerifierKey& key : witness.known())
    args.say({"见证的账本：" + key.text(), "witness of the log " + key.text()});
  args.say({"见证人公钥：" + witness.verifier().text(),
            "the witness's verifier key: " + witness.verifier().text()});
  return serve(witness, {args.option("--listen"), args.option("--tls-cert"),
                         args.option("--tls-key"), args.option("--state"), args.lang == "en"});
}

int run_witness(const LedgerArgs& args, const WitnessServe& serve) {
  for (const char* needed : {"--state", "--key"})
    if (args.option(needed).empty()) return wrong_use(args, needed);
  const bool listens = serve && args.options.contains("--listen");
  if (listens == args.options.contains("--log")) return wrong_use(args, "--log");
  auto signer = witness_signer(args);
  if (!signer) return fail(args, signer.problem());
  SystemClock clock;
  auto witness = Witness::open(args.option("--state"), std::move(*signer), clock);
  if (!witness) return fail(args, witness.problem());
  return listens ? listen_for_logs(args, **witness, serve) : visit_log(args, **witness);
}

}  // namespace

int ledger_main(int argc, char** argv, const WitnessServe& serve) try {
  LedgerArgs args = parse_ledger_args(argc, argv);
  if (args.help) {
    std::fputs(args.lang == "en" ? usage_en : usage_zh, stdout);
    return exit_good;
  }
  if (!args.wrong.empty()) return wrong_use(args, args.wrong);
  try {
    if (args.command == "verify") return run_verify(args);
    if (args.command == "prove") return run_prove(args);
    if (args.command == "export") return run_export(args);
    if (args.command == "witness") return run_witness(args, serve);
  } catch (const LogUnreadable& e) {
    return fail(args, e.problem);
  } catch (const std::system_error& e) {
    return fail(args, problem(Refusal::unavailable, "ledger.io",
                              {std::string("读写失败：") + e.what(),
                               std::string("reading or writing failed: ") + e.what()}));
  }
  return wrong_use(args, args.command);
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return exit_unreadable;
}

}  // namespace cw
