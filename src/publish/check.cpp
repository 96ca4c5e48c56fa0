// Whether drafts may come into force: what the language says of the library as it would be, ids and
// versions. On the caller's thread, against a snapshot of the state.
#include "publish/publish.h"

namespace cw {
namespace {

Problem mistakes_found(const std::vector<Mistake>& mistakes) {
  Problem p = problem(Refusal::invalid, "definition.mistakes",
                      {"还有错误，没有写入任何内容", "There are mistakes; nothing was written"});
  for (const Mistake& m : mistakes) {
    if (p.fields.size() == 200) break;
    p.fields.push_back(
        {"/" + m.file + ":" + std::to_string(m.line) + ":" + std::to_string(m.column), m.text});
  }
  return p;
}

}  // namespace

Result<Publish::Snapshot> Publish::snapshot(const std::string& revision) const {
  std::optional<Snapshot> out;
  p_.journal.read([&] {
    if (const Revision* r = find(revision)) out = Snapshot{*r, changed_seq_};
  });
  if (!out)
    return problem(Refusal::not_found, "definition.unknown",
                   {"没有这份修订", "There is no such revision"});
  return std::move(*out);
}

std::vector<DefinitionText> Publish::texts_of(const Revision& r) const {
  std::vector<DefinitionText> out;
  for (const DraftDocument& d : r.documents()) {
    if (d.retires) {
      out.push_back({d.of, {}, true, d.base});
      continue;
    }
    std::optional<std::string> kept = text(d.digest);
    CW_CHECK(kept.has_value());  // written in the commit of its entry
    out.push_back({.of = d.of, .text = std::move(*kept)});
  }
  return out;
}

// The library now in force with these texts, and without what they retire.
Library Publish::as_it_would_be(const std::vector<DefinitionText>& texts,
                                std::vector<Mistake>& mistakes) const {
  std::vector<std::pair<std::string, std::string>> files;
  std::set<std::string> retires;
  const Library now = p_.engine.library();
  for (const DefinitionText& t : texts) {
    if (!t.retires) {
      files.emplace_back(t.of.path(), t.text);
    } else if (now.procedure(t.of.id)) {
      retires.insert(t.of.id);
    } else {
      mistakes.push_back({t.of.path(),
                          1,
                          1,
                          "definition.not_in_force",
                          {"“" + t.of.id + "”没有现行版本，无从停用",
                           "'" + t.of.id + "' is not in force: nothing to retire"}});
    }
  }
  Library out = now.with(files, mistakes);
  return retires.empty() ? out : out.without(retires, mistakes);
}

std::vector<Mistake> Publish::check(const std::vector<DefinitionText>& texts) const {
  std::vector<Mistake> mistakes;
  as_it_would_be(texts, mistakes);
  return mistakes;
}

std::vector<Mistake> Publish::warnings_of(const std::vector<DefinitionText>& texts) const {
  std::vector<Mistake> mistakes;
  const Library next = as_it_would_be(texts, mistakes);
  if (!mistakes.empty() || !p_.warn) return {};
  return p_.warn(p_.engine.library(), next);
}

// An id that is not the document's, a version that does not follow the one in force.
void Publish::version_mistakes(const std::vector<DefinitionText>& texts,
                               std::vector<Mistake>& mistakes) const {
  for (const DefinitionText& t : texts) {
    const int next = p_.journal.read([&] { return next_version(t.of); });
    if (t.retires) {
      if (t.base != 0 && t.base != next - 1)
        mistakes.push_back({t.of.path(),
                            1,
                            1,
                            "definition.version",
                            {"其间版本 " + std::to_string(next - 1) + " 已生效，请重新保存",
                             "version " + std::to_string(next - 1) +
                                 " came into force meanwhile: save it again"}});
      continue;
    }
    std::vector<Mistake> ignored;
    const YamlTree tree = parse_yaml(t.text, t.of.path(), ignored);
    auto add = [&](const YamlNode& at, const char* code, Text text) {
      mistakes.push_back({t.of.path(), at.line, at.column, code, std::move(text)});
    };
    const char* key = t.of.kind == DefinitionKind::procedure ? "procedure" : "form";
    const YamlNode* id = tree.root.find(key);
    if (id && id->text != t.of.id)
      add(*id, "definition.id",
          {"标识应为“" + t.of.id + "”", "the id should be '" + t.of.id + "'"});
    const YamlNode* version = tree.root.find("version");
    if (version && version->text != std::to_string(next))
      add(*version, "definition.version",
          {"版本号应为 " + std::to_string(next) + "：现行版本加一",
           "the version should be " + std::to_string(next) + ": one after the version in force"});
  }
}

std::vector<Mistake> Publish::mistakes_of(const std::vector<DefinitionText>& texts) const {
  std::vector<Mistake> mistakes = check(texts);
  version_mistakes(texts, mistakes);
  return mistakes;
}

Result<Library> Publish::checked(const Revision& r) const {
  const std::vector<DefinitionText> texts = texts_of(r);
  std::vector<Mistake> mistakes;
  Library library = as_it_would_be(texts, mistakes);
  version_mistakes(texts, mistakes);
  if (!mistakes.empty()) return mistakes_found(mistakes);
  return library;
}

}  // namespace cw
