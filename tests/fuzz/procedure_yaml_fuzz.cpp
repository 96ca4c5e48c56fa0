// Any bytes as a procedure, a form or a calendar: read or refused with mistakes that have a place,
// never a crash, a leak or a hang. What was read can be written for the console and evaluated.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "language/definition.h"

namespace {

const std::shared_ptr<const cw::Form>& any_form() {
  static const auto form = [] {
    std::vector<cw::Mistake> mistakes;
    return cw::read_form(
        "form: any\nversion: 1\ntitle: {zh: 任, en: Any}\ntype: object\nrequired: [severity]\n"
        "properties:\n"
        "  severity: {title: {zh: 级, en: S}, enum: [III, II, I]}\n"
        "  to: {title: {zh: 人, en: To}, type: string, x-callwarden: {ref: person}}\n"
        "  items:\n    title: {zh: 项, en: Items}\n    type: array\n    items:\n"
        "      {type: object, properties: {severity: {title: {zh: 级, en: S}, enum: [III]}}}\n",
        "any", mistakes);
  }();
  return form;
}

void check(bool read, const std::vector<cw::Mistake>& mistakes) {
  if (read != mistakes.empty()) std::abort();
  for (const cw::Mistake& m : mistakes) {
    if (m.line < 1 || m.column < 1 || m.text.zh.empty() || m.text.en.empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  cw::Surroundings around;
  around.form = [](std::string_view) { return any_form(); };
  around.calendar = [](std::string_view) { return true; };
  around.procedure = [](std::string_view) { return std::optional<std::string>("any"); };

  std::vector<cw::Mistake> of_procedure, of_form, of_calendar;
  const auto definition = cw::read_definition(text, "f", around, of_procedure);
  check(definition != nullptr, of_procedure);
  if (definition != nullptr) {
    cw::to_json(*definition);
    const std::vector<cw::Value> unset(definition->facts.size(), cw::null_value);
    cw::Scope scope;
    scope.facts = unset;
    for (const cw::TaskDef& task : definition->tasks) task.when.evaluate(scope);
    for (const cw::ActionDef& action : definition->actions) {
      action.guard.evaluate(scope);
      action.condition.evaluate(scope);
    }
  }
  const auto form = cw::read_form(text, "f", of_form);
  check(form != nullptr, of_form);
  if (form != nullptr) {
    cw::to_json(*form);
    (void)cw::fill(*form, {});
  }
  (void)cw::Calendars::from_texts({{"f", text}}, of_calendar);
  return 0;
}
