#include <algorithm>
#include <array>

#include "base/text.h"
#include "identity.h"
#include "state.h"

namespace cw {
namespace {

// What people type when they must reach twelve characters; compared without leading and trailing
// digits and punctuation.
constexpr std::array<std::string_view, 30> kCommonStems = {
    "password",     "passwordpassword", "passw0rd",     "p@ssw0rd",   "p@ssword",
    "qwertyuiop",   "qwertyuiopasdf",   "qwerty",       "asdfghjkl",  "asdfghjklzxc",
    "zxcvbnm",      "1qaz2wsx",         "1qaz2wsx3edc", "qazwsxedc",  "qazwsxedcrfv",
    "abcdefghijkl", "administrator",    "admin",        "adminadmin", "iloveyou",
    "woaini",       "woainima",         "letmein",      "welcome",    "changeme",
    "callwarden",   "callcenter",       "callcentre",   "zhongguo",   "dianhua"};

bool is_repetition(std::string_view s) {
  for (std::size_t unit = 1; unit <= 4 && unit * 2 <= s.size(); ++unit) {
    bool same = true;
    for (std::size_t i = unit; i < s.size() && same; ++i) same = s[i] == s[i - unit];
    if (same) return true;
  }
  return false;
}

// 123456789012, abcdefghijkl and the same backwards; digits wrap from 9 to 0.
bool is_sequence(std::string_view s) {
  auto runs = [&](int step) {
    for (std::size_t i = 1; i < s.size(); ++i) {
      bool wrap = (step > 0 && s[i - 1] == '9' && s[i] == '0') ||
                  (step < 0 && s[i - 1] == '0' && s[i] == '9');
      if (s[i] - s[i - 1] != step && !wrap) return false;
    }
    return true;
  };
  return runs(1) || runs(-1);
}

bool is_common(std::string_view folded) {
  auto plain = [](unsigned char c) { return c >= 0x80 || std::isalpha(c); };
  for (auto stem : kCommonStems) {
    auto at = folded.find(stem);
    if (at == std::string_view::npos) continue;
    std::string rest =
        std::string(folded.substr(0, at)) + std::string(folded.substr(at + stem.size()));
    if (std::none_of(rest.begin(), rest.end(), plain)) return true;
  }
  return false;
}

}  // namespace

Status password_policy(std::string_view password, std::string_view login,
                       std::string_view pointer) {
  std::string at(pointer);
  if (!is_utf8(password) || code_points(password) > 128) {
    return invalid("password.too-long", at,
                   {"密码最多 128 个字符", "A password has at most 128 characters"});
  }
  if (code_points(password) < 12) {
    return invalid("password.too-short", at,
                   {"密码至少 12 个字符；几个不相关的词连在一起就很好",
                    "A password has at least 12 characters; a few unrelated words do well"});
  }
  std::string folded = fold(password), who = fold(login);
  bool about_login =
      who.size() >= 3 && folded.find(who) != std::string::npos && folded.size() - who.size() <= 8;
  if (about_login || is_common(folded) || is_repetition(folded) || is_sequence(folded)) {
    return invalid(
        "password.common", at,
        {"这个密码太容易被猜到；请换一个", "This password is too easy to guess; choose another"});
  }
  return done();
}

}  // namespace cw
