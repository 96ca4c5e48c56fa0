// How a running case is corrected: the section `amend`, and the form that follows from it.
#include <algorithm>

#include "read.h"

namespace cw {
namespace {

constexpr std::int64_t reason_max = 10'000;  // code points

FormField reason_field() {
  FormField reason;
  reason.name = "reason";
  reason.title = {"更正理由", "Why it is corrected"};
  reason.required = true;
  reason.widget = "textarea";
  reason.minimum = 1;
  reason.maximum = reason_max;
  return reason;
}

FormField field_of(const FactDef& fact) {
  FormField field;
  field.name = fact.id;
  field.title = fact.title;
  field.type = fact.type;
  field.values = fact.values;
  field.words = fact.words;
  field.ref = fact.ref;
  field.minimum = fact.minimum;
  field.maximum = fact.maximum;
  return field;
}

}  // namespace

// {by: [ROLE…], approve: …, facts: [FACT…], states: [STATE…]}
void DefinitionReader::amend(const YamlNode& node) {
  Amendment& out = d_->amend;
  if (!reader_.map(node)) return;
  reader_.keys(node, {"by", "approve", "facts", "states"});
  if (const YamlNode* by = reader_.need(node, "by")) out.by = role_list(*by);
  if (const YamlNode* approve = reader_.need(node, "approve")) out.approve = approval(*approve);
  auto each = [&](const char* key, const auto& index, std::vector<int>& into, const auto& wrong) {
    const YamlNode* list = node.find(key);
    if (list == nullptr || !reader_.list(*list)) return;
    for (const YamlNode& item : list->items) {
      const int i = index(item);
      if (i < 0) continue;
      if (wrong(i) || std::find(into.begin(), into.end(), i) != into.end()) {
        reader_.mistake(item, "procedure.amend",
                        {"“" + item.text +
                             "”不能这样更正：级别随事实而定，办结不是更正，reason 和 "
                             "state 是更正表单自己的字段，每项只写一次",
                         "'" + item.text +
                             "' cannot be corrected so: the level follows from the facts, closing "
                             "is no correction, reason and state are fields of the correction "
                             "itself, and each stands here once"});
      } else {
        into.push_back(i);
      }
    }
  };
  each(
      "facts", [&](const YamlNode& item) { return fact_index(item); }, out.facts,
      [&](int fact) {
        const std::string& id = d_->facts[fact].id;
        return (fact == 0 && !d_->levels.empty()) || id == "reason" || id == "state";
      });
  each(
      "states", [&](const YamlNode& item) { return state_index(item); }, out.states,
      [&](int state) { return d_->states[state].final; });
  if (node.find("facts") == nullptr && node.find("states") == nullptr) {
    reader_.mistake(
        node, "procedure.amend",
        {"须写明可更正的 facts 或 states", "say which facts or states may be corrected"});
  }
  if (d_->form("amend") >= 0) {
    reader_.mistake(node, "procedure.amend",
                    {"表单名 amend 留给更正用", "the form name 'amend' is kept for corrections"});
  }
}

// Every state that is not final gets the action; its form follows from the facts and their titles.
void DefinitionReader::amend_actions() {
  Amendment& amend = d_->amend;
  if (amend.none()) return;
  auto form = std::make_shared<Form>();
  form->id = "amend";
  form->version = d_->version;
  form->title = {"更正", "Correction"};
  form->help = {"只填要更正的项。旧值、新值和批准人都会记录，时限随之重算。",
                "Fill in only what is wrong. Old and new values and who approved are recorded, and "
                "clocks are counted anew."};
  FormUse use;
  for (const int fact : amend.facts) {
    form->fields.push_back(field_of(d_->facts[fact]));
    use.facts.push_back(fact);
  }
  if (!amend.states.empty()) {
    FormField state;
    state.name = "state";
    state.title = {"更正到状态", "Correct to state"};
    state.type = FieldType::enumeration;
    for (const int i : amend.states) {
      state.values.push_back(d_->states[i].id);
      state.words.push_back(d_->states[i].title);
    }
    form->fields.push_back(std::move(state));
    use.facts.push_back(-1);
  }
  form->fields.push_back(reason_field());
  use.facts.push_back(-1);
  use.form = std::move(form);
  amend.form = static_cast<int>(d_->forms.size());
  d_->forms.push_back(std::move(use));
  for (std::size_t i = 0; i < d_->states.size(); ++i) {
    StateDef& state = d_->states[i];
    if (state.final) continue;
    if (const int taken = d_->action(static_cast<int>(i), "amend"); taken >= 0) {
      reader_.mistake(*action_keys_[taken], "procedure.amend",
                      {"有 amend 一节时，操作名 amend 留给更正用",
                       "with a section amend, the action name 'amend' is kept for corrections"});
      continue;
    }
    ActionDef action;
    action.id = "amend";
    action.title = d_->forms[amend.form].form->title;
    action.state = static_cast<int>(i);
    action.by = amend.by;
    action.form = amend.form;
    action.approve = amend.approve;
    action.repeat = true;
    action.amend = true;
    state.actions.push_back(static_cast<int>(d_->actions.size()));
    d_->actions.push_back(std::move(action));
    action_keys_.push_back(state_keys_[i]);
    action_bodies_.push_back(state_keys_[i]);
  }
}

}  // namespace cw
