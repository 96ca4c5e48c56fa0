#include "wire.h"

#include <boost/core/demangle.hpp>

namespace cw::api {

void wire_wrong(std::vector<FieldProblem>& wrong, const std::string& pointer, Text text) {
  if (wrong.size() < 100) wrong.push_back({pointer, std::move(text)});
}

void wire_wrong_type(std::vector<FieldProblem>& wrong, const std::string& pointer, Text expected) {
  wire_wrong(wrong, pointer, {"应为" + expected.zh, "This must be " + expected.en});
}

std::string wire_pointer(const std::string& base, std::string_view member) {
  return base + "/" + pointer_token(member.substr(0, 200));
}

// "cw::api::Page<cw::api::CaseBrief>" → "PageCaseBrief": the namespaces go, the rest is joined.
std::string wire_type_name(const char* mangled) {
  std::string out, word;
  for (char c : boost::core::demangle(mangled)) {
    if (c == ':') {
      word.clear();
    } else if (c == '<' || c == '>' || c == ',' || c == ' ') {
      out += word;
      word.clear();
    } else {
      word += c;
    }
  }
  return out + word;
}

}  // namespace cw::api
