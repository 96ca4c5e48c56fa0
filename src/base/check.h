// CW_CHECK: an executable precondition. Always on; a failure is a programmer's error and aborts
// with the place and the condition. Never use it for bad input: that is a Problem (result.h).
//
//   CW_CHECK(size <= size_max);
#pragma once

namespace cw {
[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;
}  // namespace cw

#define CW_CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::cw::check_failed(#condition, __FILE__, __LINE__))
