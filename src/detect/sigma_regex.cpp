#include "sigma_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/check.h"

namespace cw::detect {
namespace {
constexpr std::uint32_t kMatchLimit = 200'000;  // steps of one search
constexpr std::uint32_t kHeapLimitKib = 4096;
constexpr std::uint32_t kParenthesesMax = 100;
}  // namespace

struct RegexScratch::Impl {
  pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
};

RegexScratch::RegexScratch() : impl_(std::make_unique<Impl>()) {
  CW_CHECK(impl_->data != nullptr && impl_->context != nullptr);
  pcre2_set_match_limit(impl_->context, kMatchLimit);
  pcre2_set_heap_limit(impl_->context, kHeapLimitKib);
}
RegexScratch::~RegexScratch() {
  if (!impl_) return;
  pcre2_match_data_free(impl_->data);
  pcre2_match_context_free(impl_->context);
}
RegexScratch::RegexScratch(RegexScratch&&) noexcept = default;
RegexScratch& RegexScratch::operator=(RegexScratch&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}

std::unique_ptr<Regex> Regex::compile(std::string_view text, RegexFlags flags, std::string& error) {
  if (text.size() > kSizeMax) {
    error = "longer than " + std::to_string(kSizeMax) + " bytes";
    return nullptr;
  }
  std::uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C;
  if (flags.caseless) options |= PCRE2_CASELESS;
  if (flags.multiline) options |= PCRE2_MULTILINE;
  if (flags.dotall) options |= PCRE2_DOTALL;
  pcre2_compile_context* context = pcre2_compile_context_create(nullptr);
  CW_CHECK(context != nullptr);
  pcre2_set_parens_nest_limit(context, kParenthesesMax);
  int code = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* compiled = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                       options, &code, &offset, context);
  pcre2_compile_context_free(context);
  if (compiled == nullptr) {
    PCRE2_UCHAR message[256] = {};
    pcre2_get_error_message(code, message, sizeof message);
    error = reinterpret_cast<const char*>(message);
    error += " (offset " + std::to_string(offset) + ")";
    return nullptr;
  }
  auto out = std::make_unique<Regex>();
  out->text_ = text;
  out->flags_ = flags;
  out->code_ = compiled;
  return out;
}

Regex::~Regex() { pcre2_code_free(static_cast<pcre2_code*>(code_)); }

bool Regex::search(std::string_view utf8, RegexScratch& scratch, bool* limited) const {
  if (code_ == nullptr) return false;
  int found =
      pcre2_match(static_cast<const pcre2_code*>(code_), reinterpret_cast<PCRE2_SPTR>(utf8.data()),
                  utf8.size(), 0, PCRE2_NO_UTF_CHECK, scratch.impl_->data, scratch.impl_->context);
  if (found >= 0) return true;
  if (limited != nullptr && found != PCRE2_ERROR_NOMATCH) *limited = true;
  return false;
}

}  // namespace cw::detect
