#include "prepare.h"

#include "base/text.h"

namespace cw {
namespace {

constexpr std::size_t kTextMax = 10'000;  // code points
constexpr std::size_t kEvidenceMax = 50;

bool is_commitment(std::string_view text) {
  for (std::string_view prefix : {"sha256:", "hmac-sha256:"}) {
    if (!text.starts_with(prefix)) continue;
    std::string_view hex = text.substr(prefix.size());
    return hex.size() == 64 && hex.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  }
  return false;
}

}  // namespace

Problem unknown_case() {
  return problem(Refusal::not_found, "case.unknown", {"没有这条记录", "There is no such case"});
}

Problem closed_case() {
  return problem(Refusal::conflict, "case.closed",
                 {"记录已办结，不能再办理；本次没有写入任何内容",
                  "The case is closed and cannot be acted on; nothing was written"});
}

Problem moved_case() {
  return problem(
      Refusal::conflict, "case.moved",
      {"记录已进入另一状态，请刷新后重试；本次没有写入任何内容",
       "The case has moved to another state; nothing was written. Reload and try again"});
}

Result<Written> write_form(const Engine::Impl& m, const Definition& d, int form,
                           const json::object& submitted, const std::string& case_id) {
  Written w;
  if (form < 0) {
    if (submitted.empty()) return w;
    return invalid("case.no_form", "/form",
                   {"这一步没有表单，请不要提交内容", "This step has no form; submit none"});
  }
  Result<json::object> filled = fill(*d.forms[form].form, submitted);
  if (!filled) {
    Problem p = filled.problem();
    for (FieldProblem& f : p.fields) f.pointer = "/form" + f.pointer;
    return p;
  }
  w.form = form;
  w.filled = std::move(*filled);
  w.content = m.parts.sealed.seal(case_id, canonical(w.filled));
  return w;
}

Status check_text(const std::string& field, const std::string& text) {
  if (!is_utf8(text))
    return invalid("text.utf8", "/" + field, {"文字编码有误", "The text is not valid UTF-8"});
  if (trim(text).empty())
    return invalid("text.required", "/" + field, {"请填写内容", "Write something here"});
  if (code_points(text) > kTextMax)
    return invalid("text.too_long", "/" + field,
                   {"内容过长，最多 10,000 字", "Too long: at most 10,000 characters"});
  return done();
}

Result<SealedContent> write_text(const Engine::Impl& m, const std::string& case_id,
                                 const std::string& field, const std::string& text) {
  if (Status s = check_text(field, text); !s) return s.problem();
  return m.parts.sealed.seal(case_id, canonical(json::object{{field, text}}));
}

Status check_evidence(const std::vector<std::string>& evidence) {
  if (evidence.size() > kEvidenceMax)
    return invalid("evidence.too_many", "/evidence",
                   {"证据最多 50 件", "At most 50 pieces of evidence"});
  for (std::size_t i = 0; i < evidence.size(); ++i)
    if (!is_commitment(evidence[i]))
      return invalid("evidence.invalid", "/evidence/" + std::to_string(i),
                     {"证据须以其散列值登记", "A piece of evidence is named by its hash"});
  return done();
}

Problem retired(const Definition& d) {
  return invalid("case.retired", "/procedure",
                 {"流程“" + d.title.zh + "”已停用，不能再发起；在办事项不受影响",
                  "The procedure '" + d.title.en +
                      "' is retired: no case can start with it; those under way go on"});
}

}  // namespace cw
