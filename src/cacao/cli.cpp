// `callwarden procedure export` and `procedure import`.
#include <fstream>
#include <ostream>

#include "base/content.h"
#include "base/text.h"
#include "cacao.h"

namespace cw::cacao {
namespace {

namespace fs = std::filesystem;

Library library_of(const fs::path& content) {
  std::vector<Mistake> ignored;  // `procedure check` tells them
  return fs::is_directory(content) ? Library::load(content, ignored) : Library();
}

struct Arguments {
  std::string source, at, lang, identity, out;
  bool json = false, wrong = false;
};

Arguments arguments_of(std::span<const std::string> args) {
  Arguments a;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string& name = args[i];
    std::string* into = name == "--cacao"      ? &a.source
                        : name == "--at"       ? &a.at
                        : name == "--lang"     ? &a.lang
                        : name == "--identity" ? &a.identity
                        : name == "--out"      ? &a.out
                                               : nullptr;
    if (name == "--json") {
      a.json = true;
    } else if (into != nullptr && i + 1 < args.size()) {
      *into = args[++i];
    } else {
      a.wrong = true;
    }
  }
  a.wrong = a.wrong || a.source.empty() || (!a.lang.empty() && a.lang != "zh" && a.lang != "en");
  return a;
}

void tell(std::ostream& err, const std::string& lang, const Text& text) {
  if (lang != "en") err << text.zh << '\n';
  if (lang != "zh") err << text.en << '\n';
}

void tell_report(const Draft& draft, const std::string& lang, std::ostream& err) {
  static constexpr const char* zh[] = {"转换", "丢失", "核对"};
  static constexpr const char* en[] = {"mapped", "lost", "check"};
  for (const Seal& seal : draft.seals)
    tell(err, lang,
         {"签名 " + seal.signee + "（" + seal.algorithm + "，公钥 " + seal.key + "）：" +
              seal.text.zh,
          "signature " + seal.signee + " (" + seal.algorithm + ", key " + seal.key +
              "): " + seal.text.en});
  for (const Note& note : draft.notes) {
    const auto kind = static_cast<std::size_t>(note.kind);
    const std::string at = note.pointer.empty() ? "/" : note.pointer;
    tell(err, lang,
         {std::string(zh[kind]) + " " + at + "：" + note.text.zh,
          std::string(en[kind]) + " " + at + ": " + note.text.en});
  }
  for (const Mistake& m : draft.mistakes) {
    if (lang != "en") err << describe(m, "zh") << '\n';
    if (lang != "zh") err << describe(m, "en") << '\n';
  }
  if (draft.exact)
    tell(err, lang, {"来自呼安扩展，没有丢失。", "From our own extension, nothing was lost."});
}

bool write_files(const Draft& draft, const fs::path& folder, std::ostream& err) {
  for (const File& file : draft.files) {
    const fs::path path = folder / file.path;
    std::error_code failed;
    fs::create_directories(path.parent_path(), failed);
    if (fs::exists(path)) {
      err << path.string() << ": 已存在，没有覆盖 / exists, not overwritten\n";
      return false;
    }
    std::ofstream out(path, std::ios::binary);
    out << file.text;
    if (!out.flush()) {
      err << path.string() << ": 无法写入 / cannot be written\n";
      return false;
    }
  }
  return true;
}

}  // namespace

int export_main(std::span<const std::string> args, const fs::path& content, const Clock& clock,
                std::ostream& out, std::ostream& err) {
  const Arguments a = arguments_of(args);
  const auto at = a.at.empty() ? std::optional(clock.now_ms()) : from_rfc3339(a.at);
  if (a.wrong || a.json || !a.out.empty() || !at ||
      (!a.identity.empty() && !is_identity(a.identity))) {
    err << "usage: callwarden procedure export --cacao FILE|ID [--at RFC3339] [--lang zh|en] "
           "[--identity identity--UUID]\n";
    return 2;
  }
  const Library library = library_of(content);
  std::shared_ptr<const Definition> definition = library.procedure(a.source);
  std::vector<Mistake> mistakes;
  if (definition == nullptr) {
    const auto text = content_text(a.source);
    if (!text) {
      err << a.source << ": 没有这个流程或文件 / no such procedure or file\n";
      return 2;
    }
    definition =
        read_definition(*text, a.source, library.surroundings(a.source, mistakes), mistakes);
  }
  for (const Mistake& m : mistakes)
    err << describe(m, a.lang.empty() ? "zh" : a.lang) << (a.lang.empty() ? " / " + m.text.en : "")
        << '\n';
  if (definition == nullptr) return 1;
  ExportOptions options{.at_ms = *at, .identity = a.identity};
  if (!a.lang.empty()) options.lang = a.lang;
  out << json::serialize(write_playbook(*definition, options)) << '\n';
  return 0;
}

int import_main(std::span<const std::string> args, const fs::path& content, std::ostream& out,
                std::ostream& err) {
  const Arguments a = arguments_of(args);
  if (a.wrong || !a.at.empty() || !a.identity.empty()) {
    err << "usage: callwarden procedure import --cacao FILE [--out DIR] [--json] [--lang zh|en]\n";
    return 2;
  }
  const auto text = content_text(a.source, playbook_size_max);
  if (!text) {
    err << a.source << ": 无法读取 / cannot be read\n";
    return 2;
  }
  auto draft = read_playbook(*text, library_of(content));
  if (!draft) {
    const Problem& p = draft.problem();
    tell(err, a.lang, p.text);
    for (const FieldProblem& f : p.fields)
      tell(err, a.lang, {f.pointer + "：" + f.text.zh, f.pointer + ": " + f.text.en});
    return 1;
  }
  if (a.json) {
    out << json::serialize(to_json(*draft)) << '\n';
  } else {
    tell_report(*draft, a.lang, err);
  }
  if (!a.out.empty()) {
    if (!write_files(*draft, a.out, err)) return 2;
    if (!a.json)
      for (const File& file : draft->files) out << (fs::path(a.out) / file.path).string() << '\n';
  } else if (!a.json) {
    for (const File& file : draft->files)
      out << "# file: " << file.path << '\n' << file.text << '\n';
  }
  return draft->mistakes.empty() ? 0 : 1;
}

}  // namespace cw::cacao
