// All of content/, and `callwarden procedure check`.
#include <algorithm>
#include <ostream>
#include <set>
#include <stdexcept>

#include "base/content.h"
#include "language/definition.h"

namespace cw {
namespace {

namespace fs = std::filesystem;
using ContentFiles = std::vector<std::pair<std::string, std::string>>;  // path, text

std::string file_of(const std::string& path) { return fs::path(path).parent_path().filename(); }

// What other procedures must know before a procedure is read: its id and its start form.
std::string announce(const YamlTree& tree, std::map<std::string, std::string, std::less<>>& out) {
  const YamlNode* id = tree.root.find("procedure");
  if (id == nullptr) return {};
  const YamlNode* start = tree.root.find("start");
  const YamlNode* form = start != nullptr ? start->find("form") : nullptr;
  out[id->text] = form != nullptr ? form->text : "";
  return id->text;
}

// Where the form lies that a definition in `folder` uses, unless it is the library's.
std::optional<fs::path> form_beside(const fs::path& folder, std::string_view id) {
  for (const char* place : {"forms", "../forms"}) {
    const fs::path path = (folder / place / (std::string(id) + ".yaml")).lexically_normal();
    if (fs::is_regular_file(path)) return path;
  }
  return std::nullopt;
}

void twice(const std::string& file, const std::string& id, std::vector<Mistake>& mistakes) {
  mistakes.push_back(
      {file,
       1,
       1,
       "content.twice",
       {"“" + id + "”已由另一个文件定义", "'" + id + "' is defined by another file"}});
}

}  // namespace

Library Library::load(const fs::path& content, std::vector<Mistake>& mistakes) {
  ContentFiles files;
  for (const char* folder : {"calendars", "forms", "procedures", "regulations"}) {
    for (const auto& path : yaml_files(content / folder)) {
      auto text = content_text(path);
      if (!text) throw std::runtime_error("cannot read " + path.filename().string());
      files.emplace_back(path.string(), std::move(*text));
    }
  }
  return from_texts(files, mistakes);
}

Library Library::from_texts(const ContentFiles& files, std::vector<Mistake>& mistakes) {
  Library out;
  ContentFiles calendars, form_files;  // of a form: its id and where it lies
  std::vector<ParsedDefinition> procedures;
  for (const auto& [path, text] : files) {
    if (file_of(path) == "calendars") calendars.emplace_back(path, text);
    if (file_of(path) == "procedures") {
      procedures.emplace_back(text, path);
      announce(procedures.back().tree, out.start_forms_);
    }
    if (file_of(path) == "regulations") {
      const auto found = read_regulation(text, path, mistakes);
      if (found != nullptr && !out.regulations_.emplace(found->id, found).second) {
        twice(path, found->id, mistakes);
      }
    }
    if (file_of(path) != "forms") continue;
    const auto form = read_form(text, path, mistakes);
    if (form == nullptr) continue;
    if (out.forms_.emplace(form->id, form).second) {
      form_files.emplace_back(form->id, path);
    } else {
      twice(path, form->id, mistakes);
    }
  }
  const auto find = [&](std::string_view id) { return out.form(id); };
  for (const auto& [id, at] : form_files) check_sources(*out.forms_[id], find, at, mistakes);
  out.calendars_ = Calendars::from_texts(calendars, mistakes);
  for (ParsedDefinition& text : procedures) {
    const std::string path = text.file;
    const auto definition = read_definition(std::move(text), out.surroundings(), mistakes);
    if (definition != nullptr && !out.procedures_.emplace(definition->id, definition).second) {
      twice(path, definition->id, mistakes);
    }
  }
  return out;
}

std::shared_ptr<const Definition> Library::procedure(std::string_view id) const {
  auto found = procedures_.find(id);
  return found == procedures_.end() ? nullptr : found->second;
}

std::shared_ptr<const Form> Library::form(std::string_view id) const {
  auto found = forms_.find(id);
  return found == forms_.end() ? nullptr : found->second;
}

std::shared_ptr<const Calendar> Library::calendar(std::string_view id) const {
  return calendars_.find(id);
}

namespace {

void opened_by(const std::vector<Effect>& effects, std::set<std::string>& out) {
  for (const Effect& e : effects)
    if (e.kind == Effect::Kind::open) out.insert(e.procedure);
}

}  // namespace

std::set<std::string> opened_by(const Definition& d) {
  std::set<std::string> out;
  for (const StateDef& s : d.states) opened_by(s.enter, out);
  for (const TaskDef& t : d.tasks) opened_by(t.late, out), opened_by(t.effects, out);
  for (const ActionDef& a : d.actions) opened_by(a.effects, out);
  for (const ClockDef& k : d.clocks)
    for (const Mark& m : k.marks) opened_by(m.effects, out);
  return out;
}

Library Library::around(std::shared_ptr<const Definition> definition) const {
  Library out;
  out.start_forms_ = start_forms_;
  out.forms_ = forms_;
  out.calendars_ = calendars_;
  out.regulations_ = regulations_;
  std::vector<std::shared_ptr<const Definition>> left{std::move(definition)};
  while (!left.empty()) {
    const std::shared_ptr<const Definition> d = left.back();
    left.pop_back();
    if (!out.procedures_.emplace(d->id, d).second) continue;
    for (const std::string& id : opened_by(*d))
      if (auto child = procedure(id)) left.push_back(std::move(child));
  }
  return out;
}

Library Library::with(const ContentFiles& files, std::vector<Mistake>& mistakes) const {
  Library out = *this;
  std::set<std::string> forms, fresh;  // ids of what was read anew
  std::vector<ParsedDefinition> procedures;
  for (const auto& [path, text] : files) {
    if (file_of(path) == "procedures") {
      procedures.emplace_back(text, path);
      out.retired_.erase(announce(procedures.back().tree, out.start_forms_));
    }
    if (file_of(path) != "forms") continue;
    const auto form = read_form(text, path, mistakes);
    if (form == nullptr) continue;
    if (!forms.insert(form->id).second) twice(path, form->id, mistakes);
    out.forms_[form->id] = form;
  }
  const Surroundings around = out.surroundings();
  for (ParsedDefinition& text : procedures) {
    const std::string path = text.file;
    const auto definition = read_definition(std::move(text), around, mistakes);
    if (definition == nullptr) {
      fresh.insert(fs::path(path).stem().string());
      continue;
    }
    if (!fresh.insert(definition->id).second) twice(path, definition->id, mistakes);
    out.procedures_[definition->id] = definition;
  }
  std::set<std::string> changed = fresh;  // and those whose forms changed under them
  for (const auto& [id, d] : procedures_)
    for (const FormUse& use : d->forms)
      if (forms.contains(use.form->id)) changed.insert(id);
  for (const auto& [id, d] : procedures_) {
    if (fresh.contains(id)) continue;
    const std::set<std::string> opens = opened_by(*d);
    const bool rests = changed.contains(id) ||
                       std::any_of(opens.begin(), opens.end(), [&](const std::string& child) {
                         return changed.contains(child);
                       });
    if (!rests) continue;
    auto again = read_definition(d->source, "procedures/" + id + ".yaml", around, mistakes);
    if (again != nullptr) out.procedures_[id] = std::move(again);
  }
  return out;
}

Library Library::without(const std::set<std::string>& ids, std::vector<Mistake>& mistakes) const {
  Library out = *this;
  for (const std::string& id : ids) {
    if (auto it = out.procedures_.find(id); it != out.procedures_.end())
      out.retired_.insert(out.procedures_.extract(it));
    out.start_forms_.erase(id);
  }
  const Surroundings around = out.surroundings();
  for (const auto& [id, d] : out.procedures_) {
    const std::set<std::string> opens = opened_by(*d);
    if (std::any_of(ids.begin(), ids.end(), [&](auto& one) { return opens.contains(one); }))
      read_definition(d->source, "procedures/" + id + ".yaml", around, mistakes);
  }
  return out;
}

std::shared_ptr<const Definition> Library::remembered(std::string_view id) const {
  if (auto now = procedure(id)) return now;
  auto found = retired_.find(id);
  return found == retired_.end() ? nullptr : found->second;
}

std::shared_ptr<const Regulation> Library::regulation(std::string_view id) const {
  auto found = regulations_.find(id);
  return found == regulations_.end() ? nullptr : found->second;
}

Surroundings Library::surroundings(const fs::path& file, std::vector<Mistake>& mistakes) const {
  Surroundings around = surroundings();
  around.form = [this, folder = file.parent_path(), &mistakes](std::string_view id) {
    const auto path = form_beside(folder, id);
    return path ? read_form(content_text(*path).value_or(""), path->string(), mistakes) : form(id);
  };
  return around;
}

Surroundings Library::surroundings() const {
  Surroundings around;
  around.regulation = [this](std::string_view id) { return regulation(id); };
  around.form = [this](std::string_view id) { return form(id); };
  around.calendar = [this](std::string_view id) { return calendars_.find(id) != nullptr; };
  around.procedure = [this](std::string_view id) -> std::optional<std::string> {
    auto found = start_forms_.find(id);
    if (found == start_forms_.end()) return std::nullopt;
    return found->second;
  };
  around.retired = [this](std::string_view id) { return retired_.contains(id); };
  return around;
}

namespace {

// Checks files that may lie anywhere: what they name is looked for beside them, then in content.
class ContentChecker {
 public:
  ContentChecker(const Library& library, std::vector<Mistake>& mistakes)
      : library_(library), mistakes_(mistakes) {}

  void announce_all(const ContentFiles& files) {
    std::vector<Mistake> ignored;  // reported when the file itself is read
    for (const auto& [path, text] : files) announce(parse_yaml(text, path, ignored), start_forms_);
  }

  void check(const std::string& path, const std::string& text) {
    std::vector<Mistake> ignored;
    const YamlTree tree = parse_yaml(text, path, ignored);
    folder_ = fs::path(path).parent_path();
    if (tree.root.find("form") != nullptr && tree.root.find("procedure") == nullptr) {
      if (const auto own = read_form(text, path, mistakes_))
        check_sources(
            *own, [&](auto id) { return form(std::string(id)); }, path, mistakes_);
    } else if (tree.root.find("regulation") != nullptr && tree.root.find("states") == nullptr) {
      read_regulation(text, path, mistakes_);
    } else if (tree.root.find("calendar") != nullptr && tree.root.find("states") == nullptr) {
      check_calendar(path, text, tree);
    } else if (tree.root.find("holidays") != nullptr && tree.root.find("states") == nullptr) {
      Calendars::from_texts({{path, text}}, mistakes_);
    } else {
      read_definition(text, path, surroundings(), mistakes_);
    }
  }

 private:
  void check_calendar(const std::string& path, const std::string& text, const YamlTree& tree) {
    ContentFiles files{{path, text}};
    if (const YamlNode* list = tree.root.find("holidays")) {
      const fs::path beside = folder_ / ("holidays-" + list->text + ".yaml");
      if (auto dates = content_text(beside)) files.emplace_back(beside.string(), *dates);
    }
    Calendars::from_texts(files, mistakes_);
  }

  Surroundings surroundings() {
    Surroundings around = library_.surroundings();
    const auto procedure = around.procedure;
    around.form = [this](std::string_view id) { return form(std::string(id)); };
    around.procedure = [this, procedure](std::string_view id) -> std::optional<std::string> {
      auto found = start_forms_.find(id);
      if (found != start_forms_.end()) return found->second;
      return procedure(id);
    };
    return around;
  }

  std::shared_ptr<const Form> form(const std::string& id) {
    if (const auto path = form_beside(folder_, id)) {
      auto [known, fresh] = beside_.try_emplace(path->string(), nullptr);
      if (fresh)
        known->second = read_form(content_text(*path).value_or(""), path->string(), mistakes_);
      return known->second;
    }
    return library_.form(id);
  }

  const Library& library_;
  std::vector<Mistake>& mistakes_;
  fs::path folder_;
  std::map<std::string, std::shared_ptr<const Form>> beside_;
  std::map<std::string, std::string, std::less<>> start_forms_;
};

void print_mistakes(const std::vector<Mistake>& mistakes, std::size_t files,
                    const std::string& lang, bool as_json, std::ostream& out) {
  if (as_json) {
    json::array list;
    for (const Mistake& m : mistakes) {
      list.push_back(json::object{{"file", m.file},
                                  {"line", m.line},
                                  {"column", m.column},
                                  {"code", m.code},
                                  {"zh", m.text.zh},
                                  {"en", m.text.en}});
    }
    out << json::serialize(json::object{{"files", files}, {"mistakes", std::move(list)}}) << '\n';
    return;
  }
  for (const Mistake& m : mistakes) {
    out << describe(m, lang.empty() ? "zh" : lang);
    if (lang.empty()) out << " / " << m.text.en;
    out << '\n';
  }
  if (mistakes.empty()) {
    const std::string count = std::to_string(files);
    if (lang != "en") out << count << " 个文件，没有错误\n";
    if (lang != "zh") out << count << " file(s), no mistake\n";
  }
}

}  // namespace

int procedure_check_main(std::span<const std::string> args, const fs::path& content,
                         std::ostream& out, std::ostream& err) {
  ContentFiles files;
  std::string lang;
  bool as_json = false, usage = args.empty();
  for (std::size_t i = 0; i < args.size() && !usage; ++i) {
    if (args[i] == "--json") {
      as_json = true;
    } else if (args[i] == "--lang" && i + 1 < args.size()) {
      lang = args[++i];
      usage = lang != "zh" && lang != "en";
    } else if (args[i].starts_with("--")) {
      usage = true;
    } else {
      auto text = content_text(args[i]);
      if (!text) {
        err << args[i] << ": 无法读取 / cannot be read\n";
        return 2;
      }
      files.emplace_back(args[i], std::move(*text));
    }
  }
  if (usage || files.empty()) {
    err << "usage: callwarden procedure check [--json] [--lang zh|en] FILE...\n";
    return 2;
  }
  std::vector<Mistake> mistakes, of_content;
  const Library library =
      fs::is_directory(content) ? Library::load(content, of_content) : Library();
  ContentChecker checker(library, mistakes);
  checker.announce_all(files);
  for (const auto& [path, text] : files) checker.check(path, text);
  print_mistakes(mistakes, files.size(), lang, as_json, out);
  return mistakes.empty() ? 0 : 1;
}

}  // namespace cw
