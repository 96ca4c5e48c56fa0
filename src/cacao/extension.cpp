#include "extension.h"

#include "base/text.h"
#include "crypto/crypto.h"
#include "tree.h"

namespace cw::cacao {
namespace {

constexpr int extension_format = 1;
constexpr std::size_t forms_max = 500;

// The comment that a file begins with.
json::array head_comment(std::string_view text) {
  json::array out;
  for (std::string_view line : split(text, '\n')) {
    if (!line.starts_with('#')) break;
    line.remove_prefix(1);
    out.push_back(json::value(json::string(trim(line))));
  }
  return out;
}

json::object source_of(const std::string& text) {
  std::vector<Mistake> ignored;  // the text has been read without a mistake before
  const YamlTree tree = parse_yaml(text, "", ignored);
  json::object out;
  if (auto comment = head_comment(text); !comment.empty()) out["comment"] = std::move(comment);
  out["tree"] = to_carried(tree.root);
  return out;
}

std::optional<std::string> text_from(const json::value& source) {
  const auto* object = source.if_object();
  const auto* tree = object != nullptr ? object->if_contains("tree") : nullptr;
  const auto root = tree != nullptr ? from_carried(*tree) : std::nullopt;
  if (!root || !root->is_map()) return std::nullopt;
  std::string out;
  if (const auto* comment = object->if_contains("comment"); comment != nullptr) {
    const auto* lines = comment->if_array();
    if (lines == nullptr) return std::nullopt;
    for (const json::value& line : *lines) {
      const auto* text = line.if_string();
      if (text == nullptr ||
          std::string_view(*text).find_first_of("\r\n") != std::string_view::npos)
        return std::nullopt;
      out += text->empty() ? "#\n" : "# " + std::string(*text) + "\n";
    }
  }
  return out + to_yaml(*root);
}

std::string digest_of(const json::value& value) {
  return to_hex(bytes_of(sha256(canonical(value))));
}

json::object without_step_extensions(const json::object& workflow) {
  json::object out;
  for (const auto& [id, step] : workflow) {
    json::value copy = step;
    if (auto* object = copy.if_object()) object->erase("step_extensions");
    out[id] = std::move(copy);
  }
  return out;
}

}  // namespace

bool has_fraction(const json::value& value) {
  if (value.is_double()) return true;
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object)
      if (has_fraction(member.value())) return true;
  } else if (const auto* list = value.if_array()) {
    for (const json::value& item : *list)
      if (has_fraction(item)) return true;
  }
  return false;
}

json::object extension_definition(std::string_view identity) {
  return {{"type", "extension-definition"},
          {"name", "Callwarden procedure"},
          {"description",
           "The whole procedure that this playbook was made from: roles and separation of duties, "
           "facts, levels of command, forms, conditions, limits, clocks, calendars, approvals, "
           "effects, and all texts in Chinese and English."},
          {"created_by", json::string(identity)},
          {"schema",
           "An object with: format, the number 1; definition, {comment, tree} of the procedure's "
           "YAML file; forms, a list of the same for each form; workflow_digest and "
           "definition_digest, SHA-256 in hex. In a tree a map is {\"map\": [[key, value], ...]}, "
           "a list is an array, a quoted scalar that could be plain is {\"text\": ...}, any other "
           "scalar is itself. In full: docs/formats/cacao.md of Callwarden."},
          {"version", "1.0.0"}};
}

std::optional<std::string> workflow_digest(const json::object& playbook) {
  json::object said;
  for (const char* key : {"name", "description", "playbook_variables", "workflow_start",
                          "workflow_exception", "agent_definitions", "target_definitions"})
    if (const auto* value = playbook.if_contains(key)) said[key] = *value;
  if (const auto* workflow = playbook.if_contains("workflow"); workflow && workflow->is_object())
    said["workflow"] = without_step_extensions(workflow->get_object());
  const json::value whole = std::move(said);
  if (has_fraction(whole)) return std::nullopt;
  return digest_of(whole);
}

json::object extension_of(const Definition& definition, const json::object& playbook) {
  json::array forms;
  for (const FormUse& use : definition.forms)
    if (!use.form->source.empty()) forms.push_back(source_of(use.form->source));
  json::object said{{"definition", source_of(definition.source)}, {"forms", std::move(forms)}};
  const std::string digest = digest_of(said);
  json::object out{{"format", extension_format}};
  for (auto& member : said) out[member.key()] = std::move(member.value());
  out["workflow_digest"] = *workflow_digest(playbook);
  out["definition_digest"] = digest;
  return out;
}

Carried carried_by(const json::object& playbook) {
  Carried out;
  const auto* all = playbook.if_contains("playbook_extensions");
  const auto* ours =
      all != nullptr && all->is_object() ? all->get_object().if_contains(extension_id) : nullptr;
  if (ours == nullptr) return out;
  out.state = Carried::State::unreadable;
  const auto* object = ours->if_object();
  if (object == nullptr || int_or(*object, "format") != extension_format || has_fraction(*ours))
    return out;
  const auto* definition = object->if_contains("definition");
  const auto* forms = object->if_contains("forms");
  if (definition == nullptr || forms == nullptr || !forms->is_array() ||
      forms->get_array().size() > forms_max)
    return out;
  auto procedure = text_from(*definition);
  if (!procedure) return out;
  out.procedure = std::move(*procedure);
  for (const json::value& form : forms->get_array()) {
    auto text = text_from(form);
    if (!text) return out;
    out.forms.push_back(std::move(*text));
  }
  const json::value said = json::object{{"definition", *definition}, {"forms", *forms}};
  out.definition_changed = digest_of(said) != text_or(*object, "definition_digest");
  out.workflow_changed = workflow_digest(playbook) != text_or(*object, "workflow_digest");
  const bool changed = out.definition_changed || out.workflow_changed;
  out.state = changed ? Carried::State::changed : Carried::State::whole;
  return out;
}

}  // namespace cw::cacao
